"""Kind `mailbox`: newsletters and lists from a maildir or by IMAP; nothing is marked read."""

from __future__ import annotations

import email
import email.policy
import imaplib
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import model_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.asking import LayoutError, conclude, guarded, newest_first
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.identifiers import identifiers_in
from kuaibao.bulletin.sources.json_api import secret
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)
from kuaibao.errors import InputError

__all__ = ["MailboxSettings", "MailboxSource", "entry_of_mail"]

MAX_MAIL_BYTES = 10 * 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
MAX_BOUNDARIES = 200
MAX_CONTENT_BYTES = 500
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CONTENT = re.compile(rb"(?im)^content-[\w-]{1,40}:[^\n]*(?:\n[ \t][^\n]*)*")
_BOUNDARY = re.compile(rb"(?m)^--\S")
MAX_MAILS = 1000
_WEB_VERSION = re.compile(
    r"(?i)view (?:this|it|the)?.{0,30}(?:browser|online|web)|在线阅读|网页版|在浏览器中"
)
_ANCHOR = re.compile(
    r"(?is)<a\s[^>]*href\s*=\s*[\"'](https?://[^\"'\s<>]{1,2000})[\"'][^>]*>(.{0,300}?)</a>"
)
_IMAP_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class MailboxSettings(SourceSettings):
    """A folder of messages on this machine, or a mail server."""

    path: str = ""
    """A maildir (with `cur` and `new`), or a folder of `.eml` files."""
    host: str = ""
    """IMAP server; the connection is always encrypted, its address passes the guard."""
    port: int = 993
    """Of the server."""
    user: str = ""
    """Name at the server."""
    password_env: str = ""
    """Name of the environment variable that holds the password."""
    folder: str = "INBOX"
    """Folder at the server."""
    days: int = 30
    """Messages of so many days."""
    senders: str = ""
    """Only messages whose From or List-Id contains this."""

    @model_validator(mode="after")
    def _one_place(self) -> MailboxSettings:
        if bool(self.path) == bool(self.host):
            raise ValueError("give either path or host")
        if self.host and not (self.user and self.password_env):
            raise ValueError("host needs user and password_env")
        return self


