"""Addresses as they may be shown: without passwords and keys."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = ["redact"]

_SECRET_NAME = re.compile(
    r"(?i)key|token|secret|passw|pwd|auth|sig|session|credential|mailto|e-?mail|code|access"
)
_LONG_RANDOM = re.compile(r"(?=[^&]*\d)[A-Za-z0-9_\-+/=%.]{24,}")
_SHOWN = 200


def redact(url: str) -> str:
    """`url` without user, password, and the values of parameters that look like keys.

    What looks like a key is judged by the parameter's name and by the value's shape: long and
    random. Control characters are dropped, so that an address cannot forge a log line.
    """
    url = "".join(c for c in url if c.isprintable())
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(an address that cannot be read)"
    shown = parts._replace(
        netloc=parts.netloc.rpartition("@")[2],
        query="&".join(_pair(pair) for pair in parts.query.split("&")) if parts.query else "",
        fragment="",
    ).geturl()
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def _pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if value and (_SECRET_NAME.search(name) or _LONG_RANDOM.fullmatch(value)):
        return f"{name}={'***'}"
    return f"{name}{equals}{value}"
