"""The checks: each a function from a text to a finding, found by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from kuaibao.service.policy.checks.finding import Finding
from kuaibao.service.policy.checks.harassment import check_harassment_request
from kuaibao.service.policy.checks.links import check_links
from kuaibao.service.policy.checks.patterns import Watcher, check_mass_output, check_repetition
from kuaibao.service.policy.checks.personal_data import check_personal_data
from kuaibao.service.policy.checks.profanity import check_profanity
from kuaibao.service.policy.checks.toxicity import check_toxic_language, label_probabilities

__all__ = ["CHECKS", "Check", "Finding", "Watcher", "available_checks", "label_probabilities"]

Check = Callable[[str, int, Watcher], Finding | None]
"""(text, application, what was seen lately) → what was found."""

CHECKS: Mapping[str, Check] = {
    "personal_data": lambda text, _application, _watcher: check_personal_data(text),
    "toxic_language": lambda text, _application, _watcher: check_toxic_language(text),
    "harassment_request": lambda text, _application, _watcher: check_harassment_request(text),
    "profanity": lambda text, _application, _watcher: check_profanity(text),
    "links": lambda text, _application, _watcher: check_links(text),
    "repetition": check_repetition,
    "mass_output": check_mass_output,
}


def available_checks() -> frozenset[str]:
    """Names of the checks that can run here: `profanity` needs the extra `moderation`."""
    missing = set[str]() if find_spec("profanity_check") else {"profanity"}
    return frozenset(CHECKS) - missing
