"""Passwords, kept as argon2id hashes (RFC 9106)."""

from __future__ import annotations

from functools import cache
from typing import Any

from kuaibao.errors import InputError, MissingExtraError

__all__ = ["MIN_LENGTH", "hash_password", "needs_rehash", "verify_password"]

MIN_LENGTH = 10
"""Characters; length is what makes a password hard to guess (NIST SP 800-63B, 5.1.1)."""

_MAX_LENGTH = 1024


@cache
def _hasher() -> Any:
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        raise MissingExtraError("serve", needed_for="keeping passwords") from error
    return PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash of a password, parameters included.

    Raises:
        InputError: Shorter than `MIN_LENGTH` or longer than 1,024 characters.
    """
    if not MIN_LENGTH <= len(password) <= _MAX_LENGTH:
        raise InputError(
            f"a password has {MIN_LENGTH} to {_MAX_LENGTH} characters, got {len(password)}"
        )
    return str(_hasher().hash(password))


def verify_password(stored: str, password: str) -> bool:
    """Whether the password fits; a missing account (`stored == ""`) costs as much time."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > _MAX_LENGTH:
        return False
    try:
        return bool(_hasher().verify(stored or _hash_of_nobody(), password)) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return bool(_hasher().check_needs_rehash(stored))


@cache
def _hash_of_nobody() -> str:
    return str(_hasher().hash("nobody's password"))
