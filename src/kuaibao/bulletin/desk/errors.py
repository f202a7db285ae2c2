"""Errors of the desk.

DeskError
├── WorkflowError      the step is not possible now, or not by this person
├── NotReadyError      an issue can't be closed; names every obstacle
├── StaleError         somebody changed the thing since it was read
└── EndpointError      the model that drafts does not answer, or not in its form
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kuaibao.errors import InputError, KuaibaoError

__all__ = ["DeskError", "EndpointError", "NotFoundError", "NotReadyError", "StaleError",
           "WorkflowError"]  # fmt: skip


class DeskError(KuaibaoError):
    """Anything that people at the desk can mend."""

    exit_code = 6


class NotFoundError(InputError):
    """There is no such piece, issue, series or the like."""


class WorkflowError(DeskError):
    """The step is not possible in this state, or not by this person.

    `reason` names the rule (`own_text`, `wrong_state`, …), so that each door says it in the
    reader's language.
    """

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class NotReadyError(DeskError):
    """An issue can't be closed yet."""

    def __init__(self, obstacles: Sequence[Any]) -> None:
        lines = "; ".join(str(one) for one in obstacles[:20])
        super().__init__(f"the issue can't be closed: {lines}")
        self.obstacles = tuple(obstacles)


class StaleError(DeskError):
    """Somebody changed the thing since it was read."""


class EndpointError(DeskError):
    """The model's endpoint does not answer, or not in its form."""
