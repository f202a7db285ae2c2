"""Who may do what: one table, asked by every door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kuaibao.accounts.errors import PermissionDeniedError
from kuaibao.errors import did_you_mean

__all__ = ["PermissionTable"]


@dataclass(frozen=True)
class PermissionTable:
    """Rows are actions, columns roles.

    Args:
        roles: Every role, in the order in which they are shown.
        allowed: For each action the roles that may do it.

    Raises:
        ValueError: A row names a role that is not in `roles`.
    """

    roles: tuple[str, ...]
    allowed: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        for action, roles in self.allowed.items():
            unknown = roles - set(self.roles)
            if unknown:
                raise ValueError(f"{action}: unknown role {sorted(unknown)[0]!r}")

    def is_allowed(self, roles: Iterable[str], action: str) -> bool:
        """Whether any of a person's roles allows the action.

        Raises:
            ValueError: The table has no such action: a slip in the code that asks.
        """
        if action not in self.allowed:
            raise ValueError(f"unknown action {action!r}. {did_you_mean(action, self.allowed)}")
        return not self.allowed[action].isdisjoint(roles)

    def require(self, roles: Iterable[str], action: str) -> None:
        """Raise `PermissionDeniedError` unless one of the roles allows the action."""
        if not self.is_allowed(roles, action):
            raise PermissionDeniedError(action)