@dataclass(frozen=True)
class MailboxSource:
    """A mailbox."""

    source_id: str
    settings: MailboxSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "mailbox"
    settings_type: ClassVar[type[MailboxSettings]] = MailboxSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Read the messages of the last days."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        raw = self._stored() if self.settings.path else self._from_server(context)
        oldest = context.now - timedelta(days=self.settings.days)
        entries: dict[str, Entry] = {}
        for data in raw:
            entry = entry_of_mail(data, self.source_id, self.settings)
            if entry is None or (entry.published and entry.published.value < oldest):
                continue
            entries[entry.entry_id] = replace(entry, retrieved=context.now)
        found = newest_first(list(entries.values()), self.settings)
        return conclude(context, found, dict(context.state))

    def _stored(self) -> Iterator[bytes]:
        root = self.base_dir / self.settings.path
        folders = [root / name for name in ("new", "cur") if (root / name).is_dir()] or [root]
        if not root.is_dir():
            raise InputError(f"{root}: no such folder")
        files = [Path(e.path) for folder in folders for e in os.scandir(folder) if e.is_file()]
        if folders == [root]:
            files = [file for file in files if file.suffix.lower() == ".eml"]
        files.sort(key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for file in files[:MAX_MAILS]:
            if file.stat().st_size <= MAX_MAIL_BYTES:
                yield file.read_bytes()

    def _from_server(self, context: SourceContext) -> Iterator[bytes]:
        password = secret(context, self.settings.password_env)
        since = context.now - timedelta(days=self.settings.days)
        date = f"{since.day:02}-{_IMAP_MONTHS[since.month - 1]}-{since.year}"
        try:
            server = _GuardedImap(self.settings.host, self.settings.port, context.fetcher)
            with server:
                server.login(self.settings.user, password)
                status, _ = server.select(_quoted(self.settings.folder), readonly=True)
                if status != "OK":
                    raise LayoutError(f"the server has no folder '{self.settings.folder}'")
                _, found = server.uid("SEARCH", f"(SINCE {date})")
                for number in (found[0] or b"").split()[-MAX_MAILS:]:
                    yield from _message(server, number.decode("ascii"))
        except imaplib.IMAP4.error as error:
            said = one_line(str(error)).replace(password, "***")[:200]
            raise LayoutError(f"the mail server refuses: {said}") from error


class _GuardedImap(imaplib.IMAP4_SSL):
    """IMAP over a connection that has passed the guard."""

    def __init__(self, host: str, port: int, fetcher: Any) -> None:
        self._fetcher = fetcher
        super().__init__(host, port, timeout=30)

    def _create_socket(self, timeout: float | None) -> Any:
        connection = self._fetcher.connect(self.host, self.port, timeout_s=timeout or 30.0)
        return self.ssl_context.wrap_socket(connection, server_hostname=self.host)


def _message(server: imaplib.IMAP4, number: str) -> Iterator[bytes]:
    _, sizes = server.uid("FETCH", number, "(RFC822.SIZE)")
    size = re.search(rb"RFC822\.SIZE (\d{1,12})", sizes[0] if sizes and sizes[0] else b"")
    if size is None or int(size.group(1)) > MAX_MAIL_BYTES:
        return
    _, parts = server.uid("FETCH", number, "(BODY.PEEK[])")
    for part in parts:
        if isinstance(part, tuple):
            yield part[1]


def _quoted(folder: str) -> str:
    return (
        '"'
        + folder.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")
        + '"'
    )


def entry_of_mail(data: bytes, source_id: str, settings: MailboxSettings) -> Entry | None:
    """A message as an entry; None if it is not from a wanted sender or cannot be read."""
    head_end = _HEAD_END.search(data)
    if (head_end.start() if head_end else len(data)) > MAX_HEAD_BYTES:
        return None  # the parser of addresses is slow, and no person writes so many
    try:
        data = _bounded(data)
        mail = email.message_from_bytes(data, policy=email.policy.default)
        sender = _header(mail, "From")
        listed = _header(mail, "List-Id")
        if settings.senders and settings.senders.lower() not in f"{sender} {listed}".lower():
            return None
        text, markup = _bodies(mail)
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError):
        return None
    subject = one_line(_header(mail, "Subject"))
    name, address = next(iter(getaddresses([sender])), ("", ""))
    body = plain_text(markup) if markup and len(text) < 200 else text.strip()
    url = _web_address(mail, markup)
    venue = re.sub(r"\s*<[^>]*>\s*$", "", listed).strip().strip('"') or name
    return Entry(
        source_id=source_id,
        entry_id=_header(mail, "Message-ID").strip() or f"{subject} {_header(mail, 'Date')}",
        kind=settings.item_kind or "news",
        title=subject or body[:80],
        url=url,
        authors=(one_line(name or address),) if name or address else (),
        published=_date(_header(mail, "Date")),
        language=settings.language,
        content=body,
        identifiers=identifiers_in(url),
        venue=one_line(venue),
        licence=settings.licence,
    )


def _bounded(data: bytes) -> bytes:
    """A message without what comes after so many boundaries, its parts' headers cut short.

    The standard parser's time grows with the square of a header's parameters.
    """
    starts = [m.start() for m in itertools.islice(_BOUNDARY.finditer(data), MAX_BOUNDARIES + 1)]
    data = data[: starts[-1]] if len(starts) > MAX_BOUNDARIES else data
    return _CONTENT.sub(lambda match: match.group(0)[:MAX_CONTENT_BYTES], data)


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return str(mail.get(name, ""))
    except (ValueError, IndexError, AttributeError, TypeError):  # the parser's own stumbles
        return ""


def _bodies(mail: EmailMessage) -> tuple[str, str]:
    text = markup = ""
    for number, part in enumerate(mail.walk()):
        if number > 200:
            break
        kind = part.get_content_type()
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        if kind in ("text/plain", "text/html"):
            payload = part.get_payload(decode=True)
            data = payload if isinstance(payload, bytes) else b""
            decoded = decode(data, str(part.get("Content-Type", ""))).text
            if kind == "text/plain":
                text = text or decoded
            else:
                markup = markup or decoded
    return text, markup


def _web_address(mail: EmailMessage, markup: str) -> str:
    """Where the message can be read: its archive, or its own link to the web version."""
    archived = re.search(r"https?://[^\s<>]+", _header(mail, "Archived-At"))
    if archived:
        return archived.group(0)
    for match in _ANCHOR.finditer(markup[:200_000]):
        if _WEB_VERSION.search(plain_text(match.group(2))):
            return match.group(1).replace("&amp;", "&")
    return ""


def _date(text: str) -> PartialDate | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        return PartialDate(value=moment.replace(tzinfo=UTC), zone="")
    return PartialDate(value=moment.astimezone(UTC), zone=moment.strftime("%z") or "UTC")
