"""Manners: one request at a time to a domain, pauses between, waits that servers ask for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import Any

__all__ = ["Limiter", "backoff_s", "domain_of", "fresh_for_s", "retry_after_s"]

MAX_FRESH_S = 86_400.0
"""A server that calls its feed fresh for a year is asked again after a day."""


@cache
def _suffixes() -> Any:
    """The public suffix list that comes with the package; never fetched, never cached on disk."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)


def domain_of(host: str, port: int | None = None) -> str:
    """The registrable domain that a limit is shared by: `export.arxiv.org` → `arxiv.org`.

    Addresses and names without a suffix stand for themselves, with their port.
    """
    name = host.lower().rstrip(".").strip("[]")
    own = f"{name}:{port}" if port else name
    try:
        ip_address(name)
    except ValueError:
        return _registrable(name) or own
    return own


@cache
def _registrable(name: str) -> str:
    return _suffixes().privatesuffix(name) or ""


class Limiter:
    """Turns at each domain; safe for threads.

    Args:
        interval_s: Between the starts of two requests to one domain.
        intervals_s: The same for single domains.
        clock: Monotonic seconds.
        sleep: Waits; tests give their own.
    """

    def __init__(
        self,
        interval_s: float,
        intervals_s: Mapping[str, float] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval_s = interval_s
        self._intervals_s = dict(intervals_s or {})
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._next: dict[str, float] = {}
        self._closed: dict[str, float] = {}

    @contextmanager
    def turn(self, domain: str) -> Generator[None]:
        """Wait for this domain's turn and hold it: one connection at a time."""
        with self._lock:
            turn = self._turns.setdefault(domain, threading.Lock())
        with turn:
            wait = self._next.get(domain, 0.0) - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._next[domain] = self._clock() + self.interval_s(domain)
            yield

    def interval_s(self, domain: str) -> float:
        """The pause that this domain gets."""
        return self._intervals_s.get(domain, self._interval_s)

    def slow_down(self, domain: str, interval_s: float) -> None:
        """A server asked for longer pauses (`Crawl-delay`)."""
        self._intervals_s[domain] = max(interval_s, self.interval_s(domain))

    def close(self, domain: str, seconds: float) -> None:
        """Leave the domain alone for a while."""
        self._closed[domain] = max(self._closed.get(domain, 0.0), self._clock() + seconds)

    def closed_for_s(self, domain: str) -> float:
        """How long the domain is still to be left alone; 0 if it is not."""
        return max(0.0, self._closed.get(domain, 0.0) - self._clock())


def backoff_s(base_s: float, attempt: int, *, draw: Callable[[], float] = random.random) -> float:
    """Before retry number `attempt` (from 0): doubled each time, half of it by chance."""
    whole = base_s * 2.0**attempt
    return whole / 2 + whole / 2 * draw()


def retry_after_s(value: str, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (RFC 9110, section 10.2.3)."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 12:
        return float(value)
    moment = _http_date(value)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def fresh_for_s(headers: Mapping[str, str], now: datetime) -> float:
    """How long an answer holds without asking again (RFC 9111, section 4.2); 0 if unsaid."""
    directives = dict(_directive(part) for part in headers.get("cache-control", "").split(","))
    if "no-cache" in directives or "no-store" in directives:
        return 0.0
    age_text = headers.get("age", "").strip()
    age = float(age_text) if age_text.isascii() and age_text.isdigit() else 0.0
    limit = directives.get("max-age", "")
    if limit.isascii() and limit.isdigit():
        return min(MAX_FRESH_S, max(0.0, float(limit[:12]) - age))
    expires = _http_date(headers.get("expires", ""))
    if expires is None:
        return 0.0
    sent = _http_date(headers.get("date", "")) or now
    return min(MAX_FRESH_S, max(0.0, (expires - sent).total_seconds() - age))


def _directive(part: str) -> tuple[str, str]:
    name, _, value = part.strip().partition("=")
    return name.lower(), value.strip().strip('"')


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
