"""What can go wrong in training.

KuaibaoError
├── DivergenceError        the loss is no number, or shot up
└── InputError
    ├── RecipeError        a recipe is wrong, with its line
    └── TrainingStateError a run's folder is damaged, or of another recipe
"""

from __future__ import annotations

from kuaibao.errors import InputError, KuaibaoError

__all__ = ["DivergenceError", "RecipeError", "TrainingStateError"]


class DivergenceError(KuaibaoError):
    """The loss is no number, or shot up; names the step and the last good checkpoint."""


class RecipeError(InputError):
    """A recipe is wrong."""


class TrainingStateError(InputError):
    """A run's folder is damaged, or belongs to another recipe."""
