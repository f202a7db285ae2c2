"""Translation memory: how sentences like this one were translated in past issues."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import delete, insert, select

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.alignment import align_sentences
from kuaibao.bulletin.desk.desk import Change, Desk
from kuaibao.bulletin.desk.issues import DeskIssue, load_issue_pieces
from kuaibao.bulletin.desk.pieces import load_text
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.series import get_series
from kuaibao.bulletin.desk.sources import original_of
from kuaibao.database.errors import SearchSyntaxError
from kuaibao.text import words

__all__ = ["Remembered", "remember_issue", "similar_sentences"]

MIN_RATIO = 0.55
_N_WORD = 12


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A published pair."""

    source: str
    target: str
    ratio: float
    """How like the sentence it is, 0 to 1."""
    issue_id: int


def similar_sentences(
    desk: Desk, actor: Actor, sentence: str, source_language: str, target_language: str,
    *, limit: int = 3,
) -> list[Remembered]:  # fmt: skip
    """Pairs whose source is most like `sentence`."""
    actor.require("read_desk")
    wanted = sorted({w for w in words(sentence) if len(w) > 3 or not w.isascii()},
                    key=len, reverse=True)[:_N_WORD]  # fmt: skip
    if not wanted:
        return []
    query = " OR ".join(f'"{w}"' for w in wanted)
    columns = tables.memory.c
    with desk.store.database.read() as connection:
        try:
            hits = tables.memory_index.search(connection, query, limit=50)
        except SearchSyntaxError:
            return []
        rows = connection.execute(
            select(tables.memory).where(
                columns.memory_id.in_([hit.key for hit in hits]),
                columns.source_language == source_language,
                columns.target_language == target_language,
            )
        ).all()
    found = [
        Remembered(
            source=row.source, target=row.target, issue_id=row.issue_id,
            ratio=SequenceMatcher(None, sentence, row.source, autojunk=False).ratio(),
        )
        for row in rows
    ]  # fmt: skip
    near = [one for one in found if one.ratio >= MIN_RATIO]
    return sorted(near, key=lambda one: -one.ratio)[:limit]


def remember_issue(change: Change, issue: DeskIssue, desk: Desk) -> int:
    """Keep the pairs of a published issue, in the place of those it gave before."""
    connection = change.connection
    series = get_series(desk, issue.series_id)
    n_pair = 0
    columns = tables.memory.c
    for piece in load_issue_pieces(connection, issue.issue_id):
        old = connection.execute(
            select(columns.memory_id).where(columns.piece_id == piece.piece_id)
        ).scalars()
        tables.memory_index.remove(connection, list(old))
        connection.execute(delete(tables.memory).where(columns.piece_id == piece.piece_id))
        original = original_of(desk, series, piece)
        if original.language == series.language:
            continue
        source = [s.text for s in original.sentences]
        target = [s for _, s in load_text(connection, piece.piece_id, piece.revision).sentences()]
        rows: list[dict[str, Any]] = []
        for pair in align_sentences(source, target):
            if pair.source and pair.is_sure:
                rows.append({
                    "source_language": original.language, "target_language": series.language,
                    "source": " ".join(source[i] for i in pair.source),
                    "target": "".join(target[j] for j in pair.target),
                    "piece_id": piece.piece_id, "issue_id": issue.issue_id, "at": desk.now,
                })  # fmt: skip
        for row in rows:
            done = connection.execute(insert(tables.memory).values(**row))
            assert done.inserted_primary_key is not None
            key = int(done.inserted_primary_key[0])
            tables.memory_index.put(connection, [(key, {"source": row["source"]})])
        n_pair += len(rows)
    return n_pair
