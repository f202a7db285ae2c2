"""Examples of decided requests, published with the rules."""

from __future__ import annotations

import importlib.resources
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Literal

__all__ = ["Case", "example_cases"]

Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Case:
    """What was asked for, what was decided, and why."""

    status: str
    purpose: str
    reasons: str
    exceptions: str = ""


@cache
def example_cases(language: Language = "en") -> tuple[Case, ...]:
    """The examples that come with the program, in English or Chinese."""
    folder = importlib.resources.files("kuaibao.service.policy")
    table = tomllib.loads((folder / "cases.toml").read_text(encoding="utf-8"))
    return tuple(
        Case(case["status"], case["purpose"][language], case["reasons"][language])
        for case in table["cases"]
    )
