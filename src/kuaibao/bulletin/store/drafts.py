"""Drafts, signatures and issues in the store."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from kuaibao.bulletin.model import Draft, Figure, Issue, Signature
from kuaibao.bulletin.store import codec, tables
from kuaibao.bulletin.store.store import BATCH, Store
from kuaibao.files import hash_file

__all__ = [
    "StoredDraft",
    "all_issues",
    "get_draft",
    "get_issue",
    "printed_items",
    "published_files",
    "save_draft",
    "save_issue",
    "save_publication",
    "save_signatures",
    "signatures_of",
]


@dataclass(frozen=True, kw_only=True)
class StoredDraft:
    """A draft with what else is printed of an item in that language."""

    draft: Draft
    edition: str
    """The language of the edition that it is for; the text's own may be another."""
    input_hash: str
    """Of everything that it was made from; the same input is never drafted twice."""
    body_markdown: str = ""
    figures: tuple[Figure, ...] = ()


def get_draft(store: Store, item_id: str, edition: str) -> StoredDraft | None:
    """The text of an item in an edition, if there is one."""
    columns = tables.draft.c
    query = select(tables.draft).where(columns.item_id == item_id, columns.edition == edition)
    with store.database.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return StoredDraft(
        draft=codec.decode(Draft, row.payload),
        edition=edition,
        input_hash=row.input_hash,
        body_markdown=row.body_markdown,
        figures=codec.decode(tuple[Figure, ...], row.figures),
    )


def save_draft(store: Store, stored: StoredDraft) -> bool:
    """Keep a draft; gives whether it was kept.

    A machine's draft never takes the place of a person's.
    """
    draft = codec.storable(stored.draft)
    columns = tables.draft.c
    own = (columns.item_id == draft.item_id) & (columns.edition == stored.edition)
    with store.database.write() as connection:
        row = connection.execute(select(columns.is_machine).where(own)).first()
        if row is not None and draft.is_machine and not row.is_machine:
            return False
        connection.execute(delete(tables.draft).where(own))
        connection.execute(
            insert(tables.draft).values(
                item_id=draft.item_id,
                edition=stored.edition,
                is_machine=draft.is_machine,
                input_hash=stored.input_hash,
                payload=codec.encode(draft),
                body_markdown=codec.storable(stored.body_markdown),
                figures=codec.encode(codec.storable(stored.figures)),
            )
        )
    return True


def save_signatures(
    store: Store, item_id: str, language: str, signatures: Sequence[Signature]
) -> None:
    """The signatures of an item in a language, in the place of those before."""
    columns = tables.signature.c
    with store.database.write() as connection:
        own = (columns.item_id == item_id) & (columns.language == language)
        connection.execute(delete(tables.signature).where(own))
        for one in signatures:
            connection.execute(
                insert(tables.signature).values(
                    item_id=item_id,
                    language=language,
                    role=one.role,
                    person=one.person,
                    at=one.at.isoformat() if one.at else "",
                )
            )


def signatures_of(store: Store, item_id: str, language: str) -> tuple[Signature, ...]:
    """Who compiled, translated and proofread an item in a language."""
    columns = tables.signature.c
    query = (
        select(columns.role, columns.person, columns.at)
        .where(columns.item_id == item_id, columns.language == language)
        .order_by(columns.role, columns.person)
    )
    with store.database.read() as connection:
        rows = connection.execute(query).all()
    return tuple(
        Signature(
            role=row.role,
            person=row.person,
            at=datetime.fromisoformat(row.at) if row.at else None,
        )
        for row in rows
    )


def published_files(store: Store, folder: Path, key: str) -> dict[str, str] | None:
    """Format → path of what was published into a folder, if it is all still there as written.

    Args:
        store: Where.
        folder: The output folder.
        key: Of everything that the files depend on.
    """
    query = select(tables.publication).where(tables.publication.c.folder == str(folder.absolute()))
    with store.database.read() as connection:
        row = connection.execute(query).first()
    if row is None or row.key != key:
        return None
    files: dict[str, list[str]] = json.loads(row.files)
    try:
        intact = all(hash_file(folder / name) == digest for name, digest in files.values())
    except OSError:
        return None
    return {form: name for form, (name, _) in files.items()} if intact else None


