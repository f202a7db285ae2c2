"""What a page says, as a plain value."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from kuaibao.bulletin.model import PartialDate
from kuaibao.bulletin.sources.deadlines import zone_named

__all__ = ["Page"]


class Page(NamedTuple):
    """One page; empty where it says nothing."""

    title: str = ""
    text: str = ""
    """The article without what stands around it, paragraphs parted by blank lines."""
    authors: tuple[str, ...] = ()
    published: PartialDate | None = None
    language: str = ""
    """Two-letter code where there is one: of the text rather than of the template."""
    site: str = ""
    url: str = ""
    """Canonical address, or the one that was given."""
    summary: str = ""
    categories: tuple[str, ...] = ()
    licence: str = ""
    origin: str = ""
    """Whom the page names as its source (来源)."""
    image: str = ""
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document of `kuaibao extract`.

        `date` is the day as the page tells it (shorter where only month or year are known);
        `published` has the hour and the zone as far as they are given.
        """
        moment = self.published
        return {
            "title": self.title,
            "text": self.text,
            "authors": list(self.authors),
            "date": _day(moment),
            "published": _moment(moment),
            "date_precision": moment.precision if moment else None,
            "language": self.language,
            "site": self.site,
            "url": self.url,
            "summary": self.summary,
            "categories": list(self.categories),
            "licence": self.licence,
            "source": self.origin,
            "image": self.image,
            "problems": list(self.problems),
        }


def _local(moment: PartialDate) -> tuple[datetime, bool]:
    """The clock of the page, and whether its zone is known."""
    zone = zone_named(moment.zone) if moment.zone else None
    if moment.precision in ("day", "month", "year") or zone is None:
        return moment.value, moment.zone == "UTC"
    return moment.value.astimezone(zone), True


def _day(moment: PartialDate | None) -> str | None:
    if moment is None:
        return None
    day = _local(moment)[0].strftime("%04Y-%m-%d")
    return day[: {"year": 4, "month": 7}.get(moment.precision, 10)]


def _moment(moment: PartialDate | None) -> str | None:
    if moment is None or moment.precision in ("day", "month", "year"):
        return _day(moment)
    local, is_known = _local(moment)
    text = local.strftime("%04Y-%m-%dT%H:%M:%S")
    if not is_known:
        return text
    offset = local.strftime("%z")
    return text + ("Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}")
