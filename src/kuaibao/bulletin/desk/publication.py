"""Publishing a closed issue: asked for, then done; a killed one is gone on with."""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select, update

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.assembling import corrected_item
from kuaibao.bulletin.desk.desk import Change, Desk
from kuaibao.bulletin.desk.errors import WorkflowError
from kuaibao.bulletin.desk.issues import (
    DeskIssue,
    Erratum,
    errata_json,
    load_issue,
    load_issue_pieces,
    with_number,
)
from kuaibao.bulletin.desk.memory import remember_issue
from kuaibao.bulletin.desk.pieces import load_facts, load_piece
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.series import get_series, look_of
from kuaibao.bulletin.desk.steps import apply_decision
from kuaibao.bulletin.desk.text import PieceText
from kuaibao.bulletin.desk.workflow import decide
from kuaibao.bulletin.desk.writing import add_revision, checked
from kuaibao.bulletin.model import Issue, IssueItem
from kuaibao.bulletin.publishing import publish
from kuaibao.bulletin.settings import FORMATS
from kuaibao.bulletin.store import codec, save_issue, save_publication
from kuaibao.errors import InputError
from kuaibao.files import FileLock, hash_value

__all__ = ["ask_to_publish", "correct_issue", "finish_publications", "issue_folder",
           "publish_issue"]  # fmt: skip

MAX_WAIT_S = 300.0
WEB_FORMATS = tuple(dict.fromkeys([*FORMATS, "rss", "json_feed"]))
_CORRECTION = {
    "en": "“{title}”, corrected on {day}: {note}", "zh": "{day} 更正《{title}》：{note}",
}  # fmt: skip


def issue_folder(desk: Desk, issue: DeskIssue) -> Path:
    """Where an issue's files lie: a folder of its series, named by year and number."""
    series = get_series(desk, issue.series_id)
    slug = unicodedata.normalize("NFKC", series.name).lower()
    slug = re.sub(r"[^\w]+", "-", slug, flags=re.UNICODE).strip("-")[:60] or "series"
    return desk.out / f"{slug}-{series.series_id}" / f"{issue.year}-{issue.number:02d}"


def ask_to_publish(desk: Desk, actor: Actor, issue_id: int) -> DeskIssue:
    """Note that a closed issue is to be published; from here a kill delays but never loses it."""
    actor.require("publish")
    with desk.change() as change:
        issue = load_issue(change.connection, issue_id)
        if issue.state != "closed":
            raise WorkflowError("close the issue before publishing it", reason="wrong_state")
        if issue.publish_at is None:
            change.connection.execute(
                update(tables.issue)
                .where(tables.issue.c.issue_id == issue_id)
                .values(publish_at=desk.now)
            )
            for piece in load_issue_pieces(change.connection, issue_id):
                facts = load_facts(change.connection, piece)
                apply_decision(change, actor, piece, decide(facts, actor, "publish"), "publish")
            change.log(actor, "publish", issue_id=issue_id, from_state="closed")
        return load_issue(change.connection, issue_id)


def finish_publications(desk: Desk, formats: Sequence[str] = WEB_FORMATS) -> list[DeskIssue]:
    """Render every issue that was asked to be published and is not yet; gives those done.

    Safe to call at any time and again: the frozen text decides what is written, each file is put in
    place whole, and the last step says that it is done.
    """
    columns = tables.issue.c
    query = select(columns.issue_id).where(
        columns.publish_at.is_not(None), columns.published_at.is_(None)
    )
    with desk.store.database.read() as connection:
        waiting = list(connection.execute(query).scalars())
    return [_finish(desk, issue_id, formats) for issue_id in waiting]


def publish_issue(
    desk: Desk, actor: Actor, issue_id: int, formats: Sequence[str] = WEB_FORMATS
) -> DeskIssue:
    """Ask and do."""
    ask_to_publish(desk, actor, issue_id)
    finish_publications(desk, formats)
    with desk.store.database.read() as connection:
        return load_issue(connection, issue_id)


