"""What can go wrong with models.

InputError
├── CheckpointError    a folder holds no model, or one that is damaged or of another kind
└── GenerationError    settings or prompts that cannot be generated with (also a ValueError)
"""

from __future__ import annotations

from kuaibao.errors import InputError

__all__ = ["CheckpointError", "GenerationError"]


class CheckpointError(InputError):
    """A folder holds no model, or one that is damaged or of another kind."""


class GenerationError(InputError, ValueError):
    """Settings or prompts that cannot be generated with."""
