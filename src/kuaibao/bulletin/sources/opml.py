"""OPML 1.0 to 2.0: lists of feeds in and out (readers exchange their subscriptions in it)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from kuaibao.errors import InputError

__all__ = ["Subscription", "read_opml", "write_opml"]

MAX_OUTLINES = 50_000
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One feed of a list."""

    url: str
    title: str = ""
    home: str = ""
    folder: str = ""
    """Names of the outlines around it, joined by ` / `."""


def read_opml(data: bytes) -> list[Subscription]:
    """The feeds of an OPML file, each address once, in its order.

    Raises:
        InputError: It is no OPML.
    """
    root = _parse(data)
    if root is None or _local(root) != "opml":
        raise InputError("this is no OPML")
    found: dict[str, Subscription] = {}
    for outline, folder in _outlines(root):
        names = {name.lower(): value.strip() for name, value in outline.attrib.items()}
        url = names.get("xmlurl", "")
        url = "https:" + url.removeprefix("feed:") if url.startswith("feed://") else url
        if url and url not in found:
            found[url] = Subscription(
                url=url,
                title=names.get("title") or names.get("text", ""),
                home=names.get("htmlurl", ""),
                folder=folder,
            )
        if len(found) >= MAX_OUTLINES:
            break
    return list(found.values())


def _parse(data: bytes) -> Any:
    """Strictly, else as far as it can be read; nothing is expanded or fetched."""
    for recover in (False, True):
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            recover=recover,
        )
        try:
            return etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError):
            continue
    return None


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _outlines(root: Any) -> Iterator[tuple[Any, str]]:
    """Every outline with the names around it; without recursion, as lists may nest deeply."""
    waiting: list[tuple[Any, str]] = [(root, "")]
    while waiting:
        element, folder = waiting.pop()
        inside = folder
        if _local(element) == "outline":
            yield element, folder
            if not any(name.lower() == "xmlurl" for name in element.attrib):
                name = element.get("title") or element.get("text") or ""
                inside = " / ".join(part for part in (folder, name.strip()) if part)
        waiting += [(child, inside) for child in reversed(element)]


def write_opml(subscriptions: Iterable[Subscription], title: str = "Kuaibao") -> bytes:
    """An OPML 2.0 file; folders become outlines around their feeds."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _clean(title)
    etree.SubElement(head, "dateCreated").text = format_datetime(datetime.now(UTC), usegmt=True)
    body = etree.SubElement(root, "body")
    folders: dict[str, Any] = {"": body}
    for subscription in subscriptions:
        parent = body
        path = ""
        for name in (n for n in subscription.folder.split(" / ") if n):
            path = f"{path} / {name}"
            if path not in folders:
                folders[path] = etree.SubElement(parent, "outline", text=_clean(name))
            parent = folders[path]
        attributes = {"type": "rss", "text": _clean(subscription.title or subscription.url),
                      "xmlUrl": _clean(subscription.url)}  # fmt: skip
        if subscription.home:
            attributes["htmlUrl"] = _clean(subscription.home)
        etree.SubElement(parent, "outline", attributes)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))


def _clean(text: str) -> str:
    return _ILLEGAL.sub("", text)
