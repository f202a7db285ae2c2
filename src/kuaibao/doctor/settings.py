"""How long the doctor looks, and how deep; and how it ends the script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Settings", "StopExamination"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long to look, and how deep."""

    samples: int = 0
    """Stop after so many samples; 0 for no such limit."""
    seconds: float = 0.0
    """Stop so many seconds after the first batch was asked for; 0 for no such limit."""
    ablate: bool = True
    """Repeat batches and probe the data path; without it the doctor only watches."""
    cores: float = 1.0
    """Cores that can really be had (`processes.probe_cores`)."""
    treatments: tuple[str, ...] = ()
    """Cures to alternate with the untreated loop instead of looking for a disease."""
    treatment_options: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments that replace those of every `DataLoader(...)`."""
    default_seconds: float = 45.0
    """Limit when neither `samples` nor `seconds` is given."""


class StopExamination(SystemExit):
    """Ends the examined script once enough has been seen; its exit status is 0."""
