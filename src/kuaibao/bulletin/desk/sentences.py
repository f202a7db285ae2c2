"""How far each sentence is: draft, checked by its translator, approved by the proofreader."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import WorkflowError
from kuaibao.bulletin.desk.pieces import load_facts, load_piece
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.errors import InputError, did_you_mean
from kuaibao.files import hash_value

__all__ = ["SENTENCE_STATES", "sentence_states", "set_sentence_state"]

SENTENCE_STATES = ("draft", "checked", "approved")


def sentence_states(desk: Desk, actor: Actor, piece_id: int) -> dict[str, str]:
    """Sentence → state, by the hash of its words; those without a row are drafts."""
    actor.require("read_desk")
    columns = tables.sentence_state.c
    query = select(columns.sentence_hash, columns.state).where(columns.piece_id == piece_id)
    with desk.store.database.read() as connection:
        return {row.sentence_hash: row.state for row in connection.execute(query)}


def set_sentence_state(desk: Desk, actor: Actor, piece_id: int, sentence: str, state: str) -> None:
    """Say how far a sentence is; one that changes afterwards is a draft again.

    Raises:
        WorkflowError: An author approves their own sentence.
    """
    actor.require("proofread" if state == "approved" else "edit_text")
    if state not in SENTENCE_STATES:
        raise InputError(f"unknown state {state!r}", hint=did_you_mean(state, SENTENCE_STATES))
    columns = tables.sentence_state.c
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        if state == "approved" and actor.person_id in load_facts(change.connection, piece).authors:
            raise WorkflowError("nobody proofreads their own text", reason="own_text")
        digest = hash_value(sentence)
        change.connection.execute(
            delete(tables.sentence_state).where(
                columns.piece_id == piece_id, columns.sentence_hash == digest
            )
        )
        if state != "draft":
            change.connection.execute(
                insert(tables.sentence_state).values(
                    piece_id=piece_id, sentence_hash=digest, state=state,
                    person_id=actor.person_id, at=desk.now,
                )
            )  # fmt: skip
        change.log(actor, "sentence_state", piece_id=piece_id, details={"state": state})
