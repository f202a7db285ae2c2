"""found → picked → assigned → compiled → proofread → ready → published: pure decisions.

What is known of a piece and who acts go in; the next state comes out, or the rule that forbids it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from kuaibao.bulletin.desk.errors import WorkflowError
from kuaibao.bulletin.desk.roles import Actor

__all__ = [
    "MOVES",
    "STATES",
    "Decision",
    "Move",
    "Obstacle",
    "PieceFacts",
    "State",
    "decide",
    "decide_edit",
    "find_obstacles",
    "possible_moves",
]

State = Literal[
    "found", "picked", "assigned", "compiled", "proofread", "ready", "published", "dropped"
]
STATES: tuple[State, ...] = get_args(State)

Move = Literal[
    "pick", "drop", "restore", "assign", "take", "compile", "proofread", "send_back", "accept",
    "publish",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PieceFacts:
    """What decides about a piece."""

    state: State
    title: str = ""
    has_text: bool = False
    has_source: bool = True
    has_link: bool = True
    compiler: int | None = None
    """Whom it is assigned to."""
    proofreader: int | None = None
    """Who is to proofread it; None: anybody who may."""
    authors: frozenset[int] = frozenset()
    """Everybody who wrote of its text; corrections by the proofreader don't count."""
    signed: frozenset[str] = frozenset()
    """Roles with a signature that holds for the text as it stands."""
    proofread_by: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a step does."""

    state: State
    signs: Literal["", "compiled", "translated", "proofread"] = ""
    voids: frozenset[str] = frozenset()
    """Signatures that no longer hold."""
    makes_author: bool = False


@dataclass(frozen=True)
class _Row:
    permission: str
    begins: frozenset[State]
    ends: State
    signs: Literal["", "compiled", "proofread"] = ""
    voids: frozenset[str] = field(default=frozenset())


_SIGNED = frozenset({"compiled", "translated", "proofread"})

MOVES: dict[Move, _Row] = {
    "pick": _Row("pick", frozenset({"found", "dropped"}), "picked"),
    "drop": _Row("pick", frozenset({"found", "picked", "assigned"}), "dropped"),
    "restore": _Row("pick", frozenset({"dropped", "picked"}), "found"),
    "assign": _Row("assign", frozenset({"picked", "assigned"}), "assigned"),
    "take": _Row("compile", frozenset({"picked"}), "assigned"),
    "compile": _Row("compile", frozenset({"assigned"}), "compiled", signs="compiled"),
    "proofread": _Row("proofread", frozenset({"compiled"}), "proofread", signs="proofread"),
    "send_back": _Row(
        "send_back", frozenset({"compiled", "proofread", "ready"}), "assigned", voids=_SIGNED
    ),
    "accept": _Row("accept", frozenset({"proofread"}), "ready"),
    "publish": _Row("publish", frozenset({"ready"}), "published"),
}


def decide(
    facts: PieceFacts, actor: Actor, move: Move, *, is_translation: bool = False
) -> Decision:
    """The step that `actor` wants.

    Raises:
        PermissionDeniedError: None of the actor's roles allows it.
        WorkflowError: A rule forbids it; `reason` names the rule.
    """
    row = MOVES[move]
    actor.require(row.permission)
    if facts.state not in row.begins:
        raise WorkflowError(f"{move} is not possible in the state '{facts.state}'",
                            reason="wrong_state")  # fmt: skip
    if move == "compile":
        _check_compiling(facts, actor)
    if move == "proofread":
        _check_proofreading(facts, actor)
    if move == "accept" and (missing := _missing(facts)):
        raise WorkflowError(f"the item lacks: {', '.join(missing)}", reason=missing[0])
    signs = "translated" if move == "compile" and is_translation else row.signs
    return Decision(state=row.ends, signs=signs, voids=row.voids, makes_author=move == "compile")


def decide_edit(facts: PieceFacts, actor: Actor) -> Decision:
    """What a change of the text does to a piece: it never keeps a signature it does not deserve.

    Raises:
        PermissionDeniedError: None of the actor's roles allows writing.
        WorkflowError: The piece is not open for writing.
    """
    actor.require("edit_text")
    if facts.state in ("found", "dropped"):
        raise WorkflowError("pick the item before writing", reason="not_picked")
    if facts.state == "published":
        raise WorkflowError("a published text changes by an erratum", reason="published")
    is_correction = actor.person_id == facts.proofreader and actor.person_id not in facts.authors
    late = facts.state in ("compiled", "proofread", "ready")
    return Decision(
        state="compiled" if late else facts.state,
        voids=frozenset({"proofread"}) if late else frozenset(),
        makes_author=not (late and is_correction),
    )


def possible_moves(facts: PieceFacts, actor: Actor) -> tuple[Move, ...]:
    """Every step that `actor` can take now: what a page offers."""
    found: list[Move] = []
    for move in MOVES:
        if move == "publish":
            continue
        try:
            decide(facts, actor, move)
        except Exception:  # either kind of refusal: the page does not offer it
            continue
        found.append(move)
    return tuple(found)


@dataclass(frozen=True)
class Obstacle:
    """What keeps an issue from being closed."""

    reason: str
    """`empty`, `not_ready`, `no_text`, `no_source`, `no_link`, `not_compiled`,
    `not_proofread`, `own_text`, `repeated`."""
    piece_id: int | None = None
    title: str = ""

    def __str__(self) -> str:
        """In words, for the command line."""
        what = self.reason.replace("_", " ")
        return f"“{self.title}”: {what}" if self.title else what


def find_obstacles(
    pieces: dict[int, PieceFacts], repeated: frozenset[int] = frozenset()
) -> tuple[Obstacle, ...]:
    """Everything that keeps an issue of these pieces from being closed.

    Args:
        pieces: By number.
        repeated: Those printed in one of the last issues already.
    """
    if not pieces:
        return (Obstacle("empty"),)
    found: list[Obstacle] = []
    for piece_id, facts in pieces.items():
        reasons = list(_missing(facts))
        if facts.state not in ("ready", "published"):
            reasons.insert(0, "not_ready")
        if facts.proofread_by & facts.authors:
            reasons.append("own_text")
        if piece_id in repeated:
            reasons.append("repeated")
        found += [Obstacle(reason, piece_id, facts.title) for reason in reasons]
    return tuple(found)


def _missing(facts: PieceFacts) -> tuple[str, ...]:
    checks = (
        ("no_text", facts.has_text),
        ("no_source", facts.has_source),
        ("no_link", facts.has_link),
        ("not_compiled", bool(facts.signed & {"compiled", "translated"})),
        ("not_proofread", "proofread" in facts.signed),
    )
    return tuple(reason for reason, holds in checks if not holds)


def _check_compiling(facts: PieceFacts, actor: Actor) -> None:
    is_editor = "editor" in actor.person.roles
    if facts.compiler is not None and facts.compiler != actor.person_id and not is_editor:
        raise WorkflowError("the item is assigned to somebody else", reason="not_yours")
    if not facts.has_text:
        raise WorkflowError("there is no text to sign", reason="no_text")


def _check_proofreading(facts: PieceFacts, actor: Actor) -> None:
    if actor.person_id in facts.authors:
        raise WorkflowError("nobody proofreads their own text", reason="own_text")
    if facts.proofreader is not None and facts.proofreader != actor.person_id:
        raise WorkflowError("somebody else is to proofread the item", reason="not_yours")
