"""Runs an application's policy over a text and says what follows."""

from __future__ import annotations

from dataclasses import dataclass

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


class Guard:
    """One for the service; remembers recent texts per application for the pattern checks."""

    def __init__(self, queue: ReviewQueue) -> None:
        self._queue = queue
        self._watcher = Watcher()

    def examine(
        self, application: Application, side: Side, text: str, *, request_id: str
    ) -> Verdict:
        """Run every check that the policy names; the gravest action wins."""
        actions = application.policy.input if side == "input" else application.policy.output
        findings: list[tuple[str, Finding]] = []
        worst: Action = "allow"
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
            worst = max(worst, action, key=_SEVERITY.__getitem__)
        self._watcher.remember(application.application_id, side, text)
        verdict = Verdict(action=worst, text=shown, findings=tuple(findings))
        if worst in ("flag", "hold"):
            self._keep(application, side, verdict, text, request_id)
        return verdict

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


def _redact(shown: str, text: str, finding: Finding) -> str:
    for start, end in finding.spans:
        shown = shown.replace(text[start:end], "█" * min(end - start, 12))
    return shown
