"""Names that stay the same for ever: of an issue, of its items, of its mail.

A feed reader, a calendar and a mailbox know a thing by its id alone; a new build of the same issue
must not make a second one.
"""

from __future__ import annotations

import re
import uuid
from urllib.parse import urljoin, urlsplit

from kuaibao.bulletin.model import Issue, IssueItem
from kuaibao.bulletin.publishing.cleaning import clean_line
from kuaibao.bulletin.publishing.view import IssueView, ItemView

__all__ = ["address", "domain", "issue_urn", "item_urn", "urn"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://kuaibao.invalid/")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
NO_DOMAIN = "kuaibao.invalid"
"""Stands where an issue has no address of its own (RFC 2606: never resolves)."""


def urn(*parts: str) -> str:
    """A `urn:uuid:` made from these words (RFC 9562, version 5)."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join(clean_line(part) for part in parts)).urn


def issue_urn(issue: Issue) -> str:
    """The issue's id: series, language, year and number; not its text, which may be corrected."""
    return urn("issue", issue.series, issue.language, str(issue.day.year), str(issue.number))


def item_urn(issue: Issue, item: IssueItem) -> str:
    """The id of an item in its issue."""
    return urn("item", issue_urn(issue), item.item.item_id or item.item.lead.entry_id)


def domain(issue: IssueView) -> str:
    """The host where the issue is read."""
    host = urlsplit(issue.base_url).hostname or ""
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError:
        return NO_DOMAIN
    return host if _HOST.fullmatch(host) else NO_DOMAIN


def address(issue: IssueView, path: str = "") -> str:
    """Where a file of the issue is read; "" for an issue without an address."""
    if not issue.base_url:
        return ""
    base = issue.base_url if issue.base_url.endswith("/") else issue.base_url + "/"
    return urljoin(base, path)


def item_address(issue: IssueView, item: ItemView) -> str:
    """Where the item is read: in the issue if it has an address, else at its source."""
    return address(issue, f"index.html#{item.anchor}") or item.url
