"""Applications and their review; checks on what goes in and comes out; the queue for people."""

from kuaibao.service.policy.applications import (
    Application,
    ApplicationBook,
    ApplicationForm,
    Decision,
)
from kuaibao.service.policy.cases import Case, example_cases
from kuaibao.service.policy.guard import Guard, Verdict
from kuaibao.service.policy.held import HeldText, ReviewQueue
from kuaibao.service.policy.rules import Action, Policy, Side

__all__ = [
    "Action",
    "Application",
    "ApplicationBook",
    "ApplicationForm",
    "Case",
    "Decision",
    "Guard",
    "HeldText",
    "Policy",
    "ReviewQueue",
    "Side",
    "Verdict",
    "example_cases",
]
