"""Issues: made, filled, ordered, checked, closed (frozen with a hash), corrected."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, cast

from sqlalchemy import Connection, func, insert, select, update

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.assembling import assemble
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import NotFoundError, NotReadyError, StaleError, WorkflowError
from kuaibao.bulletin.desk.pieces import Piece, load_all_facts, load_piece, piece_from
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.series import Series, get_series
from kuaibao.bulletin.desk.workflow import Obstacle, find_obstacles
from kuaibao.bulletin.model import Issue, SectionKind
from kuaibao.bulletin.store import codec, printed_items
from kuaibao.errors import InputError

__all__ = [
    "DeskIssue", "Erratum", "close_issue", "draft_issue", "get_desk_issue", "issue_pieces",
    "list_issues", "make_issue", "obstacles_of", "place_piece", "reopen_issue", "reorder",
    "set_issue",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Erratum:
    """A correction after publication."""

    day: str
    person: str
    note: str
    """In words, for readers."""
    previous_hash: str
    """Of the issue as it was before."""


@dataclass(frozen=True, kw_only=True)
class DeskIssue:
    """An issue at the desk."""

    issue_id: int
    series_id: int
    year: int
    number: int
    running_number: int
    title: str
    day: str
    state: str
    """open, closed, published."""
    highlights: tuple[str, ...]
    content_hash: str
    errata: tuple[Erratum, ...]
    closed_at: float | None
    publish_at: float | None
    published_at: float | None
    files: dict[str, str]


def list_issues(
    desk: Desk, *, series_id: int | None = None, state: str = "", limit: int = 200
) -> list[DeskIssue]:
    """Issues, the newest first. Whoever asks was let in by the caller."""
    columns = tables.issue.c
    query = select(tables.issue).order_by(columns.day.desc(), columns.issue_id.desc()).limit(limit)
    if series_id is not None:
        query = query.where(columns.series_id == series_id)
    if state:
        query = query.where(columns.state == state)
    with desk.store.database.read() as connection:
        return [_issue(row) for row in connection.execute(query)]


def get_desk_issue(desk: Desk, issue_id: int) -> DeskIssue:
    """One issue.

    Raises:
        NotFoundError: There is none.
    """
    with desk.store.database.read() as connection:
        return load_issue(connection, issue_id)


def make_issue(
    desk: Desk, actor: Actor, series_id: int, *, day: str = "", title: str = ""
) -> DeskIssue:
    """A new open issue with the next number of its year."""
    actor.require("edit_issue")
    series = get_series(desk, series_id)
    columns = tables.issue.c
    with desk.change() as change:
        last = change.connection.execute(
            select(columns.day, columns.running_number)
            .where(columns.series_id == series_id)
            .order_by(columns.running_number.desc())
            .limit(1)
        ).first()
        if last is None:
            moment = _day(day) if day else desk.today
            number, running = series.first_number, series.first_running_number
        else:
            following = date.fromisoformat(last.day) + timedelta(days=series.days_between)
            moment = _day(day) if day else max(following, desk.today)
            running = last.running_number + 1
            number = 1 + (
                change.connection.execute(
                    select(func.max(columns.number)).where(
                        columns.series_id == series_id, columns.year == moment.year
                    )
                ).scalar()
                or 0
            )
        done = change.connection.execute(
            insert(tables.issue).values(
                series_id=series_id, year=moment.year, number=number, running_number=running,
                title=title.strip()[:500], day=moment.isoformat(), state="open",
            )
        )  # fmt: skip
        key = done.inserted_primary_key
        assert key is not None
        change.log(actor, "make_issue", issue_id=int(key[0]), details={"number": number})
        return load_issue(change.connection, int(key[0]))


def set_issue(
    desk: Desk, actor: Actor, issue_id: int, *, title: str, day: str, highlights: Sequence[str] = ()
) -> DeskIssue:
    """Change an open issue's title, day and highlights (none: the first item of each section)."""
    actor.require("edit_issue")
    moment = _day(day)
    with desk.change() as change:
        issue = _open(change.connection, issue_id)
        if moment.year != issue.year:
            raise InputError("an issue stays in its year", hint="Make a new issue instead.")
        kept = [line.strip() for line in highlights if line.strip()][:20]
        change.connection.execute(
            update(tables.issue)
            .where(tables.issue.c.issue_id == issue_id)
            .values(
                title=title.strip()[:500], day=moment.isoformat(),
                highlights=json.dumps(kept, ensure_ascii=False),
            )
        )  # fmt: skip
        change.log(actor, "set_issue", issue_id=issue_id)
        return load_issue(change.connection, issue_id)


