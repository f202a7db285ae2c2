"""A reader's library: Zotero by its interface (kind `zotero`), or a file of BibTeX, RIS, CSL JSON.

As a source it gives what was added; as a profile (`read_library`) it says what its owner reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources.asking import conclude, guarded, newest_first
from kuaibao.bulletin.sources.bibliography import read_bibtex, read_ris
from kuaibao.bulletin.sources.feeds.dates import parse_date, partial_date
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.files import MAX_FILE_BYTES, read_bytes
from kuaibao.bulletin.sources.identifiers import arxiv_in, doi_in
from kuaibao.bulletin.sources.json_api import (
    address,
    ask_json,
    items_of,
    partial_day,
    secret,
    text_at,
)
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)
from kuaibao.errors import InputError

__all__ = ["ZoteroSettings", "ZoteroSource", "read_library"]

PAGE = 100


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class ZoteroSettings(SourceSettings):
    """Whose library."""

    library_id: int
    """Number of the user or the group."""
    library_type: Literal["user", "group"] = "user"
    """Whose number it is."""
    collection: str = ""
    """Key of a collection; the whole library if not given."""
    key_env: str = ""
    """Name of the environment variable that holds a key; public libraries need none."""
    base_url: str = "https://api.zotero.org"
    """Of the interface."""


@dataclass(frozen=True)
class ZoteroSource:
    """A Zotero library."""

    source_id: str
    settings: ZoteroSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "zotero"
    settings_type: ClassVar[type[ZoteroSettings]] = ZoteroSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for what was added last."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        s = self.settings
        place = f"{s.library_type}s/{s.library_id}"
        place += f"/collections/{s.collection}" if s.collection else ""
        key = secret(context, s.key_env)
        headers = {"Zotero-API-Version": "3"} | ({"Zotero-API-Key": key} if key else {})
        entries: list[Entry] = []
        for start in range(0, s.limit, PAGE):
            url = address(s.base_url, f"{place}/items/top", format="json", sort="dateAdded",
                          direction="desc", limit=PAGE, start=start or "")  # fmt: skip
            items = items_of(ask_json(context, url, headers=headers), "items")
            entries += [self._entry(item, context) for item in items]
            if len(items) < PAGE:
                break
        found = [entry for entry in entries if entry.title]
        return conclude(context, newest_first(found, s), dict(context.state))

    def _entry(self, item: dict[str, Any], context: SourceContext) -> Entry:
        raw = item.get("data")
        data = raw if isinstance(raw, dict) else {}
        people = data.get("creators")
        names = [
            one_line(text_at(p, "name") or f"{text_at(p, 'firstName')} {text_at(p, 'lastName')}")
            for p in (people if isinstance(people, list) else [])
        ]
        tags = data.get("tags")
        doi = doi_in(text_at(data, "DOI")) or doi_in(text_at(data, "url"))
        arxiv = arxiv_in(text_at(data, "url")) or arxiv_in(text_at(data, "extra"))
        added = text_at(data, "dateAdded")
        is_article = text_at(data, "itemType") in ("webpage", "blogPost", "newspaperArticle")
        return Entry(
            source_id=self.source_id,
            entry_id=text_at(item, "key"),
            kind=self.settings.item_kind or ("article" if is_article else "paper"),
            title=one_line(plain_text(text_at(data, "title"))),
            url=text_at(data, "url") or (f"https://doi.org/{doi}" if doi else ""),
            authors=tuple(name for name in names if name),
            published=partial_day(text_at(data, "date")),
            updated=partial_date(parse_date(added), added),
            language=text_at(data, "language").lower()[:5] or self.settings.language,
            summary=plain_text(text_at(data, "abstractNote")),
            categories=tuple(text_at(t, "tag") for t in tags) if isinstance(tags, list) else (),
            identifiers=tuple((s, v) for s, v in (("doi", doi), ("arxiv", arxiv)) if v),
            venue=one_line(text_at(data, "publicationTitle") or text_at(data, "proceedingsTitle")),
            licence=text_at(data, "rights") or self.settings.licence,
            retrieved=context.now,
        )


def read_library(path: str | Path, *, source_id: str = "library") -> tuple[Entry, ...]:
    """A reader's library from a file that a reference manager exported.

    Args:
        path: `.bib`, `.ris` or `.json` (CSL JSON, as Zotero's exports are).
        source_id: Of the entries.

    Raises:
        InputError: It is not there, or of another kind.
    """
    file = Path(path)
    text = decode(read_bytes(file, MAX_FILE_BYTES)).text
    settings, now = SourceSettings(), datetime.now(UTC)
    suffix = file.suffix.lower()
    if suffix in (".bib", ".bibtex"):
        return tuple(read_bibtex(text, source_id, settings, now))
    if suffix == ".ris":
        return tuple(read_ris(text, source_id, settings, now))
    if suffix == ".json":
        return tuple(_read_csl(text, file, source_id, now))
    raise InputError(f"{file}: a library is .bib, .ris or .json, not '{suffix}'")


def _read_csl(text: str, file: Path, source_id: str, now: datetime) -> list[Entry]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: no JSON ({error})") from error
    if not isinstance(records, list):
        raise InputError(f"{file}: no list of CSL records")
    return [_of_csl(r, source_id, now) for r in records if isinstance(r, dict)]


def _of_csl(record: dict[str, Any], source_id: str, now: datetime) -> Entry:
    people, issued = record.get("author"), record.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, dict) else None
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else []
    day = "-".join(f"{int(n):02}" for n in first if str(n).isdigit())
    names = (
        one_line(text_at(p, "literal") or f"{text_at(p, 'given')} {text_at(p, 'family')}")
        for p in (people if isinstance(people, list) else [])
    )
    doi = doi_in(text_at(record, "DOI"))
    arxiv = arxiv_in(text_at(record, "URL"))
    return Entry(
        source_id=source_id,
        entry_id=text_at(record, "id") or doi or text_at(record, "title"),
        kind="paper",
        title=one_line(plain_text(text_at(record, "title"))),
        url=text_at(record, "URL") or (f"https://doi.org/{doi}" if doi else ""),
        authors=tuple(name for name in names if name),
        published=partial_day(day),
        language=text_at(record, "language").lower()[:5],
        summary=plain_text(text_at(record, "abstract")),
        identifiers=tuple((s, v) for s, v in (("doi", doi), ("arxiv", arxiv)) if v),
        venue=one_line(text_at(record, "container-title")),
        retrieved=now,
    )
