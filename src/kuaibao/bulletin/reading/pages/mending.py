"""What is changed in a page's tree before the extractor sees it: loose text, comments, posts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kuaibao.bulletin.sources.markup import one_line, plain_text

__all__ = ["drop_comments", "posts_of_thread", "wrap_loose_text"]

MAX_NODES = 5_000
MAX_DEPTH = 60
MIN_PROSE = 40
"""Characters of a text that is prose rather than a label."""
_COMMENTS = re.compile(
    r"(?i)(?:^|[\s_-])(?:comments?|commentlist|comentarios?|commentaires?|kommentare?|reacties|disqus|respond)"
    r"(?:$|[\s_-](?:list|area|section|wrapper|container|form|thread|box|block)?)"
)
_POST = re.compile(
    r"(?i)(?:^|[\s_-])(?:post|message|msg|reply|answer|comment|forum-?post|topic-?post)(?:$|[\s_-])"
)
_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var",
})  # fmt: skip
_ENOUGH = 600
"""Characters of paragraphs outside the comments: with fewer, the comments are perhaps the page."""


def wrap_loose_text(tree: Any) -> bool:
    """Make prose that stands bare between paragraphs a paragraph: extractors pass over it.

    Returns:
        Whether anything was changed.
    """
    parents: dict[Any, int] = {}
    for n, paragraph in enumerate(tree.iter("p")):
        parent = paragraph.getparent()
        if n > MAX_NODES or parent is None:
            break
        parents[parent] = parents.get(parent, 0) + 1
    changed = False
    for parent, n_paragraph in parents.items():
        if n_paragraph > 1 and parent.tag not in ("a", "p", "li", "button", "form"):
            changed |= _wrap_in(parent)
    return changed


def _wrap_in(parent: Any) -> bool:
    """Each run of bare text and inline elements becomes a `p`, if it is prose."""
    runs: list[tuple[int, str | None, list[Any]]] = [(0, parent.text, [])]
    for at, child in enumerate(list(parent), start=1):
        if child.tag in _INLINE:
            runs[-1][2].append(child)
        else:
            runs.append((at, child.tail, []))
    changed = False
    children = list(parent)
    for at, text, inline in reversed(runs):
        bare = " ".join([text or "", *(child.tail or "" for child in inline)])
        if len(one_line(bare)) < MIN_PROSE:
            continue
        wrapper = parent.makeelement("p", {})
        wrapper.text = text
        if at:
            before = children[at - 1]
            before.tail = None
            before.addnext(wrapper)
        else:
            parent.text = None
            parent.insert(0, wrapper)
        for child in inline:
            wrapper.append(child)  # with its tail
        changed = True
    return changed


def drop_comments(tree: Any) -> bool:
    """Take readers' comments away where the page has an article without them."""
    found: list[Any] = []
    for n, element in enumerate(tree.iter("div", "section", "ul", "ol", "aside")):
        if n > MAX_NODES:
            break
        if _COMMENTS.search(_mark(element)) and next(element.iter("h1", "article"), None) is None:
            found.append(element)
    if not found:
        return False
    known = set(found)
    outer = [element for element in found if not known & set(_above(element))]
    inside = sum(_n_prose(element.iter("p")) for element in outer)
    if _n_prose(tree.iter("p")) - inside < _ENOUGH:
        return False
    for element in outer:
        element.drop_tree()
    return True


def posts_of_thread(tree: Any, text: str) -> str:
    """All posts of a thread of which the extractor found one; else nothing.

    A post is one of several siblings of one class that says so, with prose in the same place.
    """
    lines = {one_line(line) for line in text.split("\n") if len(line) > MIN_PROSE}
    for n, paragraph in enumerate(tree.iter("p", "div", "blockquote")):
        if n > MAX_NODES or not lines:
            return ""
        if next(paragraph.iterchildren("p", "div", "blockquote"), None) is not None:
            continue
        if one_line("".join(paragraph.itertext())) not in lines:
            continue
        for block in _above(paragraph):
            if not _POST.search(block.get("class", "")):
                continue
            siblings = [one for one in _siblings(block) if one.get("class") == block.get("class")]
            if len(siblings) > 1:
                parent = paragraph.getparent()
                return _written_posts(siblings, paragraph if parent is block else parent)
        return ""
    return ""


def _siblings(block: Any) -> list[Any]:
    parent = block.getparent()
    return [block] if parent is None else list(parent.iterchildren(block.tag))


def _written_posts(posts: Iterable[Any], body: Any) -> str:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

    texts: list[str] = []
    for post in posts:
        for part in post.iter(body.tag):
            if part.get("class") == body.get("class"):
                markup = etree.tostring(part, encoding="unicode", method="html", with_tail=False)
                texts.append(plain_text(markup))
    return "\n\n".join(text for text in texts if text)


def _above(node: Any) -> list[Any]:
    return [one for one, _ in zip(node.iterancestors(), range(MAX_DEPTH), strict=False)]


def _mark(element: Any) -> str:
    return f"{element.get('class', '')} {element.get('id', '')}"


def _n_prose(paragraphs: Iterable[Any]) -> int:
    """Characters in paragraphs of prose."""
    first = (p for p, _ in zip(paragraphs, range(MAX_NODES), strict=False))
    sizes = (len(one_line("".join(p.itertext()))) for p in first)
    return sum(size for size in sizes if size >= MIN_PROSE)
