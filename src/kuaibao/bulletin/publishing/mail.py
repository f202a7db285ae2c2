"""The issue as an e-mail: plain text and HTML, with the headers of a well-behaved mailing list.

One-click unsubscribing follows RFC 8058, list headers RFC 2369 and 2919. Every header value is put
on one line before it is set, and the standard library encodes it (RFC 2047).
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import quote

import css_inline

from kuaibao.bulletin.model import Issue
from kuaibao.bulletin.publishing.cleaning import clean_line, header_text, safe_url
from kuaibao.bulletin.publishing.errors import PublishingError
from kuaibao.bulletin.publishing.identity import NO_DOMAIN, address, domain, issue_urn, urn
from kuaibao.bulletin.publishing.markdown import plain_text
from kuaibao.bulletin.publishing.page import environment, template_text
from kuaibao.bulletin.publishing.view import IssueView, ItemView

__all__ = ["Envelope", "make_mail", "render_mail_text"]

_WIDTH = 72
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_UNSUBSCRIBE_SCHEMES = frozenset({"https", "mailto"})


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Who sends to whom, and how to leave."""

    sender: str = ""
    """An address; empty means the contact of the issue, or one that can't be reached."""
    recipient: str = ""
    unsubscribe_url: str = ""
    """An `https:` address that takes a POST (RFC 8058), different for each recipient."""


def make_mail(issue: Issue, view: IssueView, envelope: Envelope | None = None) -> EmailMessage:
    """The message; without an envelope it is a form letter whose addresses end in `.invalid`.

    Raises:
        PublishingError: An address of the envelope is none.
    """
    envelope = envelope or Envelope()
    host = domain(view)
    found = _PLAIN_ADDRESS.search(view.contact)
    origin = envelope.sender or (found.group() if found else f"bulletin@{host}")
    sender = _address(origin, view.publisher or view.series)
    recipient = _address(envelope.recipient or f"readers@{NO_DOMAIN}", "")
    leave = _unsubscribe(envelope, host)
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = sender
    message["To"] = recipient
    subject = view.words.word("mail.subject", series=view.series, number=view.number_full)
    message["Subject"] = header_text(subject)
    message["Date"] = format_datetime(datetime.combine(issue.day, time(), UTC))
    message["Message-ID"] = f"<{issue_urn(issue).removeprefix('urn:uuid:')}@{host}>"
    message["List-ID"] = f"<{urn('series', issue.series).removeprefix('urn:uuid:')}.{host}>"
    mailbox = quote(sender.addr_spec, safe="@")
    message["List-Unsubscribe"] = f"<{leave}>, <mailto:{mailbox}?subject=unsubscribe>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["Precedence"] = "list"
    message.set_content(render_mail_text(view, leave))
    message.add_alternative(_html(view, leave), subtype="html")
    message.set_boundary(f"=_{issue_urn(issue).removeprefix('urn:uuid:')}")
    return message


def render_mail_text(view: IssueView, unsubscribe_url: str = "") -> str:
    """The plain text that is read where HTML is not."""
    words = view.words
    lines = [view.series, view.number_full + "  " + view.day]
    if view.title != view.series:
        lines.insert(1, view.title)
    blocks = ["\n".join(lines), "\n".join(f"◇ {line}" for line in view.highlights)]
    if online := address(view, "index.html"):
        blocks.append(f"{words.word('mail.read_online')}{words.word('punctuation.colon')}{online}")
    for section in view.sections:
        blocks.append(f"{section.number}  {section.title}\n{'=' * (_columns(section.title) + 3)}")
        blocks += ["\n\n".join(_item_text(item, view)) for item in section.items]
    foot = [f"{row.label}{words.word('punctuation.colon')}{row.value}" for row in view.rows]
    foot += [view.disclaimer, words.word("mail.reason", series=view.series)]
    if unsubscribe_url:
        colon = words.word("punctuation.colon")
        foot.append(f"{words.word('mail.unsubscribe')}{colon}{unsubscribe_url}")
    blocks.append("-- \n" + "\n".join(line for line in foot if line))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _item_text(item: ItemView, view: IssueView) -> Iterator[str]:
    word, colon = view.words.word, view.words.word("punctuation.colon")
    head = [_wrapped(f"{item.number}  {item.title}")]
    head += [_wrapped(item.original_title)] if item.original_title else []
    about = [item.authors, item.source, item.published]
    head.append(_wrapped(" · ".join(text for text in about if text)))
    yield "\n".join(line for line in head if line)
    if meeting := item.conference:
        deadline = meeting.deadline or word("conference.deadline_unknown")
        rows = (("dates", meeting.dates), ("place", meeting.place), ("deadline", deadline))
        yield "\n".join(f"{word('conference.' + key)}{colon}{value}" for key, value in rows)
    for part in item.body:
        if part.figure is not None:
            yield f"[{word('item.figure')}{colon}{item.figures[part.figure].alt}]"
        elif text := plain_text(part.blocks):
            yield "\n".join(_wrapped(line) for line in text.split("\n"))
    for part in item.parts:
        label = f"{part.label}{colon}" if part.label else ""
        yield _wrapped(label + part.text)
    if item.facts:
        yield "\n".join(f"{fact.label}{colon}{fact.value}" for fact in item.facts)
    yield "\n".join([item.url or word("item.no_link"), item.signature])


def _html(view: IssueView, unsubscribe_url: str) -> str:
    """Tables and inline styles, as mail programs want them; nothing is fetched."""
    html = environment().get_template("mail.html").render(
        issue=view,
        w=view.words.tables,
        css=view.look.coloured(template_text("mail.css")),
        online=address(view, "index.html"),
        unsubscribe_url=unsubscribe_url,
        reason=view.words.word("mail.reason", series=view.series),
    )  # fmt: skip
    return css_inline.inline(html, load_remote_stylesheets=False, keep_style_tags=False)


def _unsubscribe(envelope: Envelope, host: str) -> str:
    given = envelope.unsubscribe_url
    if not given:
        return f"https://{host}/unsubscribe"
    if not (url := safe_url(given, schemes=_UNSUBSCRIBE_SCHEMES)) or "," in url:
        raise PublishingError(
            f"Not an address to unsubscribe at: {given!r}", hint="Give an https address."
        )
    return url


def _address(text: str, name: str) -> Address:
    """A mail address with a display name, both on one line."""
    shown, spec = parseaddr(clean_line(text))
    try:
        return Address(display_name=header_text(shown or name), addr_spec=spec)
    except (ValueError, IndexError) as error:
        raise PublishingError(f"Not a mail address: {text!r}") from error
    except Exception as error:  # email.errors.HeaderParseError and its like
        raise PublishingError(f"Not a mail address: {text!r}") from error


def _wrapped(text: str) -> str:
    """Lines of 72 columns; a Han character takes two and may end any line."""
    if not any(unicodedata.east_asian_width(character) in "WF" for character in text):
        return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(_wide_lines(text))


def _wide_lines(text: str) -> Iterator[str]:
    line = ""
    for character in text:
        no_start = character in "，。、；：？！）》」』”’…—·,.;:?!)]}"
        is_inside_word = character.isascii() and character.isalnum() and line[-1:].isascii()
        if _columns(line) + _columns(character) > _WIDTH and not no_start and not is_inside_word:
            yield line.rstrip()
            line = ""
        line += character
    yield line.rstrip()


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
