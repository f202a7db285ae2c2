"""From pieces to the issue that publishing renders: the same value that `kuaibao build` makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection

from kuaibao.bulletin.desk.checking import evidence_of
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.pieces import Piece, load_signatures, load_text
from kuaibao.bulletin.desk.series import Series
from kuaibao.bulletin.desk.sources import Original, original_of
from kuaibao.bulletin.desk.text import PieceText
from kuaibao.bulletin.model import (
    Draft,
    DraftSentence,
    Fact,
    Issue,
    IssueItem,
    IssueSection,
    SectionKind,
    Signature,
)
from kuaibao.bulletin.store import hash_issue
from kuaibao.bulletin.writing import draw_figures, lead_figure
from kuaibao.text import key_phrases

__all__ = ["assemble"]

_ROLES = ("compiled", "translated", "proofread")


def assemble(
    desk: Desk, connection: Connection, series: Series, issue: Any, pieces: Sequence[Piece]
) -> Issue:
    """The issue as it is printed, with its hash."""
    sections: list[IssueSection] = []
    for section in series.sections:
        kind = cast("SectionKind", section.kind)
        own = [p for p in pieces if p.section == kind]
        items = tuple(_printed(desk, connection, series, p) for p in own)
        if items:
            sections.append(IssueSection(kind=kind, title=section.title, items=items))
    highlights = issue.highlights or tuple(
        s.items[0].draft.title for s in sections if s.kind != "conferences"
    )
    made = Issue(
        series=series.name, title=issue.title, language=series.language, number=issue.number,
        running_number=issue.running_number, day=date.fromisoformat(issue.day),
        sections=tuple(sections), publisher=series.publisher, editors=series.editors,
        contact=series.contact, base_url=series.base_url,
        disclaimer=series.disclaimer, highlights=tuple(highlights),
        cover=desk.pictures.cover(series.name, issue.running_number) if desk.pictures else None,
    )  # fmt: skip
    return dataclasses.replace(made, content_hash=hash_issue(made))


def _printed(desk: Desk, connection: Connection, series: Series, piece: Piece) -> IssueItem:
    original = original_of(desk, series, piece)
    text = load_text(connection, piece.piece_id, piece.revision)
    signatures = _signatures(connection, piece)
    item = dataclasses.replace(
        original.item, section=piece.section, score=piece.score, reasons=piece.reasons
    )
    body, figures = "", ()
    if text.is_markdown:
        body, figures = text.body, draw_figures(text.body).figures
    if desk.pictures is not None:
        known = desk.pictures.of(piece.item_id)
        title = text.title or piece.lead_title
        lead = lead_figure(item, known, title=title, language=series.language)
        figures = (lead, *figures) if lead.image else figures
    draft = Draft(
        item_id=piece.item_id,
        language=series.language,
        title=text.title or piece.lead_title,
        sentences=_sentences(text.body, text, original),
        fields=tuple(
            (name, _sentences(part, text, original)) for name, part in text.fields if part.strip()
        ),
        facts=_facts(original),
        key_phrases=tuple(p.text for p in key_phrases(f"{text.title}\n\n{text.body}", n=5)),
        strategy="person" if signatures else "machine",
        is_machine=not signatures,
    )
    return IssueItem(
        item=item, draft=draft, signatures=signatures, body_markdown=body, figures=figures
    )


def _sentences(part: str, text: PieceText, original: Original) -> tuple[DraftSentence, ...]:
    by_text = {s.text: s for s in evidence_of(text, original)}
    inner = PieceText(body=part).sentences()
    return tuple(by_text.get(s, DraftSentence(text=s)) for _, s in inner)


def _signatures(connection: Connection, piece: Piece) -> tuple[Signature, ...]:
    """Those that hold, one for each role and person, in the order of the work."""
    found: dict[tuple[str, int], Signature] = {}
    for one in load_signatures(connection, piece.piece_id):
        stands = one.role != "proofread" or one.text_hash == piece.text_hash
        if not one.is_void and stands:
            role = cast("Literal['compiled', 'translated', 'proofread']", one.role)
            at = datetime.fromtimestamp(one.at, UTC).replace(microsecond=0)
            found[one.role, one.person_id] = Signature(role=role, person=one.name, at=at)
    return tuple(sorted(found.values(), key=lambda s: _ROLES.index(s.role)))


def _facts(original: Original) -> tuple[Fact, ...]:
    """What the entry's own fields state."""
    entry, facts = original.entry, []
    if entry.kind == "tool":
        version = entry.entry_id.partition("==")[2]
        facts += [Fact(label="version", value=version)] if version else []
        facts += [Fact(label="licence", value=entry.licence)] if entry.licence else []
        facts += [Fact(label="home_page", value=entry.url)] if entry.url else []
    return tuple(facts)


def corrected_item(item: IssueItem, text: PieceText) -> IssueItem:
    """A printed item with another text; its evidence stays with the sentences that stayed."""
    old = [*item.draft.sentences, *(s for _, part in item.draft.fields for s in part)]
    known = {s.text: s for s in old}

    def sentences(part: str) -> tuple[DraftSentence, ...]:
        inner = PieceText(body=part).sentences()
        return tuple(known.get(s, DraftSentence(text=s)) for _, s in inner)

    body, figures = "", item.figures
    if text.is_markdown:
        drawn = draw_figures(text.body).figures
        body, figures = text.body, (*(f for f in item.figures if f.image), *drawn)
    draft = dataclasses.replace(
        item.draft,
        title=text.title or item.draft.title,
        sentences=sentences(text.body),
        fields=tuple((name, sentences(part)) for name, part in text.fields if part.strip()),
    )
    return dataclasses.replace(item, draft=draft, body_markdown=body, figures=figures)
