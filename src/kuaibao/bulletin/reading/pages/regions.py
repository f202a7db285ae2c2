"""Which part of a page holds its article: hints that the extractor is given."""

from __future__ import annotations

import re
from typing import Any

from kuaibao.bulletin.sources.markup import one_line

__all__ = ["as_html", "flatten_layout_tables", "whole_region"]

_BLOCKS = ("p", "h1", "h2", "h3", "ul", "table")
_AROUND = frozenset({"nav", "footer", "aside", "header", "form"})
_AROUND_MARK = re.compile(
    r"(?i)comment|related|recommend|sidebar|widget|footer|(?:^|[\s_-])(?:nav|menu|share|more)(?:$|[\s_-])"
)
MIN_ITEM = 30
"""Characters of a list item that is prose rather than a menu."""
MAX_NODES = 5_000
MAX_DEPTH = 60


def flatten_layout_tables(tree: Any) -> bool:
    """Make plain divisions of tables that only set the page: cells of headings and paragraphs.

    Returns:
        Whether there was one.
    """
    tables: dict[Any, None] = {}
    for n, cell in enumerate(tree.iter("td")):
        if n > MAX_NODES:
            break
        kinds = [child.tag for child in cell.iterchildren(*_BLOCKS)]
        if kinds.count("p") > 1 or len(set(kinds)) > 1:
            above = cell.getparent()
            for _ in range(3):
                if above is None or above.tag == "table":
                    break
                above = above.getparent()
            if above is not None and above.tag == "table":
                tables.setdefault(above)
    for table in tables:
        parts = list(table.iterchildren("tbody", "thead", "tfoot"))
        rows = [row for part in [table, *parts] for row in part.iterchildren("tr")]
        cells = [cell for row in rows for cell in row.iterchildren("td", "th")]
        for node in (table, *parts, *rows, *cells):
            node.tag = "div"
    return bool(tables)


def whole_region(tree: Any, text: str) -> str:
    """The page with the element marked as its article that holds all paragraphs found.

    Empty where the extractor left out no list of prose within it.
    """
    lines = {one_line(line) for line in text.split("\n") if len(line) > MIN_ITEM}
    found: list[Any] = []
    for n, paragraph in enumerate(tree.iter("p")):
        if n > MAX_NODES:
            break
        if one_line("".join(paragraph.itertext())) in lines:
            found.append(paragraph)
    if len(found) < 2:
        return ""
    region = _common(found[0], found[-1])
    if region is None or region.tag not in ("div", "section", "main"):
        return ""
    if not any(_is_left_out(item, text) for item in list(region.iter("li"))[:200]):
        return ""
    tag, region.tag = region.tag, "article"
    try:
        return as_html(tree)
    finally:
        region.tag = tag


def _common(first: Any, last: Any) -> Any:
    above = [node for node, _ in zip(first.iterancestors(), range(MAX_DEPTH), strict=False)]
    known = set(above)
    for node, _ in zip(last.iterancestors(), range(MAX_DEPTH), strict=False):
        if node in known:
            return node
    return None


def _is_left_out(item: Any, text: str) -> bool:
    """A list item of prose that the text lacks, and that is no menu, comment or footer."""
    line = one_line("".join(item.itertext()))
    if not MIN_ITEM < len(line) < 2_000 or line in text:
        return False
    if 2 * sum(len("".join(a.itertext())) for a in item.iter("a")) > len(line):
        return False
    around = zip([item, *item.iterancestors()], range(MAX_DEPTH), strict=False)
    return not any(
        node.tag in _AROUND or _AROUND_MARK.search(f"{node.get('class', '')} {node.get('id', '')}")
        for node, _ in around
    )


def as_html(tree: Any) -> str:
    """The tree as text again."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

    return etree.tostring(tree, encoding="unicode", method="html")
