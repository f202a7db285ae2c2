"""How a source fares, decided in one place: working, silent, lagging, broken, waiting, gone.

"Nothing new" and "broken" look the same in an inbox; here they never are. The rules are pure: what
happened and what is remembered go in, a verdict comes out.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Literal

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources.protocol import SourceResult, SourceStatus
from kuaibao.errors import KuaibaoError
from kuaibao.fetching import (
    FetchError,
    GoneError,
    NotNowError,
    RobotsError,
    StatusError,
    ThrottledError,
)

__all__ = [
    "Health",
    "failed",
    "judge",
    "remember",
    "seen_marks",
    "unseen",
]

HealthVerdict = Literal[
    "ok", "silent", "lagging", "broken", "changed_layout", "out_of_quota", "gone", "skipped"
]
N_SEEN = 3000
N_MOMENT = 40
MIN_RHYTHM = timedelta(days=1)
SILENT_AFTER = 4.0
"""Silent: no entry for so many of its own usual gaps (and at least a week)."""
MIN_SILENCE = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Health:
    """A verdict with its reason in words."""

    verdict: HealthVerdict
    reason: str
    last_entry: datetime | None = None
    usual_gap: timedelta | None = None
    n_failure: int = 0
    """In a row."""


def failed(error: Exception, state: Mapping[str, str], now: datetime) -> SourceResult:
    """The result of a source that raised: which trouble it is, and when to try again."""
    status: SourceStatus = "broken"
    kept = dict(state)
    if isinstance(error, GoneError):
        status = "gone"
        kept["gone"] = "1"
    elif isinstance(error, ThrottledError):
        status = "out_of_quota"
        kept["not_before"] = (now + timedelta(seconds=error.wait_s)).isoformat()
    elif isinstance(error, NotNowError):
        status = "skipped"
    elif isinstance(error, StatusError) and error.status in (402, 403) and _says_quota(error):
        status = "out_of_quota"
    elif isinstance(error, RobotsError):
        status = "skipped"
    message = error.message if isinstance(error, KuaibaoError) else f"{type(error).__name__}"
    if isinstance(error, FetchError) and error.hint:
        message = f"{message} ({error.hint})"
    return SourceResult(state=remember(kept, status, (), now), status=status, message=message)


def _says_quota(error: StatusError) -> bool:
    return error.status == 402 or "quota" in error.reason.lower()


def seen_marks(entries: Iterable[Entry]) -> str:
    """Short marks of entry ids, to tell what is new the next time."""
    return " ".join(dict.fromkeys(_mark(entry.entry_id) for entry in entries))


def unseen(entries: Iterable[Entry], state: Mapping[str, str]) -> tuple[Entry, ...]:
    """Those that were not there the last time."""
    seen = set(state.get("seen", "").split())
    return tuple(entry for entry in entries if _mark(entry.entry_id) not in seen)


def _mark(entry_id: str) -> str:
    return hashlib.blake2b(entry_id.encode("utf-8", "replace"), digest_size=6).hexdigest()


def remember(
    state: Mapping[str, str], status: SourceStatus, entries: Iterable[Entry], now: datetime
) -> dict[str, str]:
    """The state to store: what was seen, when entries were published, failures in a row."""
    kept = dict(state)
    listed = list(entries)
    worked = status in ("new", "nothing_new", "lagging")
    if status != "skipped":
        kept["asked"] = now.isoformat(timespec="seconds")
        kept["failures"] = "0" if worked else str(_count(state.get("failures")) + 1)
    if worked:
        kept["worked"] = now.isoformat(timespec="seconds")
    if listed:
        marks = dict.fromkeys([*seen_marks(listed).split(), *state.get("seen", "").split()])
        kept["seen"] = " ".join(list(marks)[:N_SEEN])
        kept["moments"] = json.dumps(_moments(listed, state, now))
    return kept


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _moments(entries: list[Entry], state: Mapping[str, str], now: datetime) -> list[int]:
    """When entries came out, newest first, in whole seconds since 1970; none from the future."""
    dates = [e.published or e.updated for e in entries]
    known = {int(d.value.timestamp()) for d in dates if d is not None and d.value.year > 1971}
    known |= set(_known_moments(state))
    return sorted((m for m in known if m <= now.timestamp()), reverse=True)[:N_MOMENT]


def _known_moments(state: Mapping[str, str]) -> list[int]:
    try:
        return [int(m) for m in json.loads(state.get("moments", "[]"))]
    except (ValueError, TypeError):
        return []


def judge(state: Mapping[str, str], status: SourceStatus, message: str, now: datetime) -> Health:
    """A source's health from its last result and what is remembered of it.

    It is silent when its newest entry is older than four times the gap that is usual for it (at
    least a week): a weekly that missed a month, a daily that missed a week.
    """
    moments = _known_moments(state)
    last = datetime.fromtimestamp(moments[0], UTC) if moments else None
    gap = _usual_gap(moments)
    n_failure = _count(state.get("failures"))
    if status in ("broken", "changed_layout", "lagging", "out_of_quota", "gone", "skipped"):
        reason = message or status.replace("_", " ")
        if status == "broken" and n_failure > 1:
            reason = f"{reason}; {n_failure} times in a row"
        return Health(verdict=status, reason=reason, last_entry=last, usual_gap=gap,
                      n_failure=n_failure)  # fmt: skip
    if last is not None and gap is not None:
        silence = now - last
        if silence > max(MIN_SILENCE, gap * SILENT_AFTER):
            reason = f"nothing for {_days(silence)}, where {_days(gap)} is usual"
            return Health(verdict="silent", reason=reason, last_entry=last, usual_gap=gap)
    reason = message or ("new entries" if status == "new" else "works, nothing new")
    return Health(verdict="ok", reason=reason, last_entry=last, usual_gap=gap)


def _usual_gap(moments: list[int]) -> timedelta | None:
    """The median gap between days with entries; a rhythm needs four of them."""
    days = sorted({m // 86_400 for m in moments})
    gaps = [later - earlier for earlier, later in itertools.pairwise(days)]
    return max(MIN_RHYTHM, timedelta(days=median(gaps))) if len(gaps) >= 3 else None


def _days(span: timedelta) -> str:
    n_day = max(1, round(span.total_seconds() / 86_400))
    return f"{n_day} day" if n_day == 1 else f"{n_day} days"
