"""The five parts of a paper's entry: its own sentences, put under the heading they belong to.

Background, innovation, model, experiments, results. A sentence goes where its words and its place
in the abstract say; a part that no sentence fits stays empty, nothing is made up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kuaibao.bulletin.model import DraftSentence
from kuaibao.bulletin.writing.evidence import quote
from kuaibao.text import Sentence

__all__ = ["PAPER_FIELDS", "paper_fields"]

PAPER_FIELDS = ("background", "innovation", "model", "experiments", "results")

_CUES: dict[str, re.Pattern[str]] = {
    "background": re.compile(
        r"(?i)\b(recent(ly)?|while|although|however|existing|previous(ly)?|prior|often|typically"
        r"|traditional(ly)?|remains?|challeng\w+|has been|have been|have (shown|become)|inspired by"
        r"|difficult|lack|is (a|an|one of) )\b"
        r"|近年|目前|现有|传统|然而|往往|通常|挑战|随着|已有|受.*启发"
    ),
    "innovation": re.compile(
        r"(?i)\b(we (propose|introduce|present|develop|study|examine|show how|investigate"
        r"|hypothesi[sz]e)"
        r"|in this (paper|work)|this paper|our (key|main)|novel|new (approach|method|objective|"
        r"language|platform)|for the first time|first (to|time))\b"
        r"|本文|提出|引入|首次|创新|新的|我们研究|新方法"
    ),
    "model": re.compile(
        r"(?i)\b(we (train|pre-?train|mask|remove|use|apply|formulate|encode|model|design|build"
        r"|scale)"
        r"|consists? of|architecture|encoder|decoder|objective|autoregressive\w*|transformer"
        r"|parameters|algorithm|optimi[sz]\w+|is (trained|masked|generated|removed)|are (trained|"
        r"masked|removed|generated)|without)\b|模型|架构|编码器|解码器|参数|训练|预训练|目标函数|算法|优化"
    ),
    "experiments": re.compile(
        r"(?i)\b(we (evaluate|test|measure|compare|experiment|conduct|benchmark)|evaluat\w+"
        r"|experiments?"
        r"|benchmarks?|data ?sets?|tasks?|linear probe|human (evaluation|raters?)|ablation|on CIFAR"
        r"|ImageNet)\b|实验|评测|评估|数据集|基准|测试|任务|对比"
    ),
    "results": re.compile(
        r"(?i)\b(achiev\w+|outperform\w+|state[- ]of[- ]the[- ]art"
        r"|results? (show|demonstrate|suggest)"
        r"|we (find|found|show that|achieve|obtain|validate)|improv\w+|reach\w*|surpass\w+|accuracy"
        r"|competitive|match(es|ing)|exceed\w*|\d+(\.\d+)?\s?%)"
        r"|结果|优于|达到|超过|提升|准确率|最佳|表明|证明|发现"
    ),
}  # fmt: skip
_ORDER_WEIGHT = 0.8
"""How much the place in the abstract counts against one cue."""


def paper_fields(
    sentences: Sequence[Sentence], *, per_field: int = 2
) -> tuple[tuple[str, tuple[DraftSentence, ...]], ...]:
    """The abstract's sentences under their headings, each in its order, at most `per_field`.

    An abstract of one sentence is left whole: it has no parts.
    """
    if len(sentences) < 2:
        return ()
    fields: dict[str, list[tuple[float, int]]] = {name: [] for name in PAPER_FIELDS}
    for i, sentence in enumerate(sentences):
        name, score = _best_field(sentence.text, i / (len(sentences) - 1))
        if name:
            fields[name].append((score, i))
    made: list[tuple[str, tuple[DraftSentence, ...]]] = []
    for name in PAPER_FIELDS:
        best = sorted(fields[name], key=lambda pair: (-pair[0], pair[1]))[:per_field]
        chosen = sorted(i for _, i in best)
        if chosen:
            made.append((name, tuple(_sentence(sentences[i], i) for i in chosen)))
    return tuple(made)


def _best_field(text: str, place: float) -> tuple[str, float]:
    scores: dict[str, float] = {}
    for n, (name, cue) in enumerate(_CUES.items()):
        cues = len({m.group().lower() for m in cue.finditer(text)})
        nearness = 1 - abs(place - n / (len(PAPER_FIELDS) - 1))
        if cues:
            scores[name] = min(cues, 3) + _ORDER_WEIGHT * nearness
    if not scores:
        return ("background", 0.1) if place <= 0.25 else ("", 0.0)
    best = max(scores, key=lambda name: scores[name])
    return best, scores[best]


def _sentence(sentence: Sentence, index: int) -> DraftSentence:
    return DraftSentence(text=sentence.text, evidence=(quote(sentence, index),))
