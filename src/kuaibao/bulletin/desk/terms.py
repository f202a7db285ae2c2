"""The glossary: how terms and names are translated, and whether a text keeps to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import NotFoundError
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.errors import InputError

__all__ = ["Term", "TermFinding", "add_term", "check_terms", "list_terms", "remove_term",
           "set_term"]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Term:
    """One row of the glossary."""

    term_id: int = 0
    source_language: str
    target_language: str
    source: str
    target: str
    avoid: tuple[str, ...] = ()
    """Translations that the house does not want."""
    note: str = ""
    needs_original: bool = False
    """A name or new term: the original stands in brackets at its first use (GB/T 19363.1)."""


@dataclass(frozen=True)
class TermFinding:
    """Where a text does not keep to the glossary."""

    kind: str
    """`term_missing`, `term_avoided`, `term_without_original`."""
    term: Term
    sentence: int
    shown: str = ""


def list_terms(
    desk: Desk, actor: Actor, *, source: str = "", target: str = "", words: str = ""
) -> list[Term]:
    """The glossary, by source term."""
    actor.require("read_desk")
    columns = tables.term.c
    query = select(tables.term).order_by(columns.source).limit(5000)
    if source:
        query = query.where(columns.source_language == source)
    if target:
        query = query.where(columns.target_language == target)
    if words.strip():
        pattern = "%" + re.sub(r"([%_\\])", r"\\\1", words.strip()) + "%"
        query = query.where(
            or_(
                columns.source.ilike(pattern, escape="\\"),
                columns.target.ilike(pattern, escape="\\"),
            )
        )
    with desk.store.database.read() as connection:
        return [_term(row) for row in connection.execute(query)]


def add_term(desk: Desk, actor: Actor, term: Term) -> Term:
    """A new row; one with the same source and languages is replaced."""
    actor.require("edit_terms")
    values = _values(term)
    columns = tables.term.c
    with desk.change() as change:
        own = (
            (columns.source == values["source"])
            & (columns.source_language == term.source_language)
            & (columns.target_language == term.target_language)
        )
        change.connection.execute(delete(tables.term).where(own))
        done = change.connection.execute(
            insert(tables.term).values(person_id=actor.person_id, at=desk.now, **values)
        )
        key = done.inserted_primary_key
        assert key is not None
        change.log(actor, "add_term", details={"source": term.source, "target": term.target})
        row = change.connection.execute(
            select(tables.term).where(columns.term_id == int(key[0]))
        ).one()
        return _term(row)


def set_term(desk: Desk, actor: Actor, term: Term) -> Term:
    """Change a row."""
    actor.require("edit_terms")
    columns = tables.term.c
    with desk.change() as change:
        done = change.connection.execute(
            update(tables.term).where(columns.term_id == term.term_id).values(**_values(term))
        )
        if not done.rowcount:
            raise NotFoundError(f"there is no term {term.term_id}")
        change.log(actor, "set_term", details={"source": term.source, "target": term.target})
    return term


def remove_term(desk: Desk, actor: Actor, term_id: int) -> None:
    """Take a row out."""
    actor.require("edit_terms")
    with desk.change() as change:
        change.connection.execute(delete(tables.term).where(tables.term.c.term_id == term_id))
        change.log(actor, "remove_term", details={"term": term_id})


def check_terms(pairs: Sequence[tuple[str, str]], terms: Sequence[Term]) -> tuple[TermFinding, ...]:
    """Where the translation does not keep to the glossary.

    Args:
        pairs: Source sentence (or several, joined) and target sentence, in order; the source is
            empty where no partner is known.
        terms: Of these two languages.
    """
    found: list[TermFinding] = []
    used: set[int] = set()
    for n, (source, target) in enumerate(pairs):
        low = target.lower()
        for i, term in enumerate(terms):
            wrong = next((a for a in term.avoid if a.lower() in low), None)
            if wrong is not None and _stands(term.source, source, empty=True):
                found.append(TermFinding("term_avoided", term, n, wrong))
                continue
            has_target = _stands(term.target, target)
            if source and _stands(term.source, source) and not has_target:
                if not _stands(term.source, target):  # left in the original is a choice
                    found.append(TermFinding("term_missing", term, n))
                elif term.needs_original:
                    used.add(i)
            if has_target and i not in used:
                used.add(i)
                if term.needs_original and not _has_original(term, target):
                    found.append(TermFinding("term_without_original", term, n))
    return tuple(found)


def _stands(term: str, text: str, *, empty: bool = False) -> bool:
    if not text:
        return empty
    if term.isascii():
        return bool(re.search(rf"(?<![\w-]){re.escape(term)}(?:s|es)?(?![\w-])", text, re.I))
    return term.lower() in text.lower()


def _has_original(term: Term, text: str) -> bool:
    pattern = rf"{re.escape(term.target)}[”」』》]?\s*[（(][^（()）]*{re.escape(term.source)}"
    return bool(re.search(pattern, text, re.I))


def _values(term: Term) -> dict[str, object]:
    source, target = " ".join(term.source.split()), " ".join(term.target.split())
    if not source or not target:
        raise InputError("a term has a source and a target")
    if len(source) > 300 or len(target) > 300:
        raise InputError("a term has at most 300 characters")
    return {
        "source_language": term.source_language[:20], "target_language": term.target_language[:20],
        "source": source, "target": target, "note": term.note[:2000],
        "avoid": "\n".join(a.strip() for a in term.avoid if a.strip())[:2000],
        "needs_original": term.needs_original,
    }  # fmt: skip


def _term(row: object) -> Term:
    values = dict(row._mapping)  # pyright: ignore[reportAttributeAccessIssue]
    return Term(
        term_id=values["term_id"], source_language=values["source_language"],
        target_language=values["target_language"], source=values["source"],
        target=values["target"],
        avoid=tuple(values["avoid"].split("\n")) if values["avoid"] else (),
        note=values["note"], needs_original=bool(values["needs_original"]),
    )  # fmt: skip
