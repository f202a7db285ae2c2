"""An application's policy: which check runs on which side, and what follows from a finding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from kuaibao.errors import InputError, did_you_mean

__all__ = ["Action", "Policy", "Side"]

Action = Literal["allow", "flag", "redact", "refuse", "hold"]
Side = Literal["input", "output"]

DEFAULT_INPUT: Mapping[str, Action] = {
    "harassment_request": "refuse",
    "toxic_language": "flag",
    "repetition": "refuse",
    "personal_data": "flag",
}
DEFAULT_OUTPUT: Mapping[str, Action] = {
    "toxic_language": "refuse",
    "personal_data": "redact",
    "mass_output": "flag",
    "links": "flag",
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Checks by name with what follows; what is not named does not run."""

    input: Mapping[str, Action] = field(default_factory=lambda: dict(DEFAULT_INPUT))
    output: Mapping[str, Action] = field(default_factory=lambda: dict(DEFAULT_OUTPUT))
    retention_days: int = 30
    """How long a held or flagged text is kept; 0 keeps none: then nothing can be held."""

    @staticmethod
    def from_json(text: str, known_checks: frozenset[str] | None = None) -> Policy:
        """Read a policy as stored or as an administrator wrote it.

        Raises:
            InputError: Unknown check, action or field.
        """
        try:
            value: Any = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"the policy is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise InputError("the policy must be a JSON object")
        unknown = set(value) - {"input", "output", "retention_days"}
        if unknown:
            name = sorted(unknown)[0]
            raise InputError(
                f"unknown field {name!r} in a policy",
                hint=did_you_mean(name, ["input", "output", "retention_days"]),
            )
        policy = Policy(**value)
        policy.check(known_checks)
        return policy

    def check(self, known_checks: frozenset[str] | None = None) -> None:
        """Raise `InputError` for an unknown check or action, or a hold that keeps nothing."""
        for side in (self.input, self.output):
            for name, action in side.items():
                if known_checks is not None and name not in known_checks:
                    raise InputError(
                        f"unknown check {name!r}", hint=did_you_mean(name, known_checks)
                    )
                if action not in get_args(Action):
                    raise InputError(
                        f"{name}: unknown action {action!r}",
                        hint=did_you_mean(str(action), get_args(Action)),
                    )
                if action == "hold" and self.retention_days == 0:
                    raise InputError(f"{name}: holding needs retention_days above 0")

    def to_json(self) -> str:
        """The form that `from_json` reads."""
        return json.dumps(
            {
                "input": dict(self.input),
                "output": dict(self.output),
                "retention_days": self.retention_days,
            },
            sort_keys=True,
        )
