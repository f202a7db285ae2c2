"""From a frozen issue to what its readers see: everything is cleaned and put into words here."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace

from kuaibao.bulletin.model import (
    Conference,
    DraftSentence,
    Entry,
    Figure,
    Issue,
    IssueItem,
    IssueSection,
)
from kuaibao.bulletin.publishing.catalogue import Catalogue
from kuaibao.bulletin.publishing.cleaning import clean_line, safe_url
from kuaibao.bulletin.publishing.look import Look
from kuaibao.bulletin.publishing.markdown import parse_body
from kuaibao.bulletin.publishing.svg import clean_svg
from kuaibao.bulletin.publishing.view import (
    ConferenceView,
    FigureView,
    IssueView,
    ItemView,
    Part,
    Row,
    SectionView,
    Sentence,
    Source,
)

__all__ = ["make_view", "signature_line"]

_LANGUAGE_TAG = re.compile(r"^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$")
_DATA_URI = re.compile(r"^data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/=\s]+)$")
_MAGIC = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "webp": b"RIFF"}
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_IDENTIFIER_PAGES = {
    "doi": "https://doi.org/{}",
    "arxiv": "https://arxiv.org/abs/{}",
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/{}/",
}
_MAX_EVIDENCE = 8


def make_view(issue: Issue, look: Look | None = None) -> IssueView:
    """Turn a frozen issue into what its readers see, in the look of its series."""
    words = Catalogue.of(issue.language)
    series = clean_line(issue.series) or clean_line(issue.title) or "Kuaibao"
    publisher, contact = clean_line(issue.publisher), clean_line(issue.contact)
    editors = words.join([name for e in issue.editors if (name := clean_line(e))])
    mailto = f"mailto:{contact}" if _ADDRESS.fullmatch(contact) else ""
    rows = (("publisher", publisher, ""), ("editors", editors, ""), ("contact", contact, mailto))
    numbers = {"year": issue.day.year, "number": issue.number, "running": issue.running_number}
    filled = [section for section in issue.sections if section.items]
    return IssueView(
        words=words,
        language=words.html_language,
        series=series,
        title=clean_line(issue.title) or series,
        number=words.word("issue.number", **numbers),
        running=words.word("issue.running", **numbers),
        number_full=words.word("issue.number_full", **numbers),
        day=words.day(issue.day),
        day_iso=issue.day.isoformat(),
        year=issue.day.year,
        publisher=publisher,
        editors=editors,
        contact=contact,
        base_url=safe_url(issue.base_url),
        disclaimer=clean_line(issue.disclaimer),
        content_hash=clean_line(issue.content_hash),
        highlights=tuple(text for line in issue.highlights if (text := clean_line(line))),
        sections=tuple(_section(s, i, words) for i, s in enumerate(filled, start=1)),
        cover=_cover(issue, words),
        look=look or Look(),
        rows=tuple(
            Row(label=words.word(f"issue.{k}"), value=v, url=url) for k, v, url in rows if v
        ),
    )


def _section(section: IssueSection, number: int, words: Catalogue) -> SectionView:
    items = tuple(
        _item(item, f"{number}.{i}", words) for i, item in enumerate(section.items, start=1)
    )
    count = "issue.item_count_one" if len(items) == 1 else "issue.item_count"
    return SectionView(
        anchor=f"section-{number}",
        number=number,
        kind=section.kind,
        title=clean_line(section.title) or words.word(f"sections.{section.kind}"),
        count=words.word(count, count=len(items)),
        items=items,
    )


def _item(item: IssueItem, number: str, words: Catalogue) -> ItemView:
    entry, draft = item.item.lead, item.draft
    original = clean_line(entry.title)
    title = clean_line(draft.title) or original or words.word("item.untitled")
    figures = tuple(_figures(item, number))
    body = parse_body(item.body_markdown, [f.replaces for f in item.figures])
    placed = {part.figure for part in body if part.figure is not None}
    lead = 0 if figures and figures[0].image and 0 not in placed else None
    published = entry.published or entry.updated
    return ItemView(
        anchor=f"item-{number.replace('.', '-')}",
        number=number,
        kind=entry.kind,
        title=title,
        original_title=original if original != title else "",
        original_language=_language(entry.language),
        url=safe_url(entry.url),
        source=clean_line(entry.venue) or clean_line(entry.source_id),
        published=words.moment(published) if published else "",
        published_iso=published.day.isoformat() if published else "",
        authors=words.join([name for a in entry.authors if (name := clean_line(a))]),
        venue=clean_line(entry.venue),
        licence=clean_line(entry.licence),
        identifiers=tuple(_identifiers(entry)),
        key_phrases=tuple(text for k in draft.key_phrases if (text := clean_line(k))),
        parts=tuple(_parts(item, words)),
        facts=tuple(
            Row(label=words.label(clean_line(f.label)), value=value, url=safe_url(f.value))
            for f in draft.facts
            if (value := clean_line(f.value))
        ),
        body=body,
        cited=tuple(_cited(item)),
        figures=figures,
        lead_figure=lead,
        loose_figures=tuple(i for i in range(len(figures)) if i not in placed and i != lead),
        conference=_conference(entry.conference, words) if entry.conference else None,
        also=tuple(_also(item)),
        signature=signature_line(item, words),
        is_machine=draft.is_machine and not item.signatures,
        text_language=_language(draft.language) or words.html_language,
    )  # fmt: skip


def signature_line(item: IssueItem, words: Catalogue) -> str:
    """`(compiled by X, proofread by Y)`, or that the text is a machine's that nobody signed."""
    clauses: list[str] = []
    for role in ("compiled", "translated", "proofread"):
        people = dict.fromkeys(clean_line(s.person) for s in item.signatures if s.role == role)
        if names := [name for name in people if name]:
            clauses.append(words.word(f"signature.{role}", people=words.join(names)))
    if clauses:
        return words.word("signature.whole", clauses=words.word("punctuation.clause").join(clauses))
    if item.draft.is_machine:
        strategy = clean_line(item.draft.strategy) or "—"
        return words.word("signature.machine", strategy=strategy)
    return words.word("signature.unsigned")


