"""What can go wrong on the way out.

KuaibaoError
└── FetchError               the address is shown without keys
├── RefusedAddressError  the guard: not http(s), or not a public address
├── RobotsError          robots.txt asks us not to, or can't be had
├── UnreachableError     no name, no connection, no TLS, a broken answer
├── TooSlowError         the time is up
├── TooLargeError        more bytes than allowed, after decoding
├── RedirectError        a loop, too many, or to nowhere
├── NotNowError          politeness says: later
└── StatusError          the server says no
├── GoneError        410: ask no more
└── ThrottledError   429, or 503 with Retry-After
"""

from __future__ import annotations

from kuaibao.errors import KuaibaoError
from kuaibao.fetching.redact import redact

__all__ = [
    "FetchError",
    "GoneError",
    "NotNowError",
    "RedirectError",
    "RefusedAddressError",
    "RobotsError",
    "StatusError",
    "ThrottledError",
    "TooLargeError",
    "TooSlowError",
    "UnreachableError",
]


class FetchError(KuaibaoError):
    """A request that gave no answer to use."""

    def __init__(self, url: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{redact(url)}: {reason}", hint=hint)
        self.reason = reason


class RefusedAddressError(FetchError):
    """The guard refused where this would have gone."""


class RobotsError(FetchError):
    """robots.txt asks us not to read this page, or could not be asked."""


class UnreachableError(FetchError):
    """No connection, or an answer that is no HTTP."""


class TooSlowError(FetchError):
    """The whole answer did not come in time."""


class TooLargeError(FetchError):
    """The answer is larger than allowed, counted after decoding."""


class RedirectError(FetchError):
    """Redirects that lead nowhere."""


class NotNowError(FetchError):
    """This host is to be left alone for a while."""

    def __init__(self, url: str, reason: str, *, wait_s: float) -> None:
        super().__init__(url, reason)
        self.wait_s = wait_s


class StatusError(FetchError):
    """The server answered with an error."""

    def __init__(self, url: str, status: int, reason: str = "") -> None:
        super().__init__(url, reason or f"the server answered {status}")
        self.status = status


class GoneError(StatusError):
    """410: the server asks never to be asked for this again."""


class ThrottledError(StatusError):
    """The server asks us to slow down."""

    def __init__(self, url: str, status: int, *, wait_s: float) -> None:
        super().__init__(url, status, f"the server asks to wait {wait_s:.0f} s ({status})")
        self.wait_s = wait_s
