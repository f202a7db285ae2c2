"""From markup to plain text, in one pass over the tokens: no tree, so depth costs nothing."""

from __future__ import annotations

import html
import re

__all__ = ["one_line", "plain_text"]

_TOKEN = re.compile(r"<!--.*?(?:-->|\Z)|<(/?)([A-Za-z][A-Za-z0-9:-]*)[^<>]*>", re.DOTALL)
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_PARAGRAPHS = _BLOCKS - {"br", "td", "th", "li", "dd", "dt", "tr"}
_SILENT = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe", "head"})
_BLANK = re.compile(r"[ \t\r\f\v\xa0]+")
_BREAKS = re.compile(r" *\n *")
_PARAGRAPH = re.compile(r"\n{2,}")


def plain_text(markup: str) -> str:
    """The text of a piece of HTML: paragraphs parted by blank lines, lines by line feeds."""
    if "<" not in markup:
        return _tidy(html.unescape(markup))
    parts: list[str] = []
    end, silent = 0, ""
    for match in _TOKEN.finditer(markup):
        if not silent:
            parts.append(_flow(markup[end : match.start()]))
        end = match.end()
        name = (match.group(2) or "").lower()
        closing = bool(match.group(1))
        if silent:
            silent = "" if closing and name == silent else silent
        elif name in _SILENT and not closing:
            silent = name if not match.group(0).endswith("/>") else ""
        elif name in _PARAGRAPHS:
            parts.append("\n\n")
        elif name in _BLOCKS:
            parts.append("\n")
    if not silent:
        parts.append(_flow(markup[end:]))
    return _tidy("".join(parts))


def _flow(text: str) -> str:
    """Line breaks of the source are blanks."""
    return html.unescape(text.replace("\n", " "))


def _tidy(text: str) -> str:
    return _PARAGRAPH.sub("\n\n", _BREAKS.sub("\n", _BLANK.sub(" ", text))).strip()


def one_line(text: str) -> str:
    """All runs of blanks and breaks as one blank: for titles and names."""
    return " ".join(text.split())
