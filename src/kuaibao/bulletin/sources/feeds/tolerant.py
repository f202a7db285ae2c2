"""The tolerant path: feedparser, with its sanitiser off, behind our decoding and our caps.

It reads what no XML parser accepts, and it is the reference for the fast path. It is slow and can
be stalled: call it through `worker.parse_tolerantly`, which can kill it.
"""

from __future__ import annotations

import io
import re
import warnings
from datetime import UTC, datetime
from typing import Any

from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.feeds.document import (
    HTML_TYPES,
    Category,
    Feed,
    FeedEntry,
    Link,
    Person,
    Text,
)
from kuaibao.bulletin.sources.feeds.relative import looks_like_html, resolve_markup
from kuaibao.bulletin.sources.feeds.xhtml import VOID

__all__ = ["read_tolerantly"]

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*?\?>")
_FIRST_ELEMENT = re.compile(r"<[A-Za-z_]")
_PROLOG = re.compile(r"(?is)\s*(?:<!--.*?-->\s*|<\?.*?\?>\s*)*+<!doctype")
_ENTITY = re.compile(r"<!ENTITY\s+(\w{1,60})\s+\"(&#\w{1,10};|[^&\"<]{0,2000})\"\s*>")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ENTRY = re.compile(r"<(?:\w{1,20}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ROOT = re.compile(r"<((?:\w{1,20}:)?(?:rss|feed|rdf))\b", re.IGNORECASE)
_CHANNEL = re.compile(r"<channel[\s>]", re.IGNORECASE)
"""The root of CDF, which names no version."""
_N_ENTITY = 200
_EMPTY_PAIR = re.compile(rf"<({'|'.join(sorted(VOID))})((?:\s[^<>]*)?)></\1>")
"""How an empty element of XHTML comes out of the parser."""


def read_tolerantly(
    data: bytes, *, url: str = "", content_type: str = "", max_entries: int = 2000
) -> Feed:
    """Read a feed that may be ill-formed; what is no feed gives one without entries."""
    import feedparser

    decoded = decode(data, content_type)
    text, n_left_out = _shorten(_prepare(decoded.text), max_entries)
    headers = {"content-type": "application/xml; charset=utf-8"}
    if url:
        headers["content-location"] = url
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Any = feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,  # in markup: `resolve_markup` does that, in linear time
        )
    problems = [*decoded.problems]
    if found.get("bozo"):
        problems.append(f"ill-formed: {_one_line(found.get('bozo_exception'))}")
    raw_entries = found["entries"]
    if n_left_out:
        total = len(raw_entries) + n_left_out
        problems.append(f"only the first {max_entries} of {total} entries were read")
    entries = tuple(_entry(raw, problems) for raw in raw_entries[:max_entries])
    return _feed(found, entries, problems, is_channel=bool(_CHANNEL.search(text)))


def _prepare(text: str) -> str:
    """Leave nothing for expansion: of a document type only harmless entities are kept."""
    text = _NO_TEXT.sub("", _XML_DECLARATION.sub("", text.lstrip("\ufeff"), count=1))
    prolog = _PROLOG.match(text)
    if prolog is None:
        return text
    start = prolog.end() - len("<!DOCTYPE")
    first = _FIRST_ELEMENT.search(text, prolog.end())
    end = first.start() if first else len(text)
    head = text[start:end]
    harmless = [m.group(0) for m in _ENTITY.finditer(head)][:_N_ENTITY]
    netscape = ' PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"' if "etscape" in head else ""
    subset = " [\n" + "\n".join(harmless) + "\n]" if harmless else netscape
    kept = f"<!DOCTYPE rss{subset}>\n" if subset else ""
    return text[:start] + kept + text[end:]


def _shorten(text: str, max_entries: int) -> tuple[str, int]:
    """End the feed before the first entry that would not be kept; and how many that leaves out.

    The parser would read them all before we could count.
    """
    starts = [match.start() for match in _ENTRY.finditer(text)]
    if len(starts) <= max_entries:
        return text, 0
    root = _ROOT.search(text)
    name = root.group(1) if root else "rss"
    end = "</channel></rss>" if name.lower() == "rss" else f"</{name}>"
    return text[: starts[max_entries]] + end, len(starts) - max_entries


