"""Feeds of every kind, read as one document: a fast path, a tolerant one behind it, hard caps."""

from __future__ import annotations

from kuaibao.bulletin.sources.feeds.document import (
    Category,
    Feed,
    FeedEntry,
    Link,
    Person,
    Text,
)
from kuaibao.bulletin.sources.feeds.fast import read_quickly
from kuaibao.bulletin.sources.feeds.json_feed import looks_like_json, read_json_feed
from kuaibao.bulletin.sources.feeds.worker import parse_tolerantly

__all__ = [
    "MAX_BYTES",
    "MAX_ENTRIES",
    "Category",
    "Feed",
    "FeedEntry",
    "Link",
    "Person",
    "Text",
    "parse_feed",
]

MAX_BYTES = 10 * 1024 * 1024
MAX_ENTRIES = 2000


def parse_feed(
    data: bytes,
    *,
    url: str = "",
    content_type: str = "",
    max_bytes: int = MAX_BYTES,
    max_entries: int = MAX_ENTRIES,
    timeout_s: float = 5.0,
) -> Feed:
    """Read RSS 0.90 to 2.0, RDF, Atom 0.3 and 1.0, or JSON Feed 1 and 1.1.

    Never raises for what the bytes are and never touches the network. What is wrong is told in
    `problems`; what can be read is.

    Args:
        data: The body as it came.
        url: Where it came from; relative links resolve against it.
        content_type: The `Content-Type` header, for its charset.
        max_bytes: What is longer is cut there, and that is a problem.
        max_entries: So many entries are read.
        timeout_s: The tolerant parser is stopped after this.
    """
    problems: list[str] = []
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type and not any(part in media_type for part in ("xml", "json", "rss", "octet")):
        problems.append(f"served as {media_type}, which is no type of feeds")
    if len(data) > max_bytes:
        problems.append(f"longer than {max_bytes} bytes; the rest was not read")
        data = data[:max_bytes]
    if not data.strip(b" \t\r\n\0\xef\xbb\xbf"):
        return Feed(problems=("the feed is empty",))
    feed = _parse(data, url, content_type, max_entries, timeout_s)
    return feed._replace(problems=(*problems, *feed.problems)) if problems else feed


def _parse(data: bytes, url: str, content_type: str, max_entries: int, timeout_s: float) -> Feed:
    if looks_like_json(data, content_type):
        return read_json_feed(data, url=url, content_type=content_type, max_entries=max_entries)
    feed = read_quickly(data, url=url, content_type=content_type, max_entries=max_entries)
    return feed or parse_tolerantly(
        data, url=url, content_type=content_type, max_entries=max_entries, timeout_s=timeout_s
    )