def save_publication(store: Store, folder: Path, key: str, files: Mapping[str, str]) -> None:
    """Remember what was written into a folder: format → name in it."""
    hashed = {form: [name, hash_file(folder / name)] for form, name in files.items()}
    where = tables.publication.c.folder == str(folder.absolute())
    with store.database.write() as connection:
        connection.execute(delete(tables.publication).where(where))
        connection.execute(
            insert(tables.publication).values(
                folder=str(folder.absolute()), key=key, files=json.dumps(hashed)
            )
        )


def save_issue(store: Store, issue: Issue) -> bool:
    """Keep an issue and what it prints; gives whether it differs from what was kept."""
    issue = codec.storable(issue)
    columns = tables.issue.c
    own = (
        (columns.series == issue.series)
        & (columns.language == issue.language)
        & (columns.year == issue.day.year)
        & (columns.number == issue.number)
    )
    values = {
        "running_number": issue.running_number,
        "content_hash": issue.content_hash,
        "payload": codec.encode(issue),
        "made_at": time.time(),
    }
    with store.database.write() as connection:
        row = connection.execute(select(columns.issue_id, columns.content_hash).where(own)).first()
        if row is not None and row.content_hash == issue.content_hash:
            return False
        if row is None:
            done = connection.execute(
                insert(tables.issue).values(
                    series=issue.series,
                    language=issue.language,
                    year=issue.day.year,
                    number=issue.number,
                    **values,
                )
            )
            assert done.inserted_primary_key is not None
            issue_id = int(done.inserted_primary_key[0])
        else:
            issue_id = row.issue_id
            connection.execute(update(tables.issue).where(own).values(**values))
        _save_items(connection, issue_id, issue)
    return True


def get_issue(store: Store, series: str, language: str, year: int, number: int) -> Issue | None:
    """The issue as it was last made."""
    columns = tables.issue.c
    query = select(columns.payload).where(
        columns.series == series,
        columns.language == language,
        columns.year == year,
        columns.number == number,
    )
    with store.database.read() as connection:
        payload = connection.execute(query).scalar()
    return codec.decode(Issue, payload) if payload else None


def all_issues(store: Store) -> list[Issue]:
    """Every issue as it was last made, the oldest first."""
    columns = tables.issue.c
    query = select(columns.payload).order_by(columns.year, columns.number, columns.language)
    with store.database.read() as connection:
        return [codec.decode(Issue, payload) for payload in connection.execute(query).scalars()]


def printed_items(store: Store, series: str, running_number: int, n_issue: int) -> set[str]:
    """Items printed in the `n_issue` issues of a series before `running_number`."""
    query = (
        select(tables.issue_item.c.item_id)
        .join(tables.issue, tables.issue.c.issue_id == tables.issue_item.c.issue_id)
        .where(tables.issue.c.series == series)
        .where(tables.issue.c.running_number < running_number)
        .where(tables.issue.c.running_number >= running_number - n_issue)
    )
    with store.database.read() as connection:
        return set(connection.execute(query).scalars())


def _save_items(connection: Connection, issue_id: int, issue: Issue) -> None:
    connection.execute(delete(tables.issue_item).where(tables.issue_item.c.issue_id == issue_id))
    rows = [
        {
            "issue_id": issue_id,
            "item_id": printed.item.item_id,
            "section": section.kind,
            "position": position,
            "score": printed.item.score,
        }
        for section in issue.sections
        for position, printed in enumerate(section.items)
    ]
    for start in range(0, len(rows), BATCH):
        connection.execute(insert(tables.issue_item), rows[start : start + BATCH])
