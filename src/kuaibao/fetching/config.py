"""How far the fetcher goes: sizes, times, manners."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["FetchSettings"]


@dataclass(frozen=True, kw_only=True)
class FetchSettings:
    """Limits of every request; the defaults are the recommended run."""

    allowed_addresses: tuple[str, ...] = ()
    """Networks, addresses and host names that may be reached besides the public internet."""
    contact: str = ""
    """An address for those who wonder who asks; sent in `User-Agent`."""
    max_bytes: int = 15 * 1024 * 1024
    """Of a body, after decoding."""
    total_s: float = 20.0
    """From the first byte sent to the last byte read, over all redirects."""
    connect_s: float = 10.0
    """For one connection or one silence within it."""
    n_redirect: int = 5
    interval_s: float = 1.0
    """Between the starts of two requests to one registrable domain."""
    intervals_s: dict[str, float] = field(
        default_factory=lambda: {"arxiv.org": 3.0, "crossref.org": 0.2, "openalex.org": 0.2}
    )
    """The same for single domains, as their owners ask: arXiv one request in 3 seconds."""
    n_retry: int = 2
    """After a broken connection or 500, 502, 503, 504."""
    backoff_s: float = 1.0
    """Before the first retry; doubled each time, with jitter."""
    max_wait_s: float = 30.0
    """A longer wait is not sat out: the source is asked in a later run."""
    max_retry_after_s: float = 2 * 86_400.0
    """`Retry-After` is believed up to this."""
    proxy: str = ""
    """`http://host:port`; it then resolves names, and is trusted to refuse private addresses."""
