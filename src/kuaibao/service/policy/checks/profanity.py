"""Swearing and slurs in English, by the model that `alt-profanity-check` carries.

A linear model over words that its authors trained on 200,000 labelled comments. It knows words, not
whom they are aimed at: a quoted insult counts as one. So it is a check of its own beside
`toxic_language`, to flag or hold rather than to refuse.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from kuaibao.errors import MissingExtraError
from kuaibao.service.policy.checks.finding import Finding

__all__ = ["check_profanity"]

THRESHOLD = 0.9
"""Three alarms in 14,500 sentences of technical prose (benchmarks/service/misuse.py)."""
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_MAX_CHARACTERS = 20_000


@cache
def _predict() -> Any:
    try:
        from profanity_check import predict_prob
    except ImportError as error:
        raise MissingExtraError("moderation", needed_for="the check 'profanity'") from error
    return predict_prob


def check_profanity(text: str) -> Finding | None:
    """Find English sentences that swear or slur; of the first 20,000 characters.

    Raises:
        MissingExtraError: The extra `moderation` is not installed.
    """
    predict = _predict()
    spans = [m.span() for m in _SENTENCE.finditer(text[:_MAX_CHARACTERS]) if m.group().strip()]
    if not spans:
        return None
    probabilities = predict([text[start:end] for start, end in spans])
    found = [span for span, p in zip(spans, probabilities, strict=True) if p >= THRESHOLD]
    return Finding("profanity", tuple(found)) if found else None
