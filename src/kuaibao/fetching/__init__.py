"""The one guarded way out: addresses, limits, validators, politeness."""

from kuaibao.fetching.addresses import AddressGuard, is_public
from kuaibao.fetching.config import FetchSettings
from kuaibao.fetching.errors import (
    FetchError,
    GoneError,
    NotNowError,
    RedirectError,
    RefusedAddressError,
    RobotsError,
    StatusError,
    ThrottledError,
    TooLargeError,
    TooSlowError,
    UnreachableError,
)
from kuaibao.fetching.fetcher import Fetcher
from kuaibao.fetching.redact import redact
from kuaibao.fetching.values import Response, Validators

__all__ = [
    "AddressGuard",
    "FetchError",
    "FetchSettings",
    "Fetcher",
    "GoneError",
    "NotNowError",
    "RedirectError",
    "RefusedAddressError",
    "Response",
    "RobotsError",
    "StatusError",
    "ThrottledError",
    "TooLargeError",
    "TooSlowError",
    "UnreachableError",
    "Validators",
    "is_public",
    "redact",
]
