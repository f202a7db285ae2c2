"""The tracker that does not end: asks each source when it is due, keeps what comes, joins stories.

One slow or broken source holds up no other. Every answer is kept whole or not at all, so a kill
loses the answers on their way and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

from kuaibao.bulletin.config import SourceEntry
from kuaibao.bulletin.pipeline.choosing import join_all
from kuaibao.bulletin.sources import Source, SourceContext, SourceResult
from kuaibao.bulletin.sources.health import failed, judge
from kuaibao.bulletin.sources.protocol import Fetches, SourceStatus
from kuaibao.bulletin.sources.report import SourceReport
from kuaibao.bulletin.sources.schedule import DEFAULT_INTERVAL, Plan, plan_next
from kuaibao.bulletin.store import Store

__all__ = ["Clock", "SystemClock", "WatchEvent", "Watcher", "report_sources"]

N_WORKER = 8
MIN_PAUSE_S = 30.0
"""By a clock that nobody sets: a source is not asked again before this, whatever the calendar."""
LONGEST_SLEEP_S = 60.0
"""The watcher looks at the calendar so often: after a suspended night it does not sleep on."""


class Clock(Protocol):
    """Time from outside."""

    def now(self) -> datetime:
        """By the wall, aware, in UTC; may be set."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's."""

    def now(self) -> datetime:
        """By the wall."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Since the machine started."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True, kw_only=True)
class WatchEvent:
    """What came of asking a source."""

    source_id: str
    status: str
    health: str
    message: str
    n_entry: int
    n_new: int
    """Entries that were not there before."""
    n_item: int
    """New stories among them."""
    at: datetime

    def to_json(self) -> dict[str, Any]:
        """One line of `kuaibao watch --json`."""
        return {
            "source": self.source_id,
            "status": self.status,
            "health": self.health,
            "message": self.message,
            "entries": self.n_entry,
            "new": self.n_new,
            "new_items": self.n_item,
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class Watcher:
    """A bulletin's sources under watch.

    Args:
        store: Where answers are kept.
        sources: To be asked, each with its interval.
        fetcher: The way out.
        folder: Of bulletin.toml.
        clock: Time from outside.
    """

    def __init__(
        self,
        store: Store,
        sources: Sequence[SourceEntry],
        fetcher: Fetches,
        folder: Path,
        clock: Clock | None = None,
    ) -> None:
        self.store = store
        self.sources = list(sources)
        self.fetcher = fetcher
        self.folder = folder
        self.clock = clock or SystemClock()
        self._asked: dict[str, float] = {}
        self._is_stopped = False

    def stop(self) -> None:
        """End after the answers that are on their way; may be called from a signal's handler."""
        self._is_stopped = True

    def plans(self, now: datetime) -> dict[str, Plan | None]:
        """When each source is due, seen at `now`."""
        records = self.store.source_records()
        found: dict[str, Plan | None] = {}
        for one in self.sources:
            name = one.source.source_id
            record = records.get(name)
            found[name] = plan_next(
                name,
                record.state if record else {},
                record.asked_at if record else None,
                record.n_failure if record else 0,
                one.every or DEFAULT_INTERVAL,
                now,
            )
        return found

    def run(self, *, is_once: bool = False) -> Iterator[WatchEvent]:
        """Watch until stopped; with `is_once` ask what is due now and end.

        Yields:
            An event for each answer, after it is safe on disk.
        """
        waiting: dict[Future[SourceResult], Source] = {}
        with ThreadPoolExecutor(N_WORKER) as pool:
            while not self._is_stopped:
                in_flight = {source.source_id for source in waiting.values()}
                due = [s for s in self._due() if s.source_id not in in_flight]
                for source in due:
                    self._asked[source.source_id] = self.clock.monotonic()
                    waiting[pool.submit(source.fetch, self._context(source))] = source
                if not waiting:
                    if is_once:
                        return
                    self.clock.sleep(self._pause())
                    continue
                done, _ = wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in done:
                    yield self._keep(waiting.pop(future), future)
                if is_once and not waiting and not self._due():
                    return
            for future, source in waiting.items():
                yield self._keep(source, future)

    def _due(self) -> list[Source]:
        now, ticks = self.clock.now(), self.clock.monotonic()
        plans = self.plans(now)
        found: list[Source] = []
        for one in self.sources:
            plan = plans[one.source.source_id]
            asked = self._asked.get(one.source.source_id)
            if plan is None or plan.due_at > now:
                continue
            if asked is None or ticks - asked >= MIN_PAUSE_S:
                found.append(one.source)
        return found

    def _pause(self) -> float:
        """Seconds to the next source that is due."""
        now = self.clock.now()
        spans = [
            (p.due_at - now).total_seconds() for p in self.plans(now).values() if p is not None
        ]
        return min(max(min(spans, default=LONGEST_SLEEP_S), 1.0), LONGEST_SLEEP_S)

    def _context(self, source: Source) -> SourceContext:
        return SourceContext(
            fetcher=self.fetcher,
            state=self.store.source_state(source.source_id),
            now=self.clock.now(),
            base_dir=self.folder,
        )

    def _keep(self, source: Source, future: Future[SourceResult]) -> WatchEvent:
        now = self.clock.now()
        try:
            result = future.result()
        except Exception as error:  # a kind from elsewhere may raise what it likes
            state = self.store.source_state(source.source_id)
            result = failed(error, state, now)
        run = self.store.single_run(now)
        record = self.store.save_fetch(run, source.source_id, source.kind, result)
        joined = join_all(self.store, [source.source_id], lambda n: None)
        health = judge(result.state, result.status, result.message, now)
        return WatchEvent(
            source_id=source.source_id,
            status=record.status,
            health=health.verdict,
            message=health.reason,
            n_entry=record.n_entry,
            n_new=record.n_new,
            n_item=joined.n_item,
            at=now,
        )


def report_sources(
    store: Store, sources: Sequence[SourceEntry], now: datetime
) -> list[SourceReport]:
    """How each source fares by what is remembered of it, and when it is due; nobody is asked."""
    records, counts = store.source_records(), store.entry_counts()
    found: list[SourceReport] = []
    for one in sources:
        name = one.source.source_id
        record = records.get(name)
        if record is None:
            found.append(
                SourceReport(source_id=name, kind=one.source.kind, health=None, due_at=now)
            )
            continue
        plan = plan_next(
            name,
            record.state,
            record.asked_at,
            record.n_failure,
            one.every or DEFAULT_INTERVAL,
            now,
        )
        found.append(
            SourceReport(
                source_id=name,
                kind=one.source.kind,
                health=judge(record.state, cast(SourceStatus, record.status), record.message, now),
                status=record.status,
                n_entry=counts.get(name, 0),
                asked_at=record.asked_at,
                new_at=record.new_at,
                due_at=plan.due_at if plan else None,
            )
        )
    return found
