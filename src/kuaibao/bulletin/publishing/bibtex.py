"""The papers as BibTeX: escaped for TeX, with unique keys, DOI and arXiv numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from kuaibao.bulletin.model import Issue
from kuaibao.bulletin.publishing.identity import urn
from kuaibao.bulletin.publishing.references import Author, Reference, references_of

__all__ = ["render_bibtex"]

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}",
    "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip
_KINDS = {
    "article": ("article", "journal"), "proceedings": ("inproceedings", "booktitle"),
    "other": ("misc", ""),
}  # fmt: skip
_STOP_WORDS = {"a", "an", "the", "on", "of", "for", "in", "to", "and", "with", "from", "by"}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def render_bibtex(issue: Issue) -> bytes:
    """One entry a paper, in print order; an empty issue gives an empty file."""
    taken: set[str] = set()
    entries = [_entry(paper, _unique(_key(paper), taken)) for paper in references_of(issue)]
    return "\n".join(entries).encode("utf-8")


def _entry(paper: Reference, key: str) -> str:
    kind, place = _KINDS[paper.kind]
    fields = [
        ("title", "{" + _escaped(paper.title) + "}"),
        ("author", " and ".join(map(_author, paper.authors))),
        (place, _escaped(paper.venue)),
        ("year", str(paper.year or "")),
        ("month", _MONTHS[paper.month - 1] if paper.month else ""),
        *_identifiers(paper),
        ("url", paper.url),
        ("langid", _escaped(paper.language)),
    ]
    filled = ((name, value) for name, value in fields if name and value not in {"", "{}"})
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in filled)
    return f"@{kind}{{{key},\n{body}}}\n"


def _author(author: Author) -> str:
    """The name; of a body in braces, or `and` and commas would cut it."""
    name = _escaped(author.name)
    return "{" + name + "}" if author.is_body else name


def _identifiers(paper: Reference) -> Iterator[tuple[str, str]]:
    for scheme, value in paper.identifiers.items():
        if scheme == "arxiv":
            yield "eprint", _escaped(value)
            yield "archiveprefix", "arXiv"
        elif scheme in {"doi", "isbn", "issn"}:
            yield scheme, _escaped(value)


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _key(paper: Reference) -> str:
    """`zhang2020gap`: family name, year, first telling word; a hash where no letters are ASCII."""
    family = ""
    if paper.authors:
        name = paper.authors[0].name
        family = _letters(name.split(",")[0] if "," in name else (name.split() or [""])[-1])
    year = str(paper.year or "")
    words = (_letters(word) for word in paper.title.split())
    word = next((w for w in words if len(w) > 1 and w not in _STOP_WORDS), "")
    if not family and not word:
        word = "x" + urn("paper", *paper.identity, paper.title)[-8:]
    return f"{family}{year}{word}" if family else f"{word}{year}"


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]", "", plain.lower())[:40]


def _unique(key: str, taken: set[str]) -> str:
    """`key`, or `key-2`, `key-3` … if it is taken; keys are compared as BibTeX does."""
    number, candidate = 1, key
    while candidate in taken:
        number += 1
        candidate = f"{key}-{number}"
    taken.add(candidate)
    return candidate