def issue_pieces(desk: Desk, issue_id: int) -> list[Piece]:
    """The pieces of an issue in print order."""
    with desk.store.database.read() as connection:
        return load_issue_pieces(connection, issue_id)


def place_piece(
    desk: Desk,
    actor: Actor,
    piece_id: int,
    issue_id: int | None,
    *,
    section: SectionKind | None = None,
    before: int | None = None,
) -> Piece:
    """Put a piece into an open issue (last in its section, or before another), or take it out.

    Raises:
        WorkflowError: The issue is closed, of another series, or the piece was not picked.
    """
    actor.require("edit_issue")
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        if piece.issue_id is not None:
            _open(change.connection, piece.issue_id)
        values: dict[str, Any] = {"issue_id": issue_id, "changed_at": desk.now}
        if issue_id is not None:
            issue = _open(change.connection, issue_id)
            if issue.series_id != piece.series_id:
                raise WorkflowError("the issue is of another series", reason="other_series")
            if piece.state in ("found", "dropped"):
                raise WorkflowError("pick the item first", reason="not_picked")
            values["section"] = section or piece.section
            others = [
                p for p in load_issue_pieces(change.connection, issue_id) if p.piece_id != piece_id
            ]
            values["position"] = _position_before(others, values["section"], before)
        change.connection.execute(
            update(tables.piece).where(tables.piece.c.piece_id == piece_id).values(**values)
        )
        change.log(
            actor, "place", piece_id=piece_id, issue_id=issue_id or piece.issue_id,
            from_state=piece.state, to_state=piece.state,
            details={"section": values.get("section", piece.section)},
        )  # fmt: skip
        return load_piece(change.connection, piece_id)


def reorder(
    desk: Desk,
    actor: Actor,
    issue_id: int,
    piece_ids: Sequence[int],
    *,
    known: Sequence[int] | None = None,
) -> list[Piece]:
    """Put the pieces of an issue into this order (of each section by itself).

    Args:
        desk: Where.
        actor: Who.
        issue_id: Which issue.
        piece_ids: All of its pieces.
        known: The order that the person saw; another one that stands now is not written over.

    Raises:
        StaleError: The issue holds other pieces, or another order, than the person saw.
    """
    actor.require("edit_issue")
    with desk.change() as change:
        _open(change.connection, issue_id)
        standing = [p.piece_id for p in load_issue_pieces(change.connection, issue_id)]
        if sorted(standing) != sorted(piece_ids):
            raise StaleError("the issue holds other items now", hint="Load the page again.")
        if known is not None and list(known) != standing:
            raise StaleError("somebody else ordered the issue meanwhile",
                             hint="Load the page again.")  # fmt: skip
        for n, piece_id in enumerate(piece_ids):
            change.connection.execute(
                update(tables.piece)
                .where(tables.piece.c.piece_id == piece_id)
                .values(position=float(n))
            )
        change.log(actor, "reorder", issue_id=issue_id, details={"order": list(piece_ids)})
        return load_issue_pieces(change.connection, issue_id)


def obstacles_of(desk: Desk, issue_id: int) -> tuple[Obstacle, ...]:
    """Everything that keeps an issue from being closed."""
    with desk.store.database.read() as connection:
        return _obstacles(desk, connection, load_issue(connection, issue_id))


def draft_issue(desk: Desk, issue_id: int) -> Issue:
    """The issue as it would be printed now; a closed one as it was frozen."""
    with desk.store.database.read() as connection:
        payload = connection.execute(
            select(tables.issue.c.payload).where(tables.issue.c.issue_id == issue_id)
        ).scalar()
        if payload:
            return codec.decode(Issue, payload)
        issue = load_issue(connection, issue_id)
        pieces = load_issue_pieces(connection, issue_id)
        return assemble(desk, connection, get_series(desk, issue.series_id), issue, pieces)


