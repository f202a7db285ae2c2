"""Paragraphs of Markdown, LaTeX and HTML with their places, and figures put beside them."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["KINDS", "Paragraph", "Placed", "paragraphs_of", "with_figures"]

KINDS = {".md": "markdown", ".markdown": "markdown", ".tex": "latex", ".html": "html",
         ".htm": "html"}  # fmt: skip


@dataclass(frozen=True)
class Paragraph:
    """One paragraph: its text with formulas in dollars, and where it stands in the document."""

    text: str
    start: int
    end: int
    line: int


@dataclass(frozen=True)
class Placed:
    """A figure for a paragraph."""

    number: int
    svg: str
    file: str
    """Relative address of the picture's file, for Markdown and LaTeX."""
    caption: str


_BLOCKS = {
    "markdown": re.compile(
        r"(?P<skip>^(?:```|~~~)[\s\S]*?^(?:```|~~~)[ \t]*$|^[ \t]*#[^\n]*$"
        r"|^<[\s\S]*?(?:\n[ \t]*\n|\Z))"
        r"|(?P<text>(?:^(?!```|~~~|[ \t]*#)[ \t]*\S[^\n]*(?:\n|\Z))+)",
        re.MULTILINE,
    ),
    "latex": re.compile(
        r"(?P<skip>\\begin\{(?P<env>verbatim|lstlisting|figure|tikzpicture)\*?\}[\s\S]*?"
        r"\\end\{(?P=env)\*?\}|^[ \t]*%[^\n]*$"
        r"|\\(?:document|part|chapter|(?:sub)*section|title|author|use|new|label|begin\{document)"
        r"[^\n]*)"
        r"|(?P<text>(?:^(?!\\(?:begin|end)\{)[ \t]*[^\s%][^\n]*(?:\n|\Z))+)",
        re.MULTILINE,
    ),
    "html": re.compile(
        r"(?P<skip><!--[\s\S]*?-->|<(?P<tag>script|style|pre|svg|head|figure)\b[\s\S]*?</(?P=tag)\s*>)"
        r"|(?P<text><(?P<block>p|li|dd|blockquote)\b[^>]*>(?:(?!<(?:p|li|dd|blockquote)\b)[\s\S])*?"
        r"</(?P=block)\s*>)",
        re.IGNORECASE,
    ),
}
_MATH = (
    (re.compile(r"\$\$([\s\S]*?)\$\$|\\\[([\s\S]*?)\\\]"), r"$\1\2$"),
    (re.compile(r"\\\(([\s\S]*?)\\\)"), r"$\1$"),
)


def paragraphs_of(document: str, kind: str) -> list[Paragraph]:
    """The paragraphs of a document, code and headings left out.

    Args:
        document: Its text.
        kind: `markdown`, `latex` or `html`.
    """
    found: list[Paragraph] = []
    line, counted = 1, 0
    for match in _BLOCKS[kind].finditer(document):
        if match["text"] is None:
            continue
        line += document.count("\n", counted, match.start())
        counted = match.start()
        end = match.start() + len(match["text"].rstrip())
        found.append(Paragraph(_readable(match["text"], kind), match.start(), end, line))
    return found


def _readable(text: str, kind: str) -> str:
    if kind == "html":
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    if kind == "latex":
        text = re.sub(r"(?<!\\)%[^\n]*", "", text).replace("~", " ")
        text = re.sub(r"\\(?:emph|textbf|textit|text)\{([^{}]*)\}", r"\1", text)
    if kind == "markdown":
        text = re.sub(r"`[^`\n]*`", "", text)
        text = re.sub(r"(?<![\w*])\*\*?([^*\n]+)\*\*?", r"\1", text)
    for pattern, shown in _MATH:
        text = pattern.sub(shown, text)
    return re.sub(r"\s+", " ", text).strip()


def with_figures(
    document: str,
    kind: str,
    paragraphs: Sequence[Paragraph],
    placed: Mapping[int, Sequence[Placed]],
) -> str:
    """The document with each figure behind its paragraph, the two linked both ways.

    Args:
        document: Its text.
        kind: `markdown`, `latex` or `html`.
        paragraphs: As `paragraphs_of` gave them.
        placed: Figures by the number of their paragraph.
    """
    parts: list[str] = []
    at = 0
    for number, paragraph in enumerate(paragraphs):
        figures = placed.get(number, ())
        if not figures:
            continue
        parts.append(document[at : paragraph.start])
        text = document[paragraph.start : paragraph.end]
        parts.append(_SETTERS[kind](text, figures))
        at = paragraph.end
    parts.append(document[at:])
    return "".join(parts)


def _in_markdown(text: str, figures: Sequence[Placed]) -> str:
    marks = "".join(f'<a id="statement-{one.number}"></a>' for one in figures)
    links = " ".join(f"([{one.number}](#figure-{one.number}))" for one in figures)
    shown = "".join(
        f'\n\n<a id="figure-{one.number}"></a>\n[![{_escaped(one.caption)}]({one.file})]'
        f"(#statement-{one.number})"
        for one in figures
    )
    return f"{marks}{text} {links}{shown}"


def _in_latex(text: str, figures: Sequence[Placed]) -> str:
    links = ", ".join(f"\\ref{{fig:kuaibao-{one.number}}}" for one in figures)
    shown = "".join(
        "\n\n\\begin{figure}[htbp]\n  \\centering\n"
        f"  \\includegraphics[width=0.6\\linewidth]{{{one.file}}}\n"
        f"  \\caption{{{_tex(one.caption)} (see p.~\\pageref{{stm:kuaibao-{one.number}}})}}\n"
        f"  \\label{{fig:kuaibao-{one.number}}}\n\\end{{figure}}"
        for one in figures
    )
    marks = "".join(f"\\label{{stm:kuaibao-{one.number}}}" for one in figures)
    return f"{text}{marks} (Figure~{links}){shown}"


def _in_html(text: str, figures: Sequence[Placed]) -> str:
    marks = "".join(f'<a id="statement-{one.number}"></a>' for one in figures)
    links = "".join(
        f' <a href="#figure-{one.number}" class="kuaibao-figure">({one.number})</a>'
        for one in figures
    )
    opening = text.index(">") + 1
    closing = text.rindex("</")
    inner = text[:opening] + marks + text[opening:closing].rstrip() + links + text[closing:]
    shown = "".join(
        f'\n<figure id="figure-{one.number}">\n{_sized(one.svg)}\n<figcaption>'
        f'<a href="#statement-{one.number}">{one.number}</a>. {html.escape(one.caption)}'
        "</figcaption></figure>"
        for one in figures
    )
    is_item = re.match(r"<(?:li|dd)\b", text, re.IGNORECASE) is not None
    # a list holds nothing but items: the figure goes inside
    closing = inner.rindex("</")
    return inner[:closing] + shown + inner[closing:] if is_item else inner + shown


_SETTERS = {"markdown": _in_markdown, "latex": _in_latex, "html": _in_html}


def _sized(svg: str) -> str:
    """Never larger than it was laid out."""
    view = re.search(r'viewBox="\S+ \S+ ([\d.]+) ', svg)
    width = view[1] if view else "480"
    style = f'style="max-width:{width}px;width:100%;height:auto"'
    return svg.strip().replace("<svg ", f"<svg {style} ", 1)


def _escaped(text: str) -> str:
    return re.sub(r"([\\\[\]])", r"\\\1", text)


def _tex(text: str) -> str:
    return re.sub(r"(?<!\\)([&%#_])", r"\\\1", text)
