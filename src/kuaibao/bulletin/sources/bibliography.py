"""BibTeX and RIS records as papers; they come from libraries, publishers and reference managers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.identifiers import arxiv_in, doi_in
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.bulletin.sources.protocol import SourceSettings

__all__ = ["read_bibtex", "read_ris"]

MAX_RECORDS = 20_000
_RECORD = re.compile(r"@\s{0,10}\w{1,40}\s{0,10}[{(]")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number + 1 for number, name in enumerate(_MONTH_NAMES)}
_COMMAND = re.compile(
    r"\\(?:emph|textit|textbf|textsc|texttt|textrm|mathrm|url|href)\s*\{([^{}]*)\}"
)
_ACCENTED = re.compile(
    r"""\\(?:([`'^"~=.])\s*\{?|([uvHcrkbd])(?:\s+|\s*\{))"""
    r"""\s*(\\?[A-Za-z])\s*\}?"""
)
_COMBINING = {"`": "\u0300", "'": "\u0301", "^": "\u0302", '"': "\u0308", "~": "\u0303",
              "=": "\u0304", ".": "\u0307", "u": "\u0306", "v": "\u030c", "H": "\u030b",
              "c": "\u0327", "r": "\u030a", "k": "\u0328", "b": "\u0331",
              "d": "\u0323"}  # fmt: skip
_LETTERS = {r"\ss": "ß", r"\ae": "æ", r"\AE": "Æ", r"\oe": "œ", r"\OE": "Œ", r"\aa": "å",
            r"\AA": "Å", r"\o": "ø", r"\O": "Ø", r"\l": "ł", r"\L": "Ł", r"\i": "ı", r"\j": "ȷ",
            r"\&": "&", r"\%": "%", r"\$": "$", r"\#": "#", r"\_": "_", "~": "\u00a0",
            "---": "—", "--": "–", "``": "“", "''": "”"}  # fmt: skip


def read_bibtex(text: str, source_id: str, settings: SourceSettings, now: datetime) -> list[Entry]:
    """The records of a BibTeX file; what cannot be read is left out."""
    import logging

    from bibtexparser.entrypoint import parse_string

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    library = parse_string(_first_records(text))
    entries: list[Entry] = []
    for record in library.entries[:MAX_RECORDS]:
        fields = {name.lower(): str(f.value) for name, f in record.fields_dict.items()}
        entries.append(_from_fields(str(record.key), fields, source_id, settings, now))
    return entries


def _first_records(text: str) -> str:
    """As much as the parser gets: its time grows with the square of records left open."""
    starts = [match.start() for match in itertools.islice(_RECORD.finditer(text), MAX_RECORDS + 1)]
    return text[: starts[-1]] if len(starts) > MAX_RECORDS else text


def _from_fields(
    key: str, fields: Mapping[str, str], source_id: str, settings: SourceSettings, now: datetime
) -> Entry:
    plain = {name: untex(value) for name, value in fields.items()}
    url = fields.get("url", "").strip()
    doi = doi_in(fields.get("doi", "")) or doi_in(url)
    arxiv = _arxiv(fields)
    pairs = (("doi", doi), ("arxiv", arxiv), ("isbn", plain.get("isbn", "")))
    return Entry(
        source_id=source_id,
        entry_id=key,
        kind=settings.item_kind or "paper",
        title=one_line(plain.get("title", "")),
        url=url or (f"https://doi.org/{doi}" if doi else ""),
        authors=_bibtex_names(plain.get("author", "") or plain.get("editor", "")),
        published=_year_month(plain.get("year") or plain.get("date", ""), plain.get("month", "")),
        language=settings.language,
        summary=plain_text(plain.get("abstract", "")),
        categories=_words(plain.get("keywords", "")),
        identifiers=tuple((scheme, value) for scheme, value in pairs if value),
        venue=one_line(plain.get("journal") or plain.get("journaltitle") or plain.get("booktitle")
                       or plain.get("publisher", "")),
        licence=settings.licence,
        retrieved=now,
    )  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(one_line(word) for word in re.split(r"[,;]", text) if word.strip())


def _arxiv(fields: Mapping[str, str]) -> str:
    if fields.get("archiveprefix", fields.get("eprinttype", "")).lower() == "arxiv":
        return fields.get("eprint", "").strip().lower()
    return arxiv_in(" ".join(fields.get(n, "") for n in ("url", "journal", "note", "eprint")))


def untex(text: str) -> str:
    """LaTeX of a bibliography as Unicode: accents, letters, dashes; braces dropped."""
    if "\\" in text:
        text = _COMMAND.sub(r"\1", text)
        text = _ACCENTED.sub(_accented, text)
    for mark, letter in _LETTERS.items():
        if mark in text:
            pattern = re.escape(mark) + (r"(?![A-Za-z])\s*(?:\{\})?" if mark[-1].isalpha() else "")
            text = re.sub(pattern, letter, text)
    import unicodedata

    return unicodedata.normalize("NFC", text.replace("{", "").replace("}", "")).replace(
        "\u00a0", " "
    )


def _accented(match: re.Match[str]) -> str:
    mark = match.group(1) or match.group(2)
    return match.group(3).lstrip("\\") + _COMBINING[mark]


def _bibtex_names(text: str) -> tuple[str, ...]:
    """`Last, First and First Last` → names as they are spoken."""
    names: list[str] = []
    for part in re.split(r"\s+and\s+", text.strip()):
        last, comma, first = part.partition(",")
        name = f"{first.strip()} {last.strip()}" if comma else part
        if name.strip() and name.strip().lower() != "others":
            names.append(one_line(name))
    return tuple(names)


def _year_month(year_text: str, month_text: str = "") -> PartialDate | None:
    match = re.match(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?", year_text.strip())
    if match is None:
        return None
    year, month, day = (int(g) if g else 0 for g in match.groups())
    if not month and month_text:
        word = month_text.strip().lower()[:3]
        month = _MONTHS.get(word) or (int(word) if word.isdigit() and 1 <= int(word) <= 12 else 0)
    try:
        value = datetime(year, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return None
    return PartialDate(value=value, zone="",
                       precision="day" if day else "month" if month else "year")  # fmt: skip


def read_ris(text: str, source_id: str, settings: SourceSettings, now: datetime) -> list[Entry]:
    """The records of a RIS file; lines without a tag continue the line above."""
    found = [
        _from_ris(record, number, source_id, settings, now)
        for number, record in enumerate(_ris_records(text))
    ]
    return [entry for entry in found if entry.title]


def _ris_records(text: str) -> Iterator[dict[str, list[str]]]:
    record: dict[str, list[str]] = {}
    tag, n_record = "", 0
    value: list[str] = []
    for line in text.lstrip("\ufeff").splitlines():
        match = re.match(r"([A-Z][A-Z0-9])  ?- ?(.*)", line)
        if match is None:
            if tag and line.strip():
                value.append(line.strip())
            continue
        if tag:
            record.setdefault(tag, []).append(" ".join(value))
        tag, value = match.group(1), [match.group(2).strip()]
        if tag == "ER":
            yield record
            record, tag, n_record = {}, "", n_record + 1
            if n_record >= MAX_RECORDS:
                return
    if tag:
        record.setdefault(tag, []).append(" ".join(value))
    if record:
        yield record


def _from_ris(
    record: Mapping[str, list[str]],
    number: int,
    source_id: str,
    settings: SourceSettings,
    now: datetime,
) -> Entry:
    def first(*tags: str) -> str:
        return next((record[tag][0] for tag in tags if record.get(tag)), "")

    doi = doi_in(first("DO")) or doi_in(first("UR", "L1", "L2"))
    isbn = first("SN") if len(re.sub(r"\D", "", first("SN"))) in (10, 13) else ""
    arxiv = next((a for tag in ("UR", "L1", "AN", "JO") for a in map(arxiv_in, record.get(tag, ()))
                  if a), "")  # fmt: skip
    pairs = (("doi", doi), ("arxiv", arxiv), ("isbn", isbn))
    authors = record.get("AU") or record.get("A1") or record.get("A2") or []
    return Entry(
        source_id=source_id,
        entry_id=first("ID", "AN") or doi or first("TI", "T1") or str(number),
        kind=settings.item_kind or "paper",
        title=one_line(first("TI", "T1", "BT", "CT")),
        url=first("UR", "L2") or (f"https://doi.org/{doi}" if doi else ""),
        authors=tuple(name for author in authors for name in _bibtex_names(author)),
        published=_year_month(first("DA").rstrip("/") or first("PY", "Y1").rstrip("/")),
        language=settings.language or first("LA").lower()[:2],
        summary=plain_text(first("AB", "N2")),
        categories=tuple(one_line(k) for k in record.get("KW", ())),
        identifiers=tuple((scheme, value) for scheme, value in pairs if value),
        venue=one_line(first("T2", "JO", "JF", "JA", "PB")),
        licence=settings.licence,
        retrieved=now,
    )
