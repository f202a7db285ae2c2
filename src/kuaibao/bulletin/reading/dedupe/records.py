"""Records as others write them (JSON Lines, CSL, API answers) in one small shape."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from kuaibao.bulletin.reading.same_story import canonical_url
from kuaibao.bulletin.sources.identifiers import arxiv_in, doi_in
from kuaibao.bulletin.sources.markup import plain_text
from kuaibao.database import fold
from kuaibao.errors import InputError, Place

__all__ = ["Record", "make_record", "read_records", "surname"]

MAX_LINE = 5_000_000
MAX_TEXT = 4_000
"""Characters of a text that are compared: the beginning tells two stories apart."""
_ID_NAMES = (
    "id", "record_id", "recordid", "rec_id", "key", "_id", "uid", "uuid", "item_id", "paper_id",
    "paperid", "entry_id", "guid", "identifier", "pid",
)  # fmt: skip
_TITLE_NAMES = (
    "title", "headline", "name", "document_title", "primary_title", "ti",
)  # fmt: skip
_AUTHOR_NAMES = (
    "authors", "author", "creators", "creator", "authorships", "author_names", "au", "by",
    "byline",
)  # fmt: skip
_TEXT_NAMES = (
    "abstract", "text", "summary", "content", "body", "description", "abstractnote", "fulltext",
    "full_text", "article", "content_text", "tldr", "ab",
)  # fmt: skip
_DATE_NAMES = (
    "date", "published", "year", "publication_date", "pub_date", "pubdate", "issued",
    "date_published", "published_at", "created", "publication_year", "py",
)  # fmt: skip
_URL_NAMES = (
    "url", "link", "href", "urls", "links", "canonical_url", "landing_page_url", "uri",
)  # fmt: skip
_DOI_NAMES = ("doi", "dois")
_ARXIV_NAMES = ("arxiv", "arxiv_id", "arxivid", "eprint", "arxiv_number")
_PMID_NAMES = ("pmid", "pubmed", "pubmed_id", "pubmedid")
_FAMILY_NAMES = ("family", "lastname", "last", "surname", "last_name")
_FULL_NAMES = ("name", "display_name", "fullname", "full_name", "literal")
_NESTED = ("externalids", "external_ids", "identifiers", "ids")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
_DAY = re.compile(r"((?:19|20)\d{2})[-/.]?(\d{2})[-/.]?(\d{2})")
_ARXIV = re.compile(
    r"(?i)^(?:arxiv[:.]\s*)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?$"
)
_PREPRINT_VERSION = re.compile(r"(?<=[\d.])(?:/?v\d+|\.v\d+)$")
_SPLIT = re.compile(r"\s*(?:;|\||；|、|\s&\s|\sand\s)\s*")
_ET_AL = re.compile(r"(?i)\bet\.?\s+al\.?|\betc\.?$|等$")
_INITIALS = re.compile(r"^[A-Z]{1,3}$|^(?:[A-Z]\.[- ]?){1,4}$")
_HAN = re.compile("[\u4e00-\u9fff]")
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md"})


class Record(NamedTuple):
    """What is compared; empty where the record says nothing."""

    record_id: Any
    """As it was given: a number stays one."""
    title: str = ""
    surnames: frozenset[str] = frozenset()
    first_surname: str = ""
    doi: str = ""
    arxiv: str = ""
    """Without its version."""
    pmid: str = ""
    urls: tuple[str, ...] = ()
    """In one spelling each."""
    year: int = 0
    day: str = ""
    """ISO; empty where only the year is known."""
    text: str = ""


def read_records(path: str | Path) -> Iterator[Record]:
    """Records of a file: JSON Lines, one JSON array, or an object that holds one.

    Raises:
        InputError: It is not there, or a line is no JSON object; the message names the line.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            start = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(b"["):
            yield from _from_array(file)
            return
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield make_record(_object(line, file, number), number)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}") from error


def _from_array(file: Path) -> Iterator[Record]:
    try:
        values = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: no JSON ({error})") from error
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise InputError(f"{file}: record {number} is no JSON object")
        yield make_record(value, number)


