"""What a fetch gives back, and what is remembered of it for the next time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["Response", "Validators"]


@dataclass(frozen=True, kw_only=True)
class Validators:
    """The two marks of a version (RFC 9110, section 8.8), kept byte for byte.

    Header bytes are held as Latin-1 text, which maps every byte to one character and back: a
    date is never parsed and printed again, a weak or ill-formed tag goes back as it came.
    """

    etag: str = ""
    last_modified: str = ""

    def as_headers(self) -> dict[str, str]:
        """The request headers that ask "has it changed?"; empty if nothing is known."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer, whole and within the limits."""

    url: str
    """Where the body came from, after redirects; relative links resolve against it."""
    status: int
    body: bytes = b""
    """Decoded from its content coding; empty for 304."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Names in lower case."""
    validators: Validators = field(default_factory=Validators)
    moved_to: str = ""
    """The address to use from now on, if every redirect on the way was permanent."""
    fresh_for_s: float = 0.0
    """How long the server says this answer holds (`Cache-Control`, `Expires`); 0 if unsaid."""

    @property
    def content_type(self) -> str:
        """The `Content-Type` header as it came, parameters included."""
        return self.headers.get("content-type", "")

    @property
    def is_unchanged(self) -> bool:
        """The server said that what we have still holds (304)."""
        return self.status == 304