def correct_issue(
    desk: Desk, actor: Actor, issue_id: int, piece_id: int, text: PieceText, note: str
) -> DeskIssue:
    """An erratum: correct an item of a published issue, say so in it, publish it anew.

    The hash before stays on record; the revision before stays in the item's history.

    Raises:
        InputError: No note, or the item is not in the issue.
    """
    actor.require("correct")
    text = checked(text)
    if not note.strip():
        raise InputError("say in a sentence what was corrected")
    with desk.change() as change:
        issue = load_issue(change.connection, issue_id)
        if issue.state != "published":
            raise WorkflowError("only a published issue has errata", reason="wrong_state")
        row = change.connection.execute(
            select(tables.issue.c.payload).where(tables.issue.c.issue_id == issue_id)
        ).scalar_one()
        piece = load_piece(change.connection, piece_id)
        frozen = codec.decode(Issue, row)
        if piece.issue_id != issue_id:
            raise InputError("the item is not in this issue")
        number = add_revision(
            change, piece, text, actor.person_id, "erratum", base=piece.revision, note=note
        )
        change.connection.execute(
            update(tables.piece)
            .where(tables.piece.c.piece_id == piece_id)
            .values(revision=number, title=text.title, text_hash=text.hash, changed_at=desk.now)
        )
        erratum = Erratum(
            day=desk.today.isoformat(), person=actor.person.display_name, note=note.strip()[:1000],
            previous_hash=frozen.content_hash,
        )  # fmt: skip
        corrected = _corrected(frozen, piece.item_id, text, erratum)
        _save_corrected(change, issue, corrected, erratum)
        change.log(
            actor, "erratum", issue_id=issue_id, piece_id=piece_id, revision=number,
            details={"note": erratum.note, "previous_hash": erratum.previous_hash,
                     "content_hash": corrected.content_hash},
        )  # fmt: skip
    finish_publications(desk)
    with desk.store.database.read() as connection:
        return load_issue(connection, issue_id)


def _finish(desk: Desk, issue_id: int, formats: Sequence[str]) -> DeskIssue:
    """One publisher at a time: the server and a command may both find the same issue waiting."""
    with desk.store.database.read() as connection:
        folder = issue_folder(desk, load_issue(connection, issue_id))
    with FileLock(folder.parent / ".publishing.lock", timeout_s=MAX_WAIT_S):
        return _render(desk, issue_id, folder, formats)


def _render(desk: Desk, issue_id: int, folder: Path, formats: Sequence[str]) -> DeskIssue:
    with desk.store.database.read() as connection:
        issue = load_issue(connection, issue_id)
        payload = connection.execute(
            select(tables.issue.c.payload).where(tables.issue.c.issue_id == issue_id)
        ).scalar_one()
    if issue.published_at is not None:
        return issue
    frozen = codec.decode(Issue, payload)
    made = publish(frozen, folder, formats, look=look_of(desk, issue.series_id))
    for path in folder.glob(".*"):  # half-written by one that was killed
        path.unlink(missing_ok=True)
    files = {name: path.name for name, path in made.paths.items()}
    save_issue(desk.store, frozen)
    save_publication(desk.store, folder, hash_value([frozen.content_hash, sorted(formats)]), files)
    with desk.change() as change:
        change.connection.execute(
            update(tables.issue)
            .where(tables.issue.c.issue_id == issue_id)
            .values(state="published", published_at=desk.now, files=json.dumps(files))
        )
        remember_issue(change, issue, desk)
        change.log(None, "published", issue_id=issue_id, from_state="closed",
                   to_state="published", details={"content_hash": frozen.content_hash})  # fmt: skip
        return load_issue(change.connection, issue_id)


def _corrected(frozen: Issue, item_id: str, text: PieceText, erratum: Erratum) -> Issue:
    def new(item: IssueItem) -> IssueItem:
        return corrected_item(item, text) if item.item.item_id == item_id else item

    sections = tuple(
        dataclasses.replace(s, items=tuple(new(i) for i in s.items)) for s in frozen.sections
    )
    line = _CORRECTION.get(frozen.language, _CORRECTION["en"]).format(
        day=erratum.day, title=text.title, note=erratum.note
    )
    disclaimer = f"{frozen.disclaimer}\n{line}".strip()
    return with_number(frozen, sections=sections, disclaimer=disclaimer)


def _save_corrected(change: Change, issue: DeskIssue, corrected: Issue, erratum: Erratum) -> None:
    change.connection.execute(
        update(tables.issue)
        .where(tables.issue.c.issue_id == issue.issue_id)
        .values(
            payload=codec.encode(corrected), content_hash=corrected.content_hash,
            errata=errata_json([*issue.errata, erratum]), published_at=None,
        )
    )  # fmt: skip