def _parts(item: IssueItem, words: Catalogue) -> list[Part]:
    """Running text, then the labelled parts; nothing where a person's own text stands instead."""
    parts: list[Part] = []
    if item.draft.sentences and not item.body_markdown.strip():
        parts.append(Part(label="", sentences=_sentences(item.draft.sentences)))
    for name, sentences in item.draft.fields:
        if filled := _sentences(sentences):
            parts.append(Part(label=words.label(clean_line(name)), sentences=filled))
    return [part for part in parts if part.sentences]


def _cited(item: IssueItem) -> Iterator[Sentence]:
    if item.body_markdown.strip():
        for sentence in _sentences(item.draft.sentences):
            if sentence.sources or sentence.warnings:
                yield sentence


def _sentences(sentences: tuple[DraftSentence, ...]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(
            text=text,
            sources=tuple(
                Source(number=e.sentence + 1, text=quoted)
                for e in sentence.evidence[:_MAX_EVIDENCE]
                if (quoted := clean_line(e.text))
            ),
            warnings=tuple(text for w in sentence.warnings if (text := clean_line(w))),
        )
        for sentence in sentences
        if (text := clean_line(sentence.text))
    )


def _identifiers(entry: Entry) -> list[Row]:
    rows: list[Row] = []
    for scheme, value in entry.identifiers:
        name, value = clean_line(scheme), clean_line(value)
        if name and value:
            page = _IDENTIFIER_PAGES.get(name.lower(), "")
            shown = {"doi": "DOI", "arxiv": "arXiv", "pmid": "PMID"}.get(name.lower(), name.upper())
            rows.append(
                Row(label=shown, value=value, url=safe_url(page.format(value)) if page else "")
            )
    return rows


def _also(item: IssueItem) -> list[Row]:
    """The other entries that tell the same story."""
    seen = {safe_url(item.item.lead.url)}
    rows: list[Row] = []
    for entry in item.item.entries[1:]:
        url = safe_url(entry.url)
        if url in seen:
            continue
        seen.add(url)
        label = clean_line(entry.venue) or clean_line(entry.source_id)
        title = clean_line(entry.title) or url
        rows.append(Row(label=label, value=title, url=url, language=_language(entry.language)))
    return rows


def _conference(conference: Conference, words: Catalogue) -> ConferenceView:
    start = conference.start or conference.end
    end = conference.end or start
    dates = words.word("conference.dates_unknown")
    if start and end:
        dates = words.day_range(min(start, end), max(start, end))
    deadline = conference.deadline
    return ConferenceView(
        name=clean_line(conference.name),
        dates=dates,
        place=clean_line(conference.place) or words.word("conference.place_unknown"),
        deadline=words.moment(deadline, with_time=True) if deadline else "",
        start=start.isoformat() if start else "",
        end=end.isoformat() if end else "",
        day=str(start.day) if start else "",
        month=f"{words.words('months')['short'][start.month - 1]}" if start else "",
    )


def _figures(item: IssueItem, number: str) -> list[FigureView]:
    return [_figure(f, f"f{number.replace('.', '-')}-{i}-") for i, f in enumerate(item.figures)]


def _figure(figure: Figure, prefix: str) -> FigureView:
    svg = clean_svg(figure.svg, prefix=prefix)
    caption = clean_line(figure.caption)
    source = [text for t in (figure.source, figure.licence) if (text := clean_line(t))]
    return FigureView(
        svg=svg,
        image="" if svg else _image(figure.image),
        alt=clean_line(figure.alt) or caption,
        caption=caption,
        source=", ".join(source),
        source_url=safe_url(figure.source_url),
    )


def _cover(issue: Issue, words: Catalogue) -> FigureView | None:
    """The strip, named by what it is where it says nothing of itself."""
    if issue.cover is None:
        return None
    cover = _figure(issue.cover, "cover-")
    if not cover.image:
        return None
    return replace(cover, alt=cover.alt or words.word("issue.cover"))


def _image(uri: str) -> str:
    """A data URI whose bytes are what it says, or nothing."""
    match = _DATA_URI.match(uri.strip())
    if not match:
        return ""
    try:
        data = base64.b64decode(match.group(2), validate=False)
    except ValueError:
        return ""
    encoded = base64.b64encode(data).decode("ascii")
    return (
        f"data:image/{match.group(1)};base64,{encoded}"
        if data.startswith(_MAGIC[match.group(1)])
        else ""
    )


def _language(tag: str) -> str:
    return tag if _LANGUAGE_TAG.match(tag) else ""
