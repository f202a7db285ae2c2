"""One issue, all its forms: rendered in memory first, then put in place together."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kuaibao.bulletin.model import Issue
from kuaibao.bulletin.publishing.as_json import render_json
from kuaibao.bulletin.publishing.bibtex import render_bibtex
from kuaibao.bulletin.publishing.epub import render_epub
from kuaibao.bulletin.publishing.errors import MissingFontError
from kuaibao.bulletin.publishing.feeds import render_atom, render_json_feed, render_rss
from kuaibao.bulletin.publishing.ics import render_ics
from kuaibao.bulletin.publishing.look import Look
from kuaibao.bulletin.publishing.mail import Envelope, make_mail
from kuaibao.bulletin.publishing.make_view import make_view
from kuaibao.bulletin.publishing.page import PageLink, render_page
from kuaibao.bulletin.publishing.ris import render_ris
from kuaibao.bulletin.publishing.view import IssueView
from kuaibao.errors import InputError, did_you_mean
from kuaibao.files import atomic_path

__all__ = ["ALL_FORMATS", "Published", "publish", "render"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """Where the forms of an issue lie."""

    folder: Path
    paths: dict[str, Path]
    """Format (`html`, `pdf`, …) → file."""
    notices: tuple[str, ...] = ()
    """What could not be made, why, and what to do about it."""


class _Form(NamedTuple):
    file: str
    title: str
    media_type: str
    render: Callable[[Issue, IssueView, Envelope | None], bytes]
    is_alternate: bool = True
    """A form of the whole issue, so that the page names it in its head."""


def _pdf(issue: Issue, view: IssueView, envelope: Envelope | None) -> bytes:
    from kuaibao.bulletin.publishing.pdf import render_pdf  # Typst is large: only when it is asked

    return render_pdf(view)


def _page(issue: Issue, view: IssueView, envelope: Envelope | None) -> bytes:
    return render_page(view).encode("utf-8")


# In the order in which they are put in place; issue.json last: where it lies, all lie.
_FORMS: dict[str, _Form] = {
    "pdf": _Form("issue.pdf", "PDF", "application/pdf", _pdf),
    "epub": _Form("issue.epub", "EPUB", "application/epub+zip", lambda i, v, _: render_epub(i, v)),
    "atom": _Form("feed.xml", "Atom", "application/atom+xml", lambda i, v, _: render_atom(i, v)),
    "rss": _Form("feed.rss", "RSS", "application/rss+xml", lambda i, v, _: render_rss(i, v)),
    "json_feed": _Form(
        "feed.json", "JSON Feed", "application/feed+json", lambda i, v, _: render_json_feed(i, v)
    ),
    "ics": _Form(
        "conferences.ics", "iCalendar", "text/calendar", lambda i, v, _: render_ics(i, v), False
    ),
    "bibtex": _Form(
        "papers.bib", "BibTeX", "application/x-bibtex", lambda i, v, _: render_bibtex(i), False
    ),
    "ris": _Form(
        "papers.ris",
        "RIS",
        "application/x-research-info-systems",
        lambda i, v, _: render_ris(i),
        False,
    ),
    "mail": _Form(
        "mail.eml", "E-mail", "message/rfc822", lambda i, v, e: make_mail(i, v, e).as_bytes(), False
    ),
    "html": _Form("index.html", "HTML", "text/html", _page, False),
    "json": _Form("issue.json", "JSON", "application/json", lambda i, v, _: render_json(i), False),
}

ALL_FORMATS: tuple[str, ...] = tuple(_FORMS)


def publish(
    issue: Issue,
    out_dir: str | os.PathLike[str],
    formats: Collection[str] = ALL_FORMATS,
    *,
    envelope: Envelope | None = None,
    look: Look | None = None,
) -> Published:
    """Write the forms of an issue into a folder.

    Everything is rendered before anything is written: an error leaves the folder as it was. Each
    file is then replaced atomically, `issue.json` last.

    Args:
        issue: A frozen issue.
        out_dir: Made if need be; files of other names in it are left alone.
        formats: Some of `ALL_FORMATS`.
        envelope: Sender, recipient and unsubscribing address of the e-mail.
        look: The colour of the series.

    Raises:
        InputError: An unknown format.
        MissingFontError: The PDF is all that was asked for, and no Chinese font was found.
        PublishingError: A form could not be rendered.
    """
    rendered, notices = render(issue, formats, envelope=envelope, look=look)
    folder = Path(out_dir)
    paths = {name: folder / _FORMS[name].file for name in rendered}
    with ExitStack() as stack:  # all written and flushed, then all renamed, the last opened first
        for name in reversed(list(rendered)):
            stack.enter_context(atomic_path(paths[name])).write_bytes(rendered[name])
    for name in set(formats) - set(rendered):  # an older one would belong to another text
        (folder / _FORMS[name].file).unlink(missing_ok=True)
    return Published(folder=folder, paths=paths, notices=notices)


def render(
    issue: Issue,
    formats: Collection[str] = ALL_FORMATS,
    *,
    envelope: Envelope | None = None,
    look: Look | None = None,
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The forms as bytes in the order of `ALL_FORMATS`, and notices of those left out."""
    for name in formats:
        if name not in _FORMS:
            raise InputError(f"Unknown format {name!r}", hint=did_you_mean(name, ALL_FORMATS))
    view = make_view(issue, look)
    rendered: dict[str, bytes] = {}
    notices: list[str] = []
    for name in (n for n in _FORMS if n in formats):
        if name == "html":
            rendered[name] = render_page(view, list(_links(rendered))).encode("utf-8")
            continue
        try:
            rendered[name] = _FORMS[name].render(issue, view, envelope)
        except MissingFontError as error:
            if len(formats) == 1:
                raise
            notices.append(str(error))
    return rendered, tuple(notices)


def _links(rendered: Collection[str]) -> Iterator[PageLink]:
    """The other forms, as the page lists them; the e-mail is nobody's to click."""
    for name in rendered:
        form = _FORMS[name]
        if name != "mail":
            rel = "alternate" if form.is_alternate else ""
            yield PageLink(href=form.file, title=form.title, type=form.media_type, rel=rel)
