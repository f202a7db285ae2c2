"""Series: bulletins that appear, several over one collection."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import insert, select, update

from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import NotFoundError
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.model import SECTION_KINDS
from kuaibao.bulletin.publishing import Look
from kuaibao.errors import InputError

__all__ = ["Section", "Series", "add_series", "get_series", "list_series", "look_of",
           "seed_series", "set_series"]  # fmt: skip

TEMPLATES: dict[str, tuple[str, ...]] = {
    "papers": ("background", "innovation", "model", "experiments", "results")
}
"""The labelled parts of an item, by kind of section."""


MAX_FIELDS, MAX_LABEL = 20, 100


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of a series with the template of its items."""

    kind: str
    title: str = ""
    """The heading; the usual one of the language if empty."""
    fields: tuple[str, ...] = ()
    """Labelled parts of each item; none: one body."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A bulletin: what every issue of it shares."""

    series_id: int = 0
    name: str
    language: str
    text_languages: tuple[str, ...] = ()
    publisher: str = ""
    editors: tuple[str, ...] = ()
    contact: str = ""
    base_url: str = ""
    disclaimer: str = ""
    sections: tuple[Section, ...] = tuple(
        Section(kind=kind, fields=TEMPLATES.get(kind, ())) for kind in SECTION_KINDS
    )
    first_number: int = 1
    first_running_number: int = 1
    repeat_after: int = 6
    accent: str = ""
    """Colour of heads and links in every form, such as `#1f4e79`; empty: the house's."""
    days_between: int = 30
    """How often an issue appears."""

    def template(self, section: str) -> tuple[str, ...]:
        """The labelled parts of an item in a section."""
        return next((s.fields for s in self.sections if s.kind == section), ())


def list_series(desk: Desk) -> list[Series]:
    """Every series, in the order in which they were made."""
    with desk.store.database.read() as connection:
        rows = connection.execute(select(tables.series).order_by(tables.series.c.series_id))
        return [_series(row) for row in rows]


def get_series(desk: Desk, series_id: int) -> Series:
    """One series.

    Raises:
        NotFoundError: There is none.
    """
    for one in list_series(desk):
        if one.series_id == series_id:
            return one
    raise NotFoundError(f"there is no series {series_id}")


def look_of(desk: Desk, series_id: int) -> Look:
    """How the issues of a series look."""
    return Look.of(get_series(desk, series_id).accent)


def add_series(desk: Desk, actor: Actor, series: Series) -> Series:
    """A new series.

    Raises:
        InputError: The name is empty or taken, or the language is none of ours.
    """
    actor.require("edit_series")
    _check(desk, series)
    with desk.change() as change:
        done = change.connection.execute(insert(tables.series).values(**_row(series)))
        key = done.inserted_primary_key
        assert key is not None
        change.log(actor, "add_series", details={"name": series.name})
    return get_series(desk, int(key[0]))


def set_series(desk: Desk, actor: Actor, series: Series) -> Series:
    """Change what the issues of a series share; closed issues stay as they are."""
    actor.require("edit_series")
    get_series(desk, series.series_id)
    _check(desk, series)
    with desk.change() as change:
        change.connection.execute(
            update(tables.series)
            .where(tables.series.c.series_id == series.series_id)
            .values(**_row(series))
        )
        change.log(actor, "set_series", details={"name": series.name})
    return get_series(desk, series.series_id)


def seed_series(desk: Desk, config: BulletinConfig) -> None:
    """Make a series of each edition of bulletin.toml that is not at the desk yet."""
    known = {one.name for one in list_series(desk)}
    main = config.settings
    for edition in config.editions:
        name = edition.series if edition.series not in known else ""
        if not name:
            continue
        known.add(name)
        sections = tuple(
            Section(
                kind=s.kind, title=edition.section_titles.get(s.kind, ""),
                fields=TEMPLATES.get(s.kind, ()),
            )
            for s in main.sections
        )  # fmt: skip
        series = Series(
            name=name, language=edition.language, text_languages=edition.text_languages,
            publisher=edition.publisher, editors=edition.editors, contact=edition.contact,
            base_url=main.base_url, disclaimer="", sections=sections,
            first_number=main.number, first_running_number=main.running_number or main.number,
            repeat_after=main.reading.repeat_after,
        )  # fmt: skip
        with desk.change() as change:
            change.connection.execute(insert(tables.series).values(**_row(series)))


def _check(desk: Desk, series: Series) -> None:
    if not series.name.strip():
        raise InputError("a series has a name")
    if series.language not in ("en", "zh"):
        raise InputError(f"no words for headings in {series.language!r}", hint="Known: en, zh.")
    Look.of(series.accent)
    if series.base_url and not series.base_url.startswith(("http://", "https://")):
        raise InputError("the address of a series begins with http:// or https://")
    unknown = [s.kind for s in series.sections if s.kind not in SECTION_KINDS]
    if unknown:
        raise InputError(f"unknown section {unknown[0]!r}", hint=f"Known: {SECTION_KINDS}")
    for section in series.sections:
        if len(section.fields) > MAX_FIELDS or len(set(section.fields)) < len(section.fields):
            raise InputError(f"a section has at most {MAX_FIELDS} parts, no two of one name")
        shown = (*section.fields, section.title or "-")
        if any(not label.strip() or len(label) > MAX_LABEL for label in shown):
            raise InputError(f"a heading or label has 1 to {MAX_LABEL} characters")
    for other in list_series(desk):
        if other.name == series.name and other.series_id != series.series_id:
            raise InputError(f"a series is called {series.name!r} already")


def _row(series: Series) -> dict[str, Any]:
    settings = asdict(series)
    for own in ("series_id", "name", "language"):
        settings.pop(own)
    return {
        "name": series.name.strip(),
        "language": series.language,
        "settings": json.dumps(settings, ensure_ascii=False),
    }


def _series(row: Any) -> Series:
    known = {f.name for f in fields(Series)}
    settings = {k: v for k, v in json.loads(row.settings).items() if k in known}
    for name in ("text_languages", "editors"):
        settings[name] = tuple(settings.get(name, ()))
    settings["sections"] = tuple(
        Section(kind=s["kind"], title=s["title"], fields=tuple(s["fields"]))
        for s in settings["sections"]
    )
    return Series(series_id=row.series_id, name=row.name, language=row.language, **settings)
