"""The workflow and the table of who may do what."""

from __future__ import annotations

import itertools

import pytest

from kuaibao.accounts import PermissionDeniedError, Person
from kuaibao.bulletin.desk import (
    PERMISSIONS,
    ROLES,
    SCOPES,
    Actor,
    PieceFacts,
    WorkflowError,
    decide,
    decide_edit,
    find_obstacles,
)
from kuaibao.bulletin.desk.roles import SCOPE_OF
from kuaibao.bulletin.desk.workflow import MOVES, STATES

# Rows: actions; columns: administrator, editor, compiler, proofreader, reader.
TABLE = """
read_published      x x x x x
read_desk           x x x x .
see_people          x x x x .
see_sources         x x x x .
comment             . x x x .
pick                . x x . .
assign              . x . . .
edit_text           . x x x .
draft_by_machine    . x x . .
compile             . x x . .
proofread           . x . x .
send_back           . x . x .
accept              . x . . .
edit_terms          . x x x .
edit_issue          . x . . .
close_issue         . x . . .
publish             . x . . .
correct             . x . . .
collect             x x . . .
edit_series         x x . . .
manage_subscribers  x x . . .
manage_people       x . . . .
manage_settings     x . . . .
see_audit           x . . . .
back_up             x . . . .
"""


def person(number: int, *roles: str) -> Actor:
    return Actor(
        Person(
            person_id=number, name=f"p{number}", display_name=f"P{number}", email="",
            language="en", is_active=True, roles=roles,
        )
    )  # fmt: skip


def test_the_permission_table_is_the_one_that_people_were_promised():
    told = {
        line.split()[0]: dict(zip(ROLES, line.split()[1:], strict=True))
        for line in TABLE.strip().splitlines()
    }
    assert set(told) == set(PERMISSIONS.allowed)
    for (action, row), role in itertools.product(told.items(), ROLES):
        assert person(1, role).may(action) == (row[role] == "x"), (action, role)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_never_does_more_than_its_scope(scope: str):
    everybody = Actor(person(1, *ROLES).person, frozenset({scope}))
    allowed = {action for action in PERMISSIONS.allowed if everybody.may(action)}
    assert allowed == {action for action, own in SCOPE_OF.items() if own == scope}


def test_somebody_without_a_role_may_do_nothing():
    assert not any(person(1).may(action) for action in PERMISSIONS.allowed)


@pytest.mark.parametrize(("move", "state"), itertools.product(MOVES, STATES))
def test_a_step_is_taken_only_from_its_own_states(move: str, state: str):
    facts = PieceFacts(
        state=state, has_text=True, authors=frozenset({1}),
        signed=frozenset({"compiled", "proofread"}),
    )  # fmt: skip
    editor = person(2, "editor")
    if state in MOVES[move].begins:
        assert decide(facts, editor, move).state == MOVES[move].ends
    else:
        with pytest.raises(WorkflowError) as caught:
            decide(facts, editor, move)
        assert caught.value.reason == "wrong_state"


def test_nobody_proofreads_their_own_text_not_even_an_editor():
    facts = PieceFacts(state="compiled", has_text=True, authors=frozenset({7}))
    for roles in (("proofreader",), ("editor",), ("editor", "proofreader", "administrator")):
        with pytest.raises(WorkflowError) as caught:
            decide(facts, person(7, *roles), "proofread")
        assert caught.value.reason == "own_text"
    assert decide(facts, person(8, "proofreader"), "proofread").signs == "proofread"


def test_a_designated_proofreader_may_correct_and_still_sign():
    facts = PieceFacts(state="compiled", has_text=True, authors=frozenset({7}), proofreader=8)
    correction = decide_edit(facts, person(8, "proofreader"))
    assert not correction.makes_author
    assert decide_edit(facts, person(9, "proofreader")).makes_author


def test_a_change_after_proofreading_voids_the_signature():
    for state in ("proofread", "ready"):
        decision = decide_edit(PieceFacts(state=state, proofreader=8), person(8, "proofreader"))
        assert decision.state == "compiled"
        assert "proofread" in decision.voids


@pytest.mark.parametrize("state", ["found", "dropped", "published"])
def test_what_is_not_open_for_writing_is_not_written(state: str):
    with pytest.raises(WorkflowError):
        decide_edit(PieceFacts(state=state), person(1, "editor"))


def test_readers_and_administrators_write_nothing():
    for role in ("reader", "administrator"):
        with pytest.raises(PermissionDeniedError):
            decide_edit(PieceFacts(state="assigned"), person(1, role))


GOOD = PieceFacts(
    state="ready", title="T", has_text=True, signed=frozenset({"compiled", "proofread"}),
    authors=frozenset({1}), proofread_by=frozenset({2}),
)  # fmt: skip


def test_an_issue_closes_when_every_item_has_text_source_link_and_two_signatures():
    assert find_obstacles({5: GOOD}) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"has_link": False}, "no_link"),
        ({"has_source": False}, "no_source"),
        ({"has_text": False}, "no_text"),
        ({"signed": frozenset({"compiled"})}, "not_proofread"),
        ({"signed": frozenset({"proofread"})}, "not_compiled"),
        ({"proofread_by": frozenset({1})}, "own_text"),
        ({"state": "proofread"}, "not_ready"),
    ],
)
def test_an_issue_cant_close_while_an_item_lacks_something(change: dict[str, object], reason: str):
    import dataclasses

    obstacles = find_obstacles({5: dataclasses.replace(GOOD, **change)})
    assert reason in {o.reason for o in obstacles}
    assert all(o.piece_id == 5 for o in obstacles)


def test_an_empty_issue_and_a_repeated_item_are_obstacles():
    assert find_obstacles({})[0].reason == "empty"
    assert find_obstacles({5: GOOD}, frozenset({5}))[0].reason == "repeated"