def _object(line: bytes, file: Path, number: int) -> dict[str, Any]:
    place = Place(file=str(file), line=number)
    if len(line) > MAX_LINE:
        raise InputError(f"a record longer than {MAX_LINE:,} bytes", place=place)
    try:
        value = json.loads(line.lstrip(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON: {error}", place=place, hint="One object a line.") from error
    if not isinstance(value, dict):
        raise InputError("a record is a JSON object", place=place, hint="One object a line.")
    return value


def make_record(raw: dict[str, Any], number: int = 0) -> Record:
    """A record from an object with any of the usual field names; `number` is its id without one."""
    fields = {str(k).lower().replace("-", "_").replace(" ", "_"): v for k, v in raw.items()}
    nested = {
        str(k).lower(): v
        for name in _NESTED
        if isinstance(holder := fields.get(name), dict)
        for k, v in holder.items()
    }
    fields = {**nested, **fields}
    identity = next((fields[n] for n in _ID_NAMES if isinstance(fields.get(n), str | int)), number)
    addresses = [text for name in _URL_NAMES for text in _texts(fields.get(name))]
    given = _first(fields, _DOI_NAMES)
    doi = _doi(given) or next((d for a in addresses if "doi.org/" in a and (d := _doi(a))), "")
    arxiv = _arxiv(_first(fields, _ARXIV_NAMES)) or next(
        (_arxiv(n) for a in addresses if (n := arxiv_in(a))), ""
    )
    if not arxiv and isinstance(identity, str) and identity.lower().startswith("arxiv:"):
        arxiv = _arxiv(identity)
    if doi.startswith("10.48550/arxiv."):
        arxiv, doi = arxiv or _arxiv(doi.removeprefix("10.48550/arxiv.")), ""
    names = _names(next((fields[n] for n in _AUTHOR_NAMES if fields.get(n)), None))
    surnames = [s for name in names if (s := surname(name))]
    date = next((fields[n] for n in _DATE_NAMES if fields.get(n)), "")
    year, day = _date(date)
    text = next((t for n in _TEXT_NAMES for t in _texts(fields.get(n)) if t.strip()), "")
    title = next((t for n in _TITLE_NAMES for t in _texts(fields.get(n)) if t.strip()), "")
    return Record(
        record_id=identity,
        title=" ".join(_plain(title).split())[:1000],
        surnames=frozenset(surnames),
        first_surname=surnames[0] if surnames else "",
        doi=doi,
        arxiv=arxiv,
        pmid=re.sub(r"\D", "", _first(fields, _PMID_NAMES)),
        urls=tuple(dict.fromkeys(u for a in addresses if (u := canonical_url(a)))),
        year=year,
        day=day,
        text=_plain(text[: 3 * MAX_TEXT])[:MAX_TEXT],
    )


def _plain(text: str) -> str:
    return plain_text(text) if "<" in text or "&" in text else text


def _first(fields: dict[str, Any], names: Iterable[str]) -> str:
    return next((t for n in names for t in _texts(fields.get(n)) if t.strip()), "")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [str(value)]
    if isinstance(value, list):
        return [text for one in value[:100] for text in _texts(one)]
    if isinstance(value, dict):
        return [
            t for k in ("href", "url", "value", "id", "name", "title") for t in _texts(value.get(k))
        ]
    return []


def _doi(text: str) -> str:
    """One spelling of a DOI, without the version of a preprint."""
    doi = doi_in(unquote(text).strip()) if text else ""
    is_preprint = doi.startswith(("10.1101/", "10.21203/", "10.26434/", "10.20944/"))
    return _PREPRINT_VERSION.sub("", doi) if is_preprint else doi


def _arxiv(text: str) -> str:
    match = _ARXIV.match(text.strip()) if text else None
    found = match.group(1) if match else arxiv_in(text)
    return re.sub(r"v\d+$", "", found.lower())


def _names(value: Any) -> list[str]:
    """People from a list, objects, or one text."""
    if isinstance(value, str):
        return _names_in_text(_ET_AL.sub("", value))
    if isinstance(value, dict):
        value = [value]
    names: list[str] = []
    for one in value if isinstance(value, list) else []:
        if isinstance(one, str):
            names += [_ET_AL.sub("", one).strip()]
        elif isinstance(one, dict):
            author = one.get("author")
            inner = author if isinstance(author, dict) else one
            fields = {str(k).lower(): v for k, v in inner.items()}
            family = _first_of(fields, _FAMILY_NAMES)
            name = _first_of(fields, _FULL_NAMES)
            names.append(f"{family}," if family else name)
    return [name for name in names if name][:200]


def _first_of(fields: dict[str, Any], names: Iterable[str]) -> str:
    return next((fields[n] for n in names if isinstance(fields.get(n), str)), "")


def _names_in_text(text: str) -> list[str]:
    parts = [part for part in _SPLIT.split(text) if part.strip()]
    if len(parts) == 1 and "," in text:
        pieces = [p.strip() for p in text.split(",") if p.strip()]
        if not pieces:
            return []
        is_inverted = (
            len(pieces) % 2 == 0
            and all(_INITIALS.match(p) or len(p.split()) == 1 for p in pieces[1::2])
            and all(len(p.split()) <= 2 for p in pieces[::2])
            and len(pieces[0].split()) == 1
        )
        if is_inverted and not any(_HAN.search(p) for p in pieces):
            return [f"{a}, {b}" for a, b in zip(pieces[::2], pieces[1::2], strict=True)]
        return pieces
    return [name for part in parts for name in ([part] if part.count(",") < 2 else part.split(","))]


def surname(name: str) -> str:
    """A folded family name: of "Ann Lee", "Lee, Ann", "Lee A"; a Chinese name whole."""
    name = name.strip()
    if _HAN.search(name):
        return "".join(c for c in fold(name) if c.isalpha())
    if "," in name:
        words = name.split(",")[0].split()
        chosen = words[-1] if words else ""
    else:
        words = [w for w in name.split() if w.strip(".").lower() not in _SUFFIXES]
        if len(words) > 1 and _INITIALS.match(words[-1]) and not _INITIALS.match(words[0]):
            words = words[:-1]
        chosen = words[-1] if words else ""
    plain = unicodedata.normalize("NFKD", chosen.lower().replace("ß", "ss").replace("ø", "o"))
    return "".join(c for c in plain if c.isalpha())


def _date(value: Any) -> tuple[int, str]:
    if isinstance(value, dict):  # CSL
        value = value.get("date-parts") or value.get("raw") or ""
    if isinstance(value, list):
        flat = value[0] if value and isinstance(value[0], list) else value
        value = "-".join(f"{n:02}" if isinstance(n, int) else str(n) for n in flat)
    text = str(value)[:60]
    year = _YEAR.search(text)
    day = _DAY.match(text.strip())
    return (
        int(year.group(1)) if year else 0,
        f"{day.group(1)}-{day.group(2)}-{day.group(3)}" if day else "",
    )
