"""Runs an application's policy over a text and says what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kuaibao.service.errors import ForbiddenError
from kuaibao.service.policy.applications import Application
from kuaibao.service.policy.checks import CHECKS, Finding, Watcher
from kuaibao.service.policy.held import ReviewQueue
from kuaibao.service.policy.rules import Action, Side

__all__ = ["Guard", "Verdict"]

_SEVERITY: dict[Action, int] = {"allow": 0, "flag": 1, "redact": 2, "hold": 3, "refuse": 4}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the policy makes of a text."""

    action: Action
    text: str
    """As it may go on: redacted where the policy says so."""
    findings: tuple[tuple[str, Finding], ...] = ()
    """Check names with what they found."""

    @property
    def is_stopped(self) -> bool:
        """Whether the text may not go on."""
        return self.action in ("refuse", "hold")

    @property
    def reason(self) -> str:
        """The findings in words."""
        return "; ".join(f"{name}: {finding.reason}" for name, finding in self.findings)

    def refusal(self, param: str | None = None) -> ForbiddenError:
        """What the caller of a stopped text is told."""
        if self.action == "hold":
            message = f"the text is held for a person to look at ({self.reason})"
            return ForbiddenError(message, param=param, code="content_held")
        return ForbiddenError(
            f"the application's policy refuses the text ({self.reason})",
            param=param,
            code="content_policy_violation",
        )


class Guard:
    """One for the service; remembers recent texts per application for the pattern checks."""

    def __init__(self, queue: ReviewQueue) -> None:
        self._queue = queue
        self._watcher = Watcher()

    def examine(
        self, application: Application, side: Side, text: str, *, request_id: str
    ) -> Verdict:
        """Run every check that the policy names; the gravest action wins.

        A held text that a person found harmless passes when it comes again, one that they found
        to be misuse is refused, and one that still waits is not kept twice.
        """
        actions = application.policy.input if side == "input" else application.policy.output
        findings: list[tuple[str, Finding]] = []
        due: list[Action] = []
        shown = text
        for name, action in actions.items():
            if action == "allow":
                continue
            finding = CHECKS[name](text, application.application_id, self._watcher)
            if finding is None:
                continue
            findings.append((name, finding))
            if action == "redact":
                shown = _redact(shown, text, finding)
            due.append(action)
        self._watcher.remember(application.application_id, side, text)
        is_kept = False
        if _gravest(due) == "hold":
            judged = self._queue.judgement(application.application_id, side, text)
            is_kept = judged is not None
            if judged == "harmless":
                due = [action for action in due if action != "hold"]
            elif judged == "misuse":
                due.append("refuse")
        verdict = Verdict(action=_gravest(due), text=shown, findings=tuple(findings))
        if verdict.action in ("flag", "hold") and not is_kept:
            self._keep(application, side, verdict, text, request_id)
        return verdict

    def let_pass(
        self, application: Application, side: Side, text: str, *, request_id: str,
        param: str | None = None, may_redact: bool = True,
    ) -> str:  # fmt: skip
        """The text as it may go on.

        Args:
            application: Whose policy.
            side: Which way the text goes.
            text: What is looked at.
            request_id: Named in what is kept.
            param: The field that the text came in, for the error.
            may_redact: False where the text can't be changed any more: then what would be
                redacted is refused.

        Raises:
            ForbiddenError: It may not go on.
        """
        verdict = self.examine(application, side, text, request_id=request_id)
        if verdict.is_stopped or (verdict.action == "redact" and not may_redact):
            raise verdict.refusal(param)
        return verdict.text

    def _keep(
        self, application: Application, side: Side, verdict: Verdict, text: str, request_id: str
    ) -> None:
        self._queue.add(
            request_id=request_id,
            application_id=application.application_id,
            side=side,
            check=verdict.findings[0][0],
            reason=verdict.reason,
            text=text,
            retention_days=application.policy.retention_days,
        )


def _gravest(actions: Sequence[Action]) -> Action:
    allowed: Action = "allow"
    return max([allowed, *actions], key=_SEVERITY.__getitem__)


def _redact(shown: str, text: str, finding: Finding) -> str:
    """As long as before, so that places in the text still hold."""
    for start, end in finding.spans:
        shown = shown.replace(text[start:end], "█" * (end - start))
    return shown