def close_issue(desk: Desk, actor: Actor, issue_id: int) -> DeskIssue:
    """Freeze an issue: from now on its text is fixed by its hash.

    Raises:
        NotReadyError: An item lacks a signature, a source, a link, …; names every obstacle.
    """
    actor.require("close_issue")
    with desk.change() as change:
        issue = _open(change.connection, issue_id)
        obstacles = _obstacles(desk, change.connection, issue)
        if obstacles:
            raise NotReadyError(obstacles)
        pieces = load_issue_pieces(change.connection, issue_id)
        series = get_series(desk, issue.series_id)
        frozen = codec.storable(assemble(desk, change.connection, series, issue, pieces))
        change.connection.execute(
            update(tables.issue)
            .where(tables.issue.c.issue_id == issue_id)
            .values(
                state="closed", content_hash=frozen.content_hash, payload=codec.encode(frozen),
                closed_at=desk.now,
            )
        )  # fmt: skip
        change.log(
            actor, "close_issue", issue_id=issue_id, from_state="open", to_state="closed",
            details={"content_hash": frozen.content_hash},
        )  # fmt: skip
        return load_issue(change.connection, issue_id)


def reopen_issue(desk: Desk, actor: Actor, issue_id: int) -> DeskIssue:
    """Thaw a closed issue that was not published; the hash is void."""
    actor.require("close_issue")
    with desk.change() as change:
        issue = load_issue(change.connection, issue_id)
        if issue.state != "closed" or issue.publish_at is not None:
            raise WorkflowError("only a closed, unpublished issue opens again",
                                reason="wrong_state")  # fmt: skip
        change.connection.execute(
            update(tables.issue)
            .where(tables.issue.c.issue_id == issue_id)
            .values(state="open", content_hash="", payload="", closed_at=None)
        )
        change.log(
            actor, "reopen_issue", issue_id=issue_id, from_state="closed", to_state="open",
            details={"void_hash": issue.content_hash},
        )  # fmt: skip
        return load_issue(change.connection, issue_id)


# -- within a transaction ------------------------------------------------------------------


def load_issue(connection: Connection, issue_id: int) -> DeskIssue:
    """The issue as it stands."""
    row = connection.execute(
        select(tables.issue).where(tables.issue.c.issue_id == issue_id)
    ).first()
    if row is None:
        raise NotFoundError(f"there is no issue {issue_id}")
    return _issue(row)


def load_issue_pieces(connection: Connection, issue_id: int) -> list[Piece]:
    """The pieces of an issue in print order."""
    columns = tables.piece.c
    rows = connection.execute(
        select(tables.piece)
        .where(columns.issue_id == issue_id)
        .order_by(columns.position, columns.piece_id)
    )
    return [piece_from(row) for row in rows]


def _open(connection: Connection, issue_id: int) -> DeskIssue:
    issue = load_issue(connection, issue_id)
    if issue.state != "open":
        raise WorkflowError("the issue is closed", reason="issue_closed")
    return issue


def _obstacles(desk: Desk, connection: Connection, issue: DeskIssue) -> tuple[Obstacle, ...]:
    pieces = load_issue_pieces(connection, issue.issue_id)
    series: Series = get_series(desk, issue.series_id)
    printed = printed_items(desk.store, series.name, issue.running_number, series.repeat_after)
    repeated = frozenset(p.piece_id for p in pieces if p.item_id in printed)
    return find_obstacles(load_all_facts(connection, pieces), repeated)


def _position_before(others: list[Piece], section: str, before: int | None) -> float:
    own = [p for p in others if p.section == section]
    if before is not None:
        for previous, piece in zip([None, *own], own, strict=False):
            if piece.piece_id == before:
                low = previous.position if previous else piece.position - 2
                return (low + piece.position) / 2
    return max((p.position for p in others), default=-1.0) + 1.0


def _issue(row: Any) -> DeskIssue:
    values = dict(row._mapping)
    values.pop("payload")
    values["highlights"] = tuple(json.loads(values["highlights"]))
    values["errata"] = tuple(Erratum(**one) for one in json.loads(values["errata"]))
    values["files"] = json.loads(values["files"])
    return DeskIssue(**cast("dict[str, Any]", values))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text!r} is no day", hint="Write it as 2026-11-30.") from error


def errata_json(errata: Sequence[Erratum]) -> str:
    """The errata as they are stored."""
    return json.dumps([asdict(one) for one in errata], ensure_ascii=False)


def with_number(issue: Issue, **changes: Any) -> Issue:
    """The same issue with other fields and its new hash."""
    changed = dataclasses.replace(issue, **changes, content_hash="")
    return dataclasses.replace(changed, content_hash=codec.hash_issue(changed))
