"""Kind `openreview`: submissions of a venue, from the second interface or the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.asking import conclude, guarded, newest_first
from kuaibao.bulletin.sources.json_api import address, ask_json, items_of, text_at
from kuaibao.bulletin.sources.markup import one_line
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)

__all__ = ["OpenReviewSettings", "OpenReviewSource"]

_HOSTS = {"2": "https://api2.openreview.net", "1": "https://api.openreview.net"}


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class OpenReviewSettings(SourceSettings):
    """Which venue."""

    venue_id: str
    """As in the venue's address: `ICLR.cc/2021/Conference`."""
    version: Literal["1", "2"] = "2"
    """Older venues are only in the first interface."""
    invitation: str = ""
    """For the first interface; `<venue_id>/-/Blind_Submission` if not given."""
    base_url: str = ""
    """Of the interface; OpenReview's own if not given."""


@dataclass(frozen=True)
class OpenReviewSource:
    """A venue on OpenReview."""

    source_id: str
    settings: OpenReviewSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "openreview"
    settings_type: ClassVar[type[OpenReviewSettings]] = OpenReviewSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for the newest submissions."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        s = self.settings
        base = s.base_url or _HOSTS[s.version]
        limit = min(s.limit, 1000)
        if s.version == "2":
            url = address(base, "notes", **{"content.venueid": s.venue_id}, limit=limit,
                          sort="cdate:desc")  # fmt: skip
        else:
            invitation = s.invitation or f"{s.venue_id}/-/Blind_Submission"
            url = address(base, "notes", invitation=invitation, limit=limit, sort="cdate:desc")
        notes = items_of(ask_json(context, url), "notes")
        entries = [self._entry(note, context) for note in notes]
        return conclude(context, newest_first(entries, s), dict(context.state))

    def _entry(self, note: dict[str, Any], context: SourceContext) -> Entry:
        raw = note.get("content")
        content = {k: _unwrap(v) for k, v in raw.items()} if isinstance(raw, dict) else {}
        number = text_at(note, "forum") or text_at(note, "id")
        authors, words = content.get("authors"), content.get("keywords")
        return Entry(
            source_id=self.source_id,
            entry_id=number,
            kind=self.settings.item_kind or "paper",
            title=one_line(text_at(content, "title")),
            url=f"https://openreview.net/forum?id={number}",
            authors=tuple(str(a) for a in authors) if isinstance(authors, list) else (),
            published=_moment(note.get("pdate") or note.get("cdate")),
            updated=_moment(note.get("mdate")),
            language=self.settings.language or "en",
            summary=text_at(content, "abstract") or text_at(content, "TL;DR"),
            categories=tuple(str(w) for w in words) if isinstance(words, list) else (),
            identifiers=(("openreview", number),) if number else (),
            venue=one_line(text_at(content, "venue") or self.settings.venue_id),
            licence=text_at(note, "license") or self.settings.licence,
            retrieved=context.now,
        )


def _unwrap(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and "value" in value else value


def _moment(milliseconds: Any) -> PartialDate | None:
    if not isinstance(milliseconds, int) or not 0 < milliseconds < 32_503_680_000_000:
        return None
    return PartialDate(value=datetime.fromtimestamp(milliseconds / 1000, UTC))
