"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1): lenient where the specification asks for it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from kuaibao.bulletin.sources.feeds.dates import parse_date
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.feeds.document import (
    Category,
    Feed,
    FeedEntry,
    Link,
    Person,
    Text,
)

__all__ = ["looks_like_json", "read_json_feed"]


def looks_like_json(data: bytes, content_type: str = "") -> bool:
    """The body begins as a JSON object does."""
    start = data[:256].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return start.startswith(b"{") or ("json" in content_type and start.startswith(b"["))


def read_json_feed(
    data: bytes, *, url: str = "", content_type: str = "", max_entries: int = 2000
) -> Feed:
    """Read a JSON Feed; anything that is not one gives a feed without entries and its problem."""
    # RFC 8259: JSON is UTF-8, whatever a header says of a charset.
    decoded = decode(data, "")
    problems = [*decoded.problems]
    try:
        document: Any = json.loads(decoded.text.lstrip("\ufeff"), strict=False)
    except (ValueError, RecursionError) as error:
        message = f"ill-formed JSON: {' '.join(str(error).split())[:200]}"
        return Feed(problems=(*problems, message), parser="json")
    if not isinstance(document, dict):
        return Feed(problems=(*problems, "this is no feed"), parser="json")
    version = _string(document, "version")
    items = _list(document, "items")
    if "jsonfeed.org" not in version:
        problems.append("no JSON Feed version is named")
        if not items:
            return Feed(problems=(*problems, "this is no feed"), parser="json")
    if len(items) > max_entries:
        problems.append(f"only the first {max_entries} of {len(items)} entries were read")
    own_url = _absolute(url, _string(document, "feed_url"))
    base = own_url or url
    language = _string(document, "language")
    everyone = _authors(document)
    entries = [_entry(item, base, everyone, language, problems) for item in items[:max_entries]]
    moments = [m for e in entries for m in (e.updated or e.published,) if m is not None]
    return Feed(
        title=Text(_string(document, "title")),
        link=_absolute(base, _string(document, "home_page_url")),
        id=own_url,
        language=language,
        updated=max(moments, default=None),
        entries=tuple(entries),
        problems=tuple(dict.fromkeys(problems)),
        format="jsonfeed" + version.rstrip("/").rsplit("/", 1)[-1].replace(".", ""),
        parser="json",
    )


def _entry(
    item: dict[str, Any],
    base: str,
    everyone: tuple[Person, ...],
    language: str,
    problems: list[str],
) -> FeedEntry:
    link = _absolute(base, _string(item, "url"))
    external = _absolute(base, _string(item, "external_url"))
    identity = _string(item, "id") or link or external
    if not identity:
        problems.append("an item has no id")
    links = [
        Link(href, rel, "text/html")
        for href, rel in ((link, "alternate"), (external, "related"))
        if href
    ]
    links += [_attachment(raw, base) for raw in _list(item, "attachments")]
    spoken = _string(item, "language") or language
    content = tuple(
        Text(_string(item, name), kind, spoken, base)
        for name, kind in (("content_html", "text/html"), ("content_text", "text/plain"))
        if _string(item, name)
    )
    summary = Text(_string(item, "summary"))
    published, updated = _string(item, "date_published"), _string(item, "date_modified")
    for date in (published, updated):
        if date and parse_date(date) is None:
            problems.append(f"no date: {date[:60]!r}")
    return FeedEntry(
        id=identity,
        title=Text(_string(item, "title")),
        link=link or external,
        links=tuple(links),
        summary=summary if summary.value or not content else content[0],
        content=content,
        authors=_authors(item) or everyone,
        published=parse_date(published),
        updated=parse_date(updated),
        categories=tuple(Category(tag) for tag in _strings(item, "tags")),
        published_text=published,
        updated_text=updated,
        language=spoken,
    )


def _attachment(raw: dict[str, Any], base: str) -> Link:
    return Link(
        href=_absolute(base, _string(raw, "url")),
        rel="enclosure",
        type=_string(raw, "mime_type"),
        title=_string(raw, "title"),
        length=_string(raw, "size_in_bytes"),
    )


def _authors(holder: dict[str, Any]) -> tuple[Person, ...]:
    """Version 1.1 has `authors`, version 1 had one `author`."""
    people = _list(holder, "authors")
    if not people and isinstance(holder.get("author"), dict):
        people = [holder["author"]]
    found = (Person(_string(p, "name"), "", _string(p, "url")) for p in people)
    return tuple(person for person in found if person.name or person.href)


def _string(holder: dict[str, Any], name: str) -> str:
    """Numbers are taken for strings: the specification asks it for `id`."""
    value = holder.get(name)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return ""


def _list(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = holder.get(name)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _strings(holder: dict[str, Any], name: str) -> list[str]:
    value = holder.get(name)
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _absolute(base: str, link: str) -> str:
    if not link:
        return ""
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return link
