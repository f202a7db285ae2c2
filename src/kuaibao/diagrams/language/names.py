"""A name as it stands in a program, with its place."""

from __future__ import annotations

from typing import NamedTuple

from kuaibao.diagrams.language.source import NOWHERE, Span

__all__ = ["Name"]


class Name(NamedTuple):
    """An identifier and where it stands."""

    text: str
    span: Span = NOWHERE
