"""The papers as BibTeX: escaped for TeX, with unique keys, DOI and arXiv numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from kuaibao.bulletin.model import Entry, Issue
from kuaibao.bulletin.publishing.catalogue import local_time
from kuaibao.bulletin.publishing.cleaning import clean_line, safe_url
from kuaibao.bulletin.publishing.identity import urn

__all__ = ["render_bibtex"]

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}",
    "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip
_PROCEEDINGS = re.compile(
    r"\b(proc\.|proceedings|conference|workshop|symposium|congress)|会议|大会|论文集", re.IGNORECASE
)
_STOP_WORDS = {"a", "an", "the", "on", "of", "for", "in", "to", "and", "with", "from", "by"}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def render_bibtex(issue: Issue) -> bytes:
    """One entry a paper, in print order; an empty issue gives an empty file."""
    taken: set[str] = set()
    entries: list[str] = []
    for section in issue.sections:
        for item in section.items:
            if item.item.lead.kind == "paper":
                key = _unique(_key(item.item.lead), taken)
                entries.append(_entry(item.item.lead, key))
    return "\n".join(entries).encode("utf-8")


def _entry(paper: Entry, key: str) -> str:
    venue = clean_line(paper.venue)
    is_proceedings = bool(_PROCEEDINGS.search(venue))
    kind = ("inproceedings" if is_proceedings else "article") if venue else "misc"
    place = "booktitle" if is_proceedings else "journal"
    fields = [
        ("title", "{" + _escaped(clean_line(paper.title)) + "}"),
        ("author", " and ".join(_authors(paper))),
        *((place, _escaped(venue)) for _ in range(bool(venue))),
        *_date(paper),
        *_identifiers(paper),
        ("url", safe_url(paper.url)),
        ("langid", _escaped(clean_line(paper.language))),
    ]
    filled = ((name, value) for name, value in fields if value not in {"", "{}"})
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in filled)
    return f"@{kind}{{{key},\n{body}}}\n"


def _authors(paper: Entry) -> Iterator[str]:
    """Names; those of bodies in braces, or `and` and commas would cut them."""
    for author in paper.authors:
        name = clean_line(author)
        if not name:
            continue
        body = re.search(r"\band\b|&", name, re.IGNORECASE) or name.count(",") > 2
        yield "{" + _escaped(name) + "}" if body else _escaped(name)


def _date(paper: Entry) -> Iterator[tuple[str, str]]:
    moment = paper.published or paper.updated
    if not moment:
        return
    value = local_time(moment)
    yield "year", str(value.year)
    if moment.precision != "year":
        yield "month", _MONTHS[value.month - 1]


def _identifiers(paper: Entry) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for scheme, value in paper.identifiers:
        name, value = clean_line(scheme).lower(), clean_line(value)
        if not value or name in seen:
            continue
        seen.add(name)
        if name == "doi":
            yield "doi", _escaped(value)
        elif name == "arxiv":
            yield "eprint", _escaped(value)
            yield "archiveprefix", "arXiv"
        elif name in {"isbn", "issn"}:
            yield name, _escaped(value)


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _key(paper: Entry) -> str:
    """`zhang2020gap`: family name, year, first telling word; a hash where no letters are ASCII."""
    family = ""
    if paper.authors:
        name = clean_line(paper.authors[0])
        family = _letters(name.split(",")[0] if "," in name else (name.split() or [""])[-1])
    moment = paper.published or paper.updated
    year = str(local_time(moment).year) if moment else ""
    words = (_letters(word) for word in clean_line(paper.title).split())
    word = next((w for w in words if len(w) > 1 and w not in _STOP_WORDS), "")
    if not family and not word:
        word = "x" + urn("paper", paper.source_id, paper.entry_id, paper.title)[-8:]
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
