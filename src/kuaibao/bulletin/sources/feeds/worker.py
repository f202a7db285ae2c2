"""The tolerant parser where it can be killed: the parent's side, and `python -m` for the worker."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from kuaibao.bulletin.killable import WorkerDiedError, WorkerPool, run_worker
from kuaibao.bulletin.sources.feeds.document import (
    Category,
    Feed,
    FeedEntry,
    Link,
    Person,
    Text,
)

__all__ = ["parse_tolerantly", "stop_workers"]

_pool = WorkerPool("kuaibao.bulletin.sources.feeds.worker")


def parse_tolerantly(
    data: bytes,
    *,
    url: str = "",
    content_type: str = "",
    max_entries: int = 2000,
    timeout_s: float = 5.0,
) -> Feed:
    """Read a feed with the tolerant parser, for at most `timeout_s` seconds.

    A feed that stalls or kills the worker gives a feed without entries that says so.
    """
    header = {"url": url, "content_type": content_type, "max_entries": max_entries}
    try:
        answer = _pool.ask(header, data, timeout_s)
    except TimeoutError:
        return _given_up(f"the parser was stopped after {timeout_s:g} s")
    except WorkerDiedError:
        return _given_up("the parser died on this feed")
    return _from_wire(answer) if isinstance(answer, list) else _given_up(str(answer))


def stop_workers() -> None:
    """End the idle workers; the next feed starts a new one."""
    _pool.stop()


def _given_up(problem: str) -> Feed:
    return Feed(problems=(problem,), parser="tolerant")


def _from_wire(raw: list[Any]) -> Feed:
    """Named tuples cross the border as arrays."""
    feed = Feed(*raw)
    return feed._replace(
        title=Text(*raw[0]),
        updated=_moment(feed.updated),
        published=_moment(feed.published),
        entries=tuple(_entry_from_wire(entry) for entry in raw[6]),
        problems=tuple(feed.problems),
    )


def _entry_from_wire(raw: Any) -> FeedEntry:
    entry = FeedEntry(*raw)
    return entry._replace(
        title=Text(*entry.title),
        links=tuple(Link(*link) for link in entry.links),
        summary=Text(*entry.summary),
        content=tuple(Text(*text) for text in entry.content),
        authors=tuple(Person(*person) for person in entry.authors),
        published=_moment(entry.published),
        updated=_moment(entry.updated),
        categories=tuple(Category(*category) for category in entry.categories),
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _answer(body: bytes, **header: Any) -> Feed:
    from kuaibao.bulletin.sources.feeds.tolerant import read_tolerantly

    return read_tolerantly(body, **header)


if __name__ == "__main__":
    import_module("feedparser")  # before it says "ready": not counted against a feed
    run_worker(_answer)
