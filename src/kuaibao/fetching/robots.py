"""robots.txt (RFC 9309): asked once a day for each site, before its pages are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Robots"]

MAX_BYTES = 512 * 1024
KEPT_S = 86_400.0
UNREACHABLE_KEPT_S = 600.0
MAX_DELAY_S = 60.0


class Robots:
    """The rules of every site met so far.

    Args:
        read: Gives status and body of an address; raises what it likes if it can't.
        agent: The name that rules may be addressed to.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        read: Callable[[str], tuple[int, bytes]],
        agent: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._agent = agent
        self._clock = clock
        self._rules: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def allows(self, url: str) -> bool:
        """The site lets us read this page; no, if its rules cannot be had (section 2.3.1.4)."""
        rules = self._rules_of(url)
        return bool(rules and rules.can_fetch(url, self._agent))

    def are_known(self, url: str) -> bool:
        """The site's rules could be had, or it has none."""
        return self._rules_of(url) is not None

    def delay_s(self, url: str) -> float:
        """The pause that the site asks for; 0 if it asks for none."""
        rules = self._rules_of(url)
        return min(MAX_DELAY_S, float(rules.crawl_delay(self._agent) or 0.0)) if rules else 0.0

    def _rules_of(self, url: str) -> Any:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        with self._lock:
            known = self._rules.get(site)
        if known and known[0] > self._clock():
            return known[1]
        rules, kept_s = self._ask(site)
        with self._lock:
            self._rules[site] = (self._clock() + kept_s, rules)
        return rules

    def _ask(self, site: str) -> tuple[Any, float]:
        from protego import Protego

        from kuaibao.fetching.errors import FetchError, RefusedAddressError, TooLargeError

        try:
            status, body = self._read(f"{site}/robots.txt")
        except RefusedAddressError:
            raise
        except TooLargeError:
            status, body = 404, b""
        except FetchError:
            return None, UNREACHABLE_KEPT_S
        if status >= 500 or status == 429:
            return None, UNREACHABLE_KEPT_S
        text = body.decode("utf-8", "replace") if status < 300 else ""
        return Protego.parse(text), KEPT_S
