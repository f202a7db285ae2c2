"""Who may do what at the desk: one table of actions × roles, and the token scope of each action."""

from __future__ import annotations

from dataclasses import dataclass

from kuaibao.accounts import PermissionDeniedError, PermissionTable, Person

__all__ = ["MAX_NUMBER", "PERMISSIONS", "ROLES", "SCOPES", "SCOPE_OF", "Actor"]

MAX_NUMBER = 2**53 - 1
"""No number of a piece, issue or person is larger; JSON holds it exactly."""

ROLES = ("administrator", "editor", "compiler", "proofreader", "reader")

SCOPES = ("read", "write", "publish", "admin")
"""What an API token may be limited to; its owner's roles limit it too."""

_STAFF = frozenset({"editor", "compiler", "proofreader"})
_EDITOR = frozenset({"editor"})
_ADMIN = frozenset({"administrator"})

_ROWS: tuple[tuple[str, frozenset[str], str], ...] = (
    ("read_published", frozenset(ROLES), "read"),
    ("read_desk", _STAFF | _ADMIN, "read"),
    ("see_people", _STAFF | _ADMIN, "read"),
    ("see_sources", _STAFF | _ADMIN, "read"),
    ("comment", _STAFF, "write"),
    ("pick", frozenset({"editor", "compiler"}), "write"),
    ("assign", _EDITOR, "write"),
    ("edit_text", _STAFF, "write"),
    ("draft_by_machine", frozenset({"editor", "compiler"}), "write"),
    ("compile", frozenset({"editor", "compiler"}), "write"),
    ("proofread", frozenset({"editor", "proofreader"}), "write"),
    ("send_back", frozenset({"editor", "proofreader"}), "write"),
    ("accept", _EDITOR, "write"),
    ("edit_terms", _STAFF, "write"),
    ("edit_issue", _EDITOR, "write"),
    ("close_issue", _EDITOR, "publish"),
    ("publish", _EDITOR, "publish"),
    ("correct", _EDITOR, "publish"),
    ("collect", frozenset({"editor", "administrator"}), "write"),
    ("edit_series", frozenset({"editor", "administrator"}), "admin"),
    ("manage_subscribers", frozenset({"editor", "administrator"}), "admin"),
    ("manage_people", _ADMIN, "admin"),
    ("manage_settings", _ADMIN, "admin"),
    ("see_audit", _ADMIN, "admin"),
    ("back_up", _ADMIN, "admin"),
)

PERMISSIONS = PermissionTable(roles=ROLES, allowed={action: roles for action, roles, _ in _ROWS})

SCOPE_OF = {action: scope for action, _, scope in _ROWS}


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, through a browser or by a token of limited scope."""

    person: Person
    scopes: frozenset[str] | None = None
    """Of the token; None for a signed-in browser and the command line."""

    @property
    def person_id(self) -> int:
        """The person's number."""
        return self.person.person_id

    def may(self, action: str) -> bool:
        """Whether roles and scopes allow the action."""
        allowed = PERMISSIONS.is_allowed(self.person.roles, action)
        return allowed and (self.scopes is None or SCOPE_OF[action] in self.scopes)

    def require(self, action: str) -> None:
        """Raise `PermissionDeniedError` unless the action is allowed: the one place that asks."""
        if not self.may(action):
            raise PermissionDeniedError(action)
