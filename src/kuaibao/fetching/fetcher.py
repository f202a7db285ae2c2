"""The one guarded way out: guard, limits, manners and memory around a single GET."""

from __future__ import annotations

import base64
import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from urllib.parse import unquote, urljoin, urlsplit

from kuaibao import __version__
from kuaibao.fetching.config import FetchSettings
from kuaibao.fetching.errors import (
    FetchError,
    GoneError,
    NotNowError,
    RedirectError,
    RobotsError,
    StatusError,
    ThrottledError,
    TooSlowError,
    UnreachableError,
)
from kuaibao.fetching.exchange import Answer, Exchange, parse_target
from kuaibao.fetching.network import Resolver, system_resolver
from kuaibao.fetching.politeness import (
    Limiter,
    backoff_s,
    domain_of,
    fresh_for_s,
    retry_after_s,
)
from kuaibao.fetching.robots import MAX_BYTES as ROBOTS_BYTES
from kuaibao.fetching.robots import Robots
from kuaibao.fetching.values import Response, Validators

__all__ = ["Fetcher"]

AGENT = "Kuaibao"
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/json;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, text/html;q=0.8, */*;q=0.5"
)
_PERMANENT = frozenset({301, 308})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({500, 502, 503, 504})
DEFAULT_WAIT_S = 600.0
"""After 429 without `Retry-After`."""


class Fetcher:
    """Fetches public addresses, politely. Safe for threads; use it as a context manager.

    Args:
        settings: Limits and manners.
        resolver: From a host name to numbers; tests give their own.
        sleep: Waits between retries and turns.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        settings: FetchSettings | None = None,
        *,
        resolver: Resolver = system_resolver,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or FetchSettings()
        self._sleep = sleep
        self._exchange = Exchange(self.settings, resolver=resolver)
        self._limiter = Limiter(
            self.settings.interval_s, self.settings.intervals_s, clock=clock, sleep=sleep
        )
        self._robots = Robots(self._read_robots, AGENT, clock=clock)

    def __enter__(self) -> Fetcher:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._exchange.close()

    def get(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        obey_robots: bool = False,
    ) -> Response:
        """Fetch an address.

        Args:
            url: http or https.
            validators: What was kept of the last answer; then 304 may come back.
            headers: More request headers, such as a key; sent to this origin only, never on to
                another that it redirects to.
            max_bytes: Of the decoded body; the settings' limit if not given.
            obey_robots: Ask robots.txt first: for pages, not for feeds and interfaces.

        Returns:
            A 2xx or 304 answer, whole.

        Raises:
            FetchError: One of its kinds; the message shows no keys.
        """
        limit = min(max_bytes or self.settings.max_bytes, self.settings.max_bytes)
        for attempt in range(self.settings.n_retry + 1):
            try:
                return self._follow(url, validators, headers or {}, limit, obey_robots)
            except (UnreachableError, StatusError) as error:
                if attempt == self.settings.n_retry or not _is_transient(error):
                    raise
            self._sleep(backoff_s(self.settings.backoff_s, attempt))
        raise AssertionError("the last attempt returns or raises")

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], max_bytes: int = 64_000
    ) -> Response:
        """Send a body once, under the same guard: no redirect is followed, nothing is retried.

        Raises:
            FetchError: One of its kinds; an answer other than 2xx is a `StatusError`.
        """
        sent = {**self._headers(url, None, {}), **headers}
        answer, _ = self._take_turn(url, sent, max_bytes, self.settings.total_s, body=body)
        if answer.status == 304 or answer.status in _REDIRECTS:
            raise StatusError(url, answer.status)
        return self._respond(url, answer, "")

    def connect(self, host: str, port: int, *, timeout_s: float = 30.0) -> socket.socket:
        """A guarded connection for what is not HTTP, such as IMAP.

        Raises:
            FetchError: The address is refused or does not answer.
        """
        return self._exchange.connect(host, port, timeout_s)

    def _follow(
        self,
        url: str,
        validators: Validators | None,
        headers: Mapping[str, str],
        limit: int,
        obey_robots: bool,
    ) -> Response:
        """Through redirects to an answer, each hop under guard, turn and clock."""
        left_s = self.settings.total_s
        current, moved_to, only_permanent, seen = url, "", True, {url}
        while True:
            parse_target(current)
            if obey_robots:
                self._ask_robots(current)
            same_origin = _origin(current) == _origin(url)
            sent = self._headers(current, validators, headers if same_origin else {})
            answer, spent_s = self._take_turn(current, sent, limit, left_s)
            left_s -= spent_s
            if answer.status not in _REDIRECTS or not answer.headers.get("location"):
                return self._respond(current, answer, moved_to if moved_to != url else "")
            target = _target(current, answer)
            only_permanent = only_permanent and _is_permanent(current, target, answer.status)
            moved_to = target if only_permanent else moved_to
            if target in seen:
                raise RedirectError(url, "redirects in a circle")
            if len(seen) > self.settings.n_redirect:
                raise RedirectError(url, f"more than {self.settings.n_redirect} redirects")
            seen.add(target)
            current = target

    def _take_turn(
        self,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        left_s: float,
        body: bytes | None = None,
    ) -> tuple[Answer, float]:
        """One exchange when it is this domain's turn; waiting is not counted as time spent."""
        parts = urlsplit(url)
        domain = domain_of(parts.hostname or "", parts.port)
        self._refuse_while_closed(url, domain)
        if left_s <= 0:
            raise TooSlowError(url, "no whole answer in time")
        with self._limiter.turn(domain):
            self._refuse_while_closed(url, domain)
            self._exchange.deadline.set(left_s)
            start = time.monotonic()
            if body is None:
                answer = self._exchange.get(url, headers, limit)
            else:
                answer = self._exchange.send("POST", url, headers, limit, body)
        self._heed(url, domain, answer)
        return answer, time.monotonic() - start

    def _refuse_while_closed(self, url: str, domain: str) -> None:
        wait = self._limiter.closed_for_s(domain)
        if wait > 0:
            raise NotNowError(url, f"{domain} asked to be left alone for {wait:.0f} s", wait_s=wait)

    def _heed(self, url: str, domain: str, answer: Answer) -> None:
        """429, and 503 with a date, close the domain to everyone for that long."""
        asked = retry_after_s(answer.headers.get("retry-after", ""), datetime.now(UTC))
        if answer.status == 429 or (answer.status == 503 and asked is not None):
            wait = min(asked if asked is not None else DEFAULT_WAIT_S,
                       self.settings.max_retry_after_s)  # fmt: skip
            self._limiter.close(domain, wait)
            raise ThrottledError(url, answer.status, wait_s=wait)

    def _respond(self, url: str, answer: Answer, moved_to: str) -> Response:
        if answer.status == 410:
            raise GoneError(url, 410, "gone for good (410)")
        if not (200 <= answer.status < 300 or answer.status == 304):
            raise StatusError(url, answer.status)
        headers = answer.headers
        return Response(
            url=url,
            status=answer.status,
            body=answer.body,
            headers=MappingProxyType(headers),
            validators=Validators(
                etag=headers.get("etag", ""), last_modified=headers.get("last-modified", "")
            ),
            moved_to=moved_to,
            fresh_for_s=fresh_for_s(headers, datetime.now(UTC)),
        )

    def _headers(
        self, url: str, validators: Validators | None, more: Mapping[str, str]
    ) -> dict[str, str]:
        contact = f"; +{self.settings.contact}" if self.settings.contact else ""
        headers = {
            "User-Agent": f"{AGENT}/{__version__} (research bulletin{contact})",
            "Accept": ACCEPT,
            "Accept-Encoding": "gzip, deflate",
        }
        parts = urlsplit(url)
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return {**headers, **(validators.as_headers() if validators else {}), **more}

    def _ask_robots(self, url: str) -> None:
        if not self._robots.are_known(url):
            raise RobotsError(
                url,
                "its robots.txt can't be had now, and no page is read without it",
                hint="The server did not answer, or with an error of its own. Try again later.",
            )
        if not self._robots.allows(url):
            raise RobotsError(url, "robots.txt asks us not to read it")
        delay = self._robots.delay_s(url)
        if delay:
            parts = urlsplit(url)
            self._limiter.slow_down(domain_of(parts.hostname or "", parts.port), delay)

    def _read_robots(self, url: str) -> tuple[int, bytes]:
        try:
            answer = self._follow(url, None, {}, ROBOTS_BYTES, obey_robots=False)
        except ThrottledError as error:
            return error.status, b""
        except StatusError as error:
            return error.status, b""
        return answer.status, answer.body


def _is_transient(error: FetchError) -> bool:
    if isinstance(error, ThrottledError):
        return False
    return isinstance(error, UnreachableError) or (
        isinstance(error, StatusError) and error.status in _TRANSIENT
    )


def _target(current: str, answer: Answer) -> str:
    """Where a redirect leads; header bytes that are UTF-8 are read as such."""
    location = answer.headers["location"].strip()
    with contextlib.suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        target = urljoin(current, location)
        if not urlsplit(target).fragment:
            return target
        return target.partition("#")[0]
    except ValueError as error:
        raise RedirectError(current, "redirects to what is no address") from error


def _is_permanent(current: str, target: str, status: int) -> bool:
    """Remembered; but never a step from https down to http."""
    is_downgrade = current.startswith("https:") and not target.startswith("https:")
    return status in _PERMANENT and not is_downgrade


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()
