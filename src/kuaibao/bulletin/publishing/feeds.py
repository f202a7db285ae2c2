"""The issue as Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

import lxml.etree as etree

from kuaibao.bulletin.model import Issue, IssueItem, PartialDate
from kuaibao.bulletin.publishing.cleaning import clean_line
from kuaibao.bulletin.publishing.identity import address, issue_urn, item_address, item_urn
from kuaibao.bulletin.publishing.page import environment
from kuaibao.bulletin.publishing.view import IssueView, ItemView

__all__ = ["render_atom", "render_json_feed", "render_rss"]

_ATOM = "http://www.w3.org/2005/Atom"
_XML = "{http://www.w3.org/XML/1998/namespace}"


def render_atom(issue: Issue, view: IssueView) -> bytes:
    """An Atom feed: one entry an item, `updated` being the day of the issue."""
    root: Any = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    root.set(f"{_XML}lang", view.language)
    updated = _rfc3339(_start_of(issue.day))
    _add(root, "id", issue_urn(issue))
    _add(root, "title", f"{view.series} · {view.number_full}")
    if view.title != view.series:
        _add(root, "subtitle", view.title)
    _add(root, "updated", updated)
    _add(_add(root, "author"), "name", view.publisher or view.series)
    _add(root, "generator", "Kuaibao")
    if view.base_url:
        _add(root, "link", rel="self", type="application/atom+xml", href=address(view, "feed.xml"))
        _add(root, "link", rel="alternate", type="text/html", href=address(view, "index.html"))
    for item, shown in _pairs(issue, view):
        entry = _add(root, "entry")
        _add(entry, "id", item_urn(issue, item))
        _add(entry, "title", shown.title)
        _add(entry, "updated", updated)
        if exact := _exact(item):
            _add(entry, "published", _rfc3339(exact))
        for name in (clean_line(author) for author in item.item.lead.authors):
            if name:
                _add(_add(entry, "author"), "name", name)
        if url := item_address(view, shown):
            _add(entry, "link", rel="alternate", href=url)
        if shown.url and shown.url != url:
            _add(entry, "link", rel="via", href=shown.url)
        _add(entry, "category", term=item.item.section, label=_section_title(view, shown))
        _add(entry, "content", _content(view, shown), type="html")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)


def render_rss(issue: Issue, view: IssueView) -> bytes:
    """An RSS 2.0 feed for readers that know no other."""
    root: Any = etree.Element("rss", version="2.0", nsmap={"atom": _ATOM})
    channel = etree.SubElement(root, "channel")
    _add(channel, "title", f"{view.series} · {view.number_full}")
    _add(channel, "link", address(view, "index.html") or "https://kuaibao.invalid/")
    _add(channel, "description", view.title)
    _add(channel, "language", view.language)
    _add(channel, "pubDate", format_datetime(_start_of(issue.day)))
    _add(channel, "generator", "Kuaibao")
    if view.base_url:  # a reader that was sent a copy finds the feed by it
        where = {"rel": "self", "type": "application/rss+xml", "href": address(view, "feed.rss")}
        etree.SubElement(channel, f"{{{_ATOM}}}link", where)
    for item, shown in _pairs(issue, view):
        entry = _add(channel, "item")
        _add(entry, "title", shown.title)
        if url := item_address(view, shown):
            _add(entry, "link", url)
        _add(entry, "guid", item_urn(issue, item), isPermaLink="false")
        _add(entry, "pubDate", format_datetime(_exact(item) or _start_of(issue.day)))
        _add(entry, "category", _section_title(view, shown))
        _add(entry, "description", _content(view, shown))
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)


def render_json_feed(issue: Issue, view: IssueView) -> bytes:
    """A JSON Feed 1.1."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{view.series} · {view.number_full}",
        "description": view.title,
        "home_page_url": address(view, "index.html"),
        "feed_url": address(view, "feed.json"),
        "language": view.language,
        "authors": [{"name": view.publisher or view.series}],
        "items": [_json_item(issue, view, item, shown) for item, shown in _pairs(issue, view)],
    }
    kept = {key: value for key, value in feed.items() if value not in ("", None)}
    return (json.dumps(kept, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _json_item(issue: Issue, view: IssueView, item: IssueItem, shown: ItemView) -> dict[str, Any]:
    exact = _exact(item)
    fields: dict[str, Any] = {
        "id": item_urn(issue, item),
        "url": item_address(view, shown),
        "external_url": shown.url,
        "title": shown.title,
        "content_html": _content(view, shown),
        "date_published": _rfc3339(exact) if exact else "",
        "date_modified": _rfc3339(_start_of(issue.day)),
        "tags": [_section_title(view, shown)],
        "language": shown.text_language,
    }
    return {key: value for key, value in fields.items() if value != ""}


def _content(view: IssueView, shown: ItemView) -> str:
    """The item as HTML without anything live; its title is the entry's own."""
    template = environment().get_template("feed_item.html")
    return template.render(issue=view, w=view.words.tables, item=shown).strip()


def _pairs(issue: Issue, view: IssueView) -> Iterator[tuple[IssueItem, ItemView]]:
    filled = [section for section in issue.sections if section.items]
    for section, shown in zip(filled, view.sections, strict=True):
        yield from zip(section.items, shown.items, strict=True)


def _section_title(view: IssueView, shown: ItemView) -> str:
    return view.sections[int(shown.number.split(".")[0]) - 1].title


def _exact(item: IssueItem) -> datetime | None:
    """When the source published it, where it told at least the day."""
    moment: PartialDate | None = item.item.lead.published or item.item.lead.updated
    if moment is None or moment.precision not in {"second", "minute", "day"}:
        return None
    value = moment.value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _rfc3339(moment: datetime) -> str:
    text = moment.isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    space = etree.QName(parent).namespace
    child: Any = etree.SubElement(parent, f"{{{space}}}{name}" if space else name, attributes)
    child.text = text
    return child
