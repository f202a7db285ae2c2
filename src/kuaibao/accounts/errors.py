"""Errors of the accounts room.

AccountsError
├── SignInError          wrong name or password; says no more than that
├── TooManyAttemptsError sign-in is locked for a while
├── PermissionDeniedError
├── InvalidKeyError      unknown, expired or revoked key
└── BrokenAuditError     the chain of the audit log does not hold
"""

from __future__ import annotations

from kuaibao.errors import KuaibaoError

__all__ = [
    "AccountsError",
    "BrokenAuditError",
    "InvalidKeyError",
    "PermissionDeniedError",
    "SignInError",
    "TooManyAttemptsError",
]


class AccountsError(KuaibaoError):
    """Anything wrong with people, sessions, keys or permissions."""

    exit_code = 5


class SignInError(AccountsError):
    """Wrong name or password; which of them is not said."""

    def __init__(self) -> None:
        super().__init__("the name or the password is wrong")


class TooManyAttemptsError(AccountsError):
    """Sign-in is locked for a while after repeated failures."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "too many failed attempts to sign in", hint=f"Try again in {retry_after_s} seconds."
        )
        self.retry_after_s = retry_after_s


class PermissionDeniedError(AccountsError):
    """The person's roles do not allow the action."""

    def __init__(self, action: str) -> None:
        super().__init__(f"not allowed: {action}", hint="Ask an administrator for the role.")
        self.action = action


class InvalidKeyError(AccountsError):
    """The key is unknown, expired or revoked."""


class BrokenAuditError(AccountsError):
    """An entry of the audit log was changed or removed."""
