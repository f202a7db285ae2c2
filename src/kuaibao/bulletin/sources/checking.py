"""Ask every source once and say how it fares; nothing is stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from kuaibao.bulletin.sources.health import Health, failed, judge
from kuaibao.bulletin.sources.protocol import Fetches, Source, SourceContext

__all__ = ["Checkup", "check_sources"]

N_WORKER = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checkup:
    """One source's health, and what it gave just now."""

    source_id: str
    kind: str
    status: str
    health: Health
    n_entry: int = 0
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The fields as `kuaibao sources check --json` prints them; dates ISO 8601 in UTC."""
        health = self.health
        gap = health.usual_gap
        return {
            "source": self.source_id,
            "kind": self.kind,
            "health": health.verdict,
            "reason": health.reason,
            "status": self.status,
            "entries": self.n_entry,
            "last_entry": health.last_entry.strftime("%Y-%m-%dT%H:%M:%SZ")
            if health.last_entry
            else None,
            "usual_gap_days": gap.total_seconds() / 86_400 if gap else None,
            "failures_in_a_row": health.n_failure,
            "problems": list(self.problems),
        }


def check_sources(
    sources: Sequence[Source],
    fetcher: Fetches,
    *,
    now: datetime,
    base_dir: Path,
    state_of: Callable[[str], Mapping[str, str]] = lambda source_id: {},
) -> Iterator[Checkup]:
    """Check all, several hosts at a time, in the order given.

    Args:
        sources: To be asked.
        fetcher: The way out.
        now: Aware, in UTC.
        base_dir: The folder of bulletin.toml.
        state_of: What is remembered of a source.
    """

    def check(source: Source) -> Checkup:
        # A fresh answer is asked for again: a check wants to see the server.
        state = {k: v for k, v in state_of(source.source_id).items() if k != "fresh_until"}
        context = SourceContext(fetcher=fetcher, state=state, now=now, base_dir=base_dir)
        try:
            result = source.fetch(context)
        except Exception as error:  # a kind from elsewhere may raise what it likes
            result = failed(error, state, now)
        return Checkup(
            source_id=source.source_id,
            kind=source.kind,
            status=result.status,
            health=judge(result.state, result.status, result.message, now),
            n_entry=len(result.entries),
            problems=result.problems,
        )

    with ThreadPoolExecutor(N_WORKER) as pool:
        yield from pool.map(check, sources)
