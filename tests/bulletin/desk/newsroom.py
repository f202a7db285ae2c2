"""A small newsroom for tests: a desk on a file, four people, entries that tell stories."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kuaibao import accounts
from kuaibao.bulletin.desk import (
    Actor,
    Desk,
    Series,
    add_series,
    file_found,
    first_administrator,
    list_pieces,
)
from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.reading import SECTION_OF_KIND, claims_of
from kuaibao.bulletin.sources.protocol import SourceResult
from kuaibao.bulletin.store import items_since, join_entries

PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SOURCE_TEXT = (
    "The library trained a model of 175 billion words on 12 June 2026. "
    "It read 3,200 pages in 4 hours. "
    "The model is called GPT-Kitten and runs without a network. "
    "Readers may try it from 1 July 2026."
)
TRANSLATION = (
    "该图书馆于 2026 年 6 月 12 日用 1750 亿词训练了一个模型。"
    "模型在 4 小时内读了 3200 页。"
    "这个名为 GPT-Kitten 的模型不需要联网。"
    "读者从 2026 年 7 月 1 日起可以试用。"
)


class FakeClock:
    """Time that moves when it is told to, and a little at each look."""

    def __init__(self) -> None:
        self.at = NOW.timestamp()

    def __call__(self) -> float:
        self.at += 0.001
        return self.at


@dataclasses.dataclass
class Newsroom:
    """A desk and its people by role."""

    desk: Desk
    people: dict[str, Actor]
    series: Series
    clock: FakeClock

    def __getattr__(self, role: str) -> Actor:
        try:
            return self.people[role]
        except KeyError:
            raise AttributeError(role) from None

    def found(self) -> list[int]:
        pieces = list_pieces(self.desk, self.editor, series_id=self.series.series_id)
        return [p.piece_id for p in pieces]


def entry(n: int, **changes: object) -> Entry:
    values: dict[str, object] = {
        "source_id": "wire", "entry_id": f"story-{n}", "kind": "news",
        "title": f"A model learns to read, part {n}",
        "url": f"https://example.org/story/{n}", "language": "en", "summary": SOURCE_TEXT,
        "published": PartialDate(value=datetime(2026, 11, 10 + n % 9, tzinfo=UTC), precision="day"),
    }  # fmt: skip
    return Entry(**(values | changes))  # pyright: ignore[reportArgumentType]


def file_entries(desk: Desk, entries: tuple[Entry, ...]) -> None:
    """As a source would have brought them."""
    run = desk.store.begin_run(NOW)
    for source_id in {e.source_id for e in entries}:
        own = tuple(e for e in entries if e.source_id == source_id)
        desk.store.save_fetch(run, source_id, "feed", SourceResult(entries=own, status="new"))
        for batch in desk.store.unjoined(source_id):
            join_entries(desk.store, batch, [claims_of(one.entry) for one in batch])
    desk.store.finish_run(run, {})
    items = [
        dataclasses.replace(i, score=5.0, section=SECTION_OF_KIND[i.lead.kind])
        for i in items_since(desk.store, NOW.date().replace(month=1))
    ]
    file_found(desk, items)


@contextmanager
def open_newsroom(folder: Path, n_story: int = 3, language: str = "zh") -> Iterator[Newsroom]:
    clock = FakeClock()
    desk = Desk.open(folder / "desk.db", folder)
    desk.clock = clock
    try:
        yield furnish(desk, clock, n_story, language)
    finally:
        desk.close()


def furnish(desk: Desk, clock: FakeClock, n_story: int = 3, language: str = "zh") -> Newsroom:
    made = first_administrator(desk, "root", PASSWORD)
    assert made is not None
    people = {"administrator": Actor(made[0])}
    with desk.store.database.write() as connection:
        for role, name in (
            ("editor", "Eva Editor"), ("compiler", "Chen Wen"), ("proofreader", "Li Ping"),
            ("reader", "Rea Reader"),
        ):  # fmt: skip
            # A hash is slow by design: one password hash serves all who never sign in by it.
            person = accounts.create_person(
                connection, role, password=None, roles=[role], display_name=name,
                email=f"{role}@example.org",
            )  # fmt: skip
            people[role] = Actor(person)
    series = add_series(
        desk, people["administrator"],
        Series(name="快报" if language == "zh" else "Bulletin", language=language,
               text_languages=(language, "*"), publisher="Library"),
    )  # fmt: skip
    file_entries(desk, tuple(entry(n) for n in range(n_story)))
    return Newsroom(desk, people, series, clock)
