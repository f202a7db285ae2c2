"""When a source is asked next: its interval, its failures, what its server asked for; all pure.

Nothing is stored but what a source's last answer left: a watcher that was killed takes up the same
plan, and a clock that was set back or forward changes nothing but the next hour.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["DEFAULT_INTERVAL", "Plan", "parse_interval", "plan_next"]

DEFAULT_INTERVAL = timedelta(hours=1)
MIN_INTERVAL = timedelta(minutes=1)
MAX_INTERVAL = timedelta(days=31)
MAX_BACK_OFF = timedelta(days=1)
"""A broken source is asked once a day at least (or at its interval, if that is longer)."""
JITTER = 0.1
"""So that many sources of one interval are not asked in one moment: a fixed share for each."""
_INTERVAL = re.compile(r"(?i)\s*(\d+)\s*(s|sec|m|min|h|hour|d|day|w|week)s?\s*")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When to ask, and why then."""

    due_at: datetime
    reason: str


def parse_interval(text: str) -> timedelta:
    """`30m`, `6h`, `1d`, `1 week`.

    Raises:
        ValueError: It is none, or out of bounds (a minute to 31 days).
    """
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no interval; write 30m, 6h, 1d or 1w")
    found = timedelta(seconds=int(match[1][:9]) * _UNITS[match[2][0].lower()])
    if not MIN_INTERVAL <= found <= MAX_INTERVAL:
        raise ValueError(f"an interval is a minute at least and 31 days at most, not {text!r}")
    return found


def plan_next(
    source_id: str,
    state: Mapping[str, str],
    asked_at: datetime | None,
    n_failure: int,
    interval: timedelta,
    now: datetime,
) -> Plan | None:
    """When a source is to be asked next; None if never again (it is gone).

    Args:
        source_id: Its name, from which its share of jitter comes.
        state: What it asked to remember.
        asked_at: When it was asked last, by the wall clock of then.
        n_failure: Failures in a row.
        interval: Of its schedule.
        now: By the wall clock.
    """
    if state.get("gone"):
        return None
    if asked_at is None:
        return Plan(due_at=now, reason="never asked before")
    if asked_at > now + timedelta(minutes=5):
        return Plan(due_at=now, reason="the clock was set back")
    wait = interval
    reason = "its interval"
    if n_failure:
        wait = max(interval, min(interval * 2 ** min(n_failure, 16), MAX_BACK_OFF))
        reason = f"failed {n_failure} times in a row"
    due = asked_at + wait * (1 + JITTER * _share(source_id))
    for name, said in (("not_before", "its server asked to wait"), ("fresh_until", "still fresh")):
        until = _moment(state.get(name, ""))
        if until is not None and until > due:
            due, reason = min(until, now + MAX_INTERVAL), said
    return Plan(due_at=due, reason=reason)


def _share(source_id: str) -> float:
    """0 to 1, the same every time."""
    return hashlib.blake2b(source_id.encode("utf-8", "replace"), digest_size=2).digest()[0] / 255


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