def _feed(
    found: Any, entries: tuple[FeedEntry, ...], problems: list[str], *, is_channel: bool
) -> Feed:
    raw = found["feed"]
    if not found.get("version") and not entries and not is_channel:
        problems.append("this is no feed")
    return Feed(
        title=_text(raw, "title"),
        link=_string(raw, "link"),
        id=_string(raw, "id"),
        language=_string(raw, "language"),
        updated=_moment(raw, "updated"),
        published=_moment(raw, "published"),
        entries=entries,
        problems=tuple(dict.fromkeys(problems)),
        format=found.get("version") or "",
        parser="tolerant",
    )


def _entry(raw: Any, problems: list[str]) -> FeedEntry:
    published, updated = _moment(raw, "published"), _moment(raw, "updated")
    for name, moment in (("published", published), ("updated", updated)):
        if moment is None and _string(raw, name).strip():
            problems.append(f"no date: {_string(raw, name)[:60]!r}")
    return FeedEntry(
        id=_string(raw, "id"),
        title=_text(raw, "title"),
        link=_string(raw, "link"),
        links=tuple(_link(link) for link in _list(raw, "links")),
        summary=_text(raw, "summary"),
        content=tuple(_content(part) for part in _list(raw, "content")),
        authors=tuple(_person(p) for p in _list(raw, "authors") if p),
        published=published,
        updated=updated,
        categories=tuple(_category(tag) for tag in _list(raw, "tags")),
        published_text=_string(raw, "published"),
        updated_text=_string(raw, "updated"),
        language=_string(raw, "language"),
    )


def _get(raw: Any, name: str) -> Any:
    """Past feedparser's key mapping, which would give one date for another."""
    return dict.get(raw, name) if isinstance(raw, dict) else None


def _string(raw: Any, name: str) -> str:
    value = _get(raw, name)
    return value if isinstance(value, str) else ""


def _list(raw: Any, name: str) -> list[Any]:
    value = _get(raw, name)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _text(raw: Any, name: str) -> Text:
    detail = _get(raw, f"{name}_detail")
    kind = _string(detail, "type")
    value = _string(raw, name)
    if _string(detail, "value") != value:  # the detail is of another element
        detail, kind = None, ""
    if not kind and name == "summary":  # it was copied from the content
        for part in _list(raw, "content"):
            if _string(part, "value") == value:
                return _content(part)
        kind = "text/html" if looks_like_html(value) else "text/plain"
        return Text(resolve_markup(value, _string(_get(raw, "summary_detail"), "base")), kind)
    return _resolved(value, kind or "text/plain", detail)


def _content(raw: Any) -> Text:
    return _resolved(_string(raw, "value"), _string(raw, "type"), raw)


def _resolved(value: str, kind: str, detail: Any) -> Text:
    base = _string(detail, "base")
    if kind in HTML_TYPES:
        if kind == "application/xhtml+xml":
            value = _EMPTY_PAIR.sub(r"<\1\2 />", value)
        value = resolve_markup(value, base)
    return Text(value, kind, _string(detail, "language"), base)


def _link(raw: Any) -> Link:
    return Link(
        href=_string(raw, "href"),
        rel=_string(raw, "rel"),
        type=_string(raw, "type"),
        title=_string(raw, "title"),
        length=_string(raw, "length"),
        hreflang=_string(raw, "hreflang"),
    )


def _person(raw: Any) -> Person:
    return Person(_string(raw, "name"), _string(raw, "email"), _string(raw, "href"))


def _category(raw: Any) -> Category:
    return Category(_string(raw, "term"), _string(raw, "scheme"), _string(raw, "label"))


def _moment(raw: Any, name: str) -> datetime | None:
    parts = _get(raw, f"{name}_parsed")
    try:
        return datetime(*parts[:6], tzinfo=UTC) if parts else None
    except (ValueError, TypeError, OverflowError):
        return None


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:200]
