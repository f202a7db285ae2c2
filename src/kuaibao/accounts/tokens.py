"""Secrets that are shown once and kept only as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

__all__ = ["NewToken", "hash_token", "is_same_token", "new_token"]


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token at the only moment when its secret is known."""

    secret: str
    """Shown to its owner once."""
    prefix: str
    """The first characters, which tell keys apart in lists."""
    digest: str
    """What is stored: SHA-256, fit for a secret of 256 random bits."""


def new_token(kind: str) -> NewToken:
    """A token such as `kb-…`: `kind`, a dash and 43 characters of 256 random bits."""
    secret = f"{kind}-{secrets.token_urlsafe(32)}"
    return NewToken(secret=secret, prefix=secret[: len(kind) + 7], digest=hash_token(secret))


def hash_token(secret: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_same_token(digest: str, secret: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest, hash_token(secret))
