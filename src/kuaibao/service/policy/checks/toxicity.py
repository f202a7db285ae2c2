"""Toxic language in English and Chinese: weighted expressions, aimed at a person or not.

No package carries a model for Chinese, and those for English know words only (`profanity`), so this
is a table of expressions of our own (`words/*.tsv`: weight, kind, expression). An insult aimed at
somebody ("you are a …", "你这个…") weighs more than the word alone, and a word in a quotation or
behind a negation less. The content filter of 2020 answered 0 (safe), 1 (sensitive) or 2 (unsafe):
`label_probabilities` gives the same three.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from kuaibao.service.policy.checks.finding import Finding

__all__ = ["check_toxic_language", "label_probabilities", "toxicity"]

SENSITIVE = 1.0
UNSAFE = 2.5

_AIMED = re.compile(
    r"(?:\b(?:you|u|you're|ur|your|yourself)\b(?:\W+\w+){0,4}\W*$)|(?:你|你们|妳)[^。！？\n]{0,6}$",
    re.I,
)
_SOFTENED = re.compile(
    r"(?:\b(?:not|never|isn't|aren't|don't|doesn't|said|called|word|term|phrase|meaning)\b"
    r"(?:\W+\w+){0,3}\W*$)|(?:不是|并非|不要|别|所谓|一词|称为|叫做|意思是)[^。！？\n]{0,4}[“\"「']?$",
    re.I,
)


@dataclass(frozen=True)
class _Expression:
    weight: float
    kind: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Toxicity:
    """A score with the expressions behind it."""

    score: float
    kinds: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


@cache
def _expressions() -> tuple[_Expression, ...]:
    folder = files("kuaibao.service.policy").joinpath("words")
    rows: list[_Expression] = []
    for name in ("en.tsv", "zh.tsv"):
        for line in folder.joinpath(name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                weight, kind, text = line.split("\t")
                rows.append(_Expression(float(weight), kind, _compile(text)))
    return tuple(rows)


def _compile(text: str) -> re.Pattern[str]:
    """Expressions may hold `|`, `?` and groups; Latin ones begin and end at a word's border."""
    border = r"\b" if text[:1].isascii() else ""
    return re.compile(f"{border}(?:{text}){border}", re.I)


_LEET = str.maketrans("@$01345", "asoieas")


def _fold(text: str) -> str:
    """Undo common disguises one for one, so that spans still fit."""
    return re.sub(
        r"\b(?=\w*[a-z])(?=\w*[@$0-9])[\w@$]+", lambda m: m.group().translate(_LEET), text.lower()
    )


def toxicity(text: str) -> Toxicity:
    """Score a text; the spans are of the first 20,000 characters."""
    text = text[:20_000]
    folded = _fold(text)
    score, kinds, spans = 0.0, list[str](), list[tuple[int, int]]()
    for expression in _expressions():
        for match in expression.pattern.finditer(folded):
            before = folded[max(0, match.start() - 40) : match.start()]
            weight = expression.weight
            if _AIMED.search(before):
                weight *= 1.6
            if _SOFTENED.search(before):
                weight *= 0.3
            score += weight
            kinds.append(expression.kind)
            spans.append(match.span())
    return Toxicity(score, tuple(dict.fromkeys(kinds)), tuple(spans))


def label_probabilities(text: str) -> tuple[float, float, float]:
    """Probabilities of 0 (safe), 1 (sensitive) and 2 (unsafe); they sum to 1."""
    score = toxicity(text).score
    logits = (2.0 - 2.0 * score, 2.0 - 2.0 * abs(score - 1.5), -3.5 + 2.0 * min(score, 4.0))
    weights = [math.exp(x) for x in logits]
    total = sum(weights)
    return weights[0] / total, weights[1] / total, weights[2] / total


def check_toxic_language(text: str) -> Finding | None:
    """Find abuse, threats and incitement whose score reaches the unsafe mark."""
    found = toxicity(text)
    if found.score < UNSAFE:
        return None
    return Finding(", ".join(found.kinds), found.spans)
