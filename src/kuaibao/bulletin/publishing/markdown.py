"""A person's Markdown as safe HTML and as a plain tree for the PDF and the mail's text.

Raw HTML in Markdown stays text. A fenced block that a figure was drawn from is replaced by the
figure. Pictures are never fetched from elsewhere: an image becomes a link to itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from kuaibao.bulletin.publishing.cleaning import clean_text, safe_url

__all__ = ["BodyPart", "parse_body", "plain_text"]

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_HEADING_SHIFT = 3  # a page's h1 to h3 are the issue, its sections and its items
_MAX_HEADING = 3
_LEAVES = {"text": "text", "code_inline": "code", "softbreak": "text", "hardbreak": "break"}
_MARKS = {"em": "em", "strong": "strong", "s": "strike"}


@dataclass(frozen=True, kw_only=True)
class BodyPart:
    """A run of text, or the place of a figure."""

    html: str = ""
    blocks: tuple[dict[str, Any], ...] = ()
    figure: int | None = None
    """Index of the figure that stands here."""


def parse_body(markdown: str, drawn_from: Sequence[str] = ()) -> tuple[BodyPart, ...]:
    """Cut a Markdown text into runs of text and figures.

    Args:
        markdown: CommonMark with tables and strike-through.
        drawn_from: For each figure of the item the fenced text that it replaces ("" if none).
    """
    tokens = _PARSER.parse(clean_text(markdown))
    places = {text.strip(): index for index, text in enumerate(drawn_from) if text.strip()}
    parts: list[BodyPart] = []
    run: list[Token] = []
    for token in tokens:
        figure = places.pop(token.content.strip(), None) if _is_top_fence(token) else None
        if figure is None:
            run.append(token)
            continue
        parts += _text_parts(run)
        parts.append(BodyPart(figure=figure))
        run = []
    return (*parts, *_text_parts(run))


def plain_text(blocks: Sequence[dict[str, Any]]) -> str:
    """The words of a tree, paragraphs parted by blank lines, links as `words (address)`."""
    return "\n\n".join(text for block in blocks if (text := "\n".join(_lines(block))))


def _is_top_fence(token: Token) -> bool:
    return token.type == "fence" and token.level == 0


def _text_parts(tokens: list[Token]) -> list[BodyPart]:
    if not tokens:
        return []
    html = nh3.clean(
        _PARSER.renderer.render(tokens, _PARSER.options, {}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_absolute,
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer",
    )
    return [BodyPart(html=html, blocks=tuple(_blocks(SyntaxTreeNode(tokens).children)))]


def _absolute(tag: str, name: str, value: str) -> str | None:
    """Links lead to the web: what is relative in a note is a dead end in a page, book or mail."""
    return (safe_url(value) or None) if name == "href" else value


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        match node.type:
            case "paragraph" | "inline":
                yield {"kind": "paragraph", "inlines": _inlines(node)}
            case "heading":
                level = int(node.tag[1:]) - _HEADING_SHIFT
                yield {"kind": "heading", "level": level, "inlines": _inlines(node)}
            case "bullet_list" | "ordered_list":
                yield {
                    "kind": "list",
                    "ordered": node.type == "ordered_list",
                    "start": min(int(node.attrs.get("start", 1)), 1_000_000),
                    "items": [list(_blocks(item.children)) for item in node.children],
                }
            case "blockquote":
                yield {"kind": "quote", "blocks": list(_blocks(node.children))}
            case "fence" | "code_block":
                yield {"kind": "code", "text": node.content.rstrip("\n")}
            case "hr":
                yield {"kind": "rule"}
            case "table":
                rows = [row for part in node.children for row in part.children]
                yield {"kind": "table", "rows": [[_inlines(c) for c in r.children] for r in rows]}
            case _:
                yield from _blocks(node.children)


def _inlines(node: SyntaxTreeNode) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for child in node.children:
        if child.type == "inline":
            found += _inlines(child)
        elif child.type in _LEAVES:
            text = " " if child.type == "softbreak" else child.content
            found.append({"kind": _LEAVES[child.type], "text": text})
        elif child.type in _MARKS:
            found.append({"kind": _MARKS[child.type], "inlines": _inlines(child)})
        elif child.type == "link":
            url = safe_url(str(child.attrs.get("href", "")))
            kind = "link" if url else "span"
            found.append({"kind": kind, "url": url, "inlines": _inlines(child)})
        else:
            found.append({"kind": "text", "text": child.content})
    return found


def _lines(block: dict[str, Any]) -> list[str]:
    match block["kind"]:
        case "paragraph" | "heading":
            return _words(block["inlines"]).split("\n")
        case "list":
            lines: list[str] = []
            for number, item in enumerate(block["items"], start=block["start"]):
                mark = f"{number}. " if block["ordered"] else "- "
                inner = [line for part in item for line in _lines(part)]
                lines += [(mark if i == 0 else " " * len(mark)) + t for i, t in enumerate(inner)]
            return lines
        case "quote":
            return ["> " + line for part in block["blocks"] for line in _lines(part)]
        case "code":
            return ["    " + line for line in block["text"].split("\n")]
        case "table":
            return [" | ".join(_words(cell) for cell in row) for row in block["rows"]]
        case _:
            return ["-" * 20]


def _words(inlines: Sequence[dict[str, Any]]) -> str:
    words = ""
    for inline in inlines:
        if inline["kind"] == "break":
            words += "\n"
        elif "inlines" in inline:
            inner = _words(inline["inlines"])
            shown = inline.get("url") or inner
            words += inner if shown == inner else f"{inner} ({shown})"
        else:
            words += inline["text"]
    return words


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.core.ruler.push("kuaibao_fit", _fit)
    return parser


def _fit(state: Any) -> None:
    """Shift headings under those of the page, leaving no level out; turn images into links."""
    for token in state.tokens:
        if token.children:
            token.children = [new for child in token.children for new in _without_image(child)]
    state.tokens = _without_empty_headings(state.tokens)
    used = sorted({token.tag for token in state.tokens if token.type == "heading_open"})
    level = 0
    for token in state.tokens:
        if token.type == "heading_open":
            level = min(used.index(token.tag) + 1, level + 1, _MAX_HEADING)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{level + _HEADING_SHIFT}"


def _without_empty_headings(tokens: Sequence[Token]) -> list[Token]:
    """A heading without words (a lone `#`) says nothing, and an accessible PDF may not hold it."""
    kept: list[Token] = []
    for token in tokens:
        kept.append(token)
        if token.type == "heading_close" and not _has_words(kept[-2]):
            del kept[-3:]  # its opening, its words and its end
    return kept


def _has_words(inline: Token) -> bool:
    return any(child.content.strip() for child in inline.children or ())


def _without_image(token: Token) -> list[Token]:
    if token.type != "image":
        return [token]
    words = Token("text", "", 0, content=token.content.strip() or str(token.attrs.get("src", "")))
    opening = Token("link_open", "a", 1, attrs={"href": str(token.attrs.get("src", ""))})
    return [opening, words, Token("link_close", "a", -1)]


_PARSER = _make_parser()
