"""Questions over the archive: an answer that cites the items it rests on.

Without a model the answer is the archive's own sentences, those nearest to the question. With one,
its words are tied to the passages: what it cites is kept where the passage supports it, numbers and
names that no passage holds are flagged, and an answer without any support is not given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kuaibao.bulletin.model import DraftSentence, Entry
from kuaibao.bulletin.store import Found, Store, search_archive
from kuaibao.bulletin.writing.evidence import check_sentence
from kuaibao.bulletin.writing.protocols import Answerer
from kuaibao.text import align, detect_language, split_sentences, stop_words, words

__all__ = ["Answer", "Citation", "answer_question"]

N_ITEM = 5
N_SENTENCE = 3
MAX_PASSAGE = 400
"""Characters of a passage."""
MAX_TEXT = 60_000
_CITED = re.compile(r"\s*\[(\d{1,2})\]")
_QUERY_WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")


@dataclass(frozen=True, kw_only=True)
class Citation:
    """Where an answer comes from."""

    number: int
    item_id: str
    title: str
    url: str
    day: str
    quote: str
    """The passage, word for word."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the archive tells; empty text if it tells nothing."""

    question: str
    text: str
    citations: tuple[Citation, ...] = ()
    warnings: tuple[str, ...] = ()
    is_machine: bool = False
    """Whether a model wrote it; else it is quoted."""


def answer_question(store: Store, question: str, answerer: Answerer | None = None) -> Answer:
    """Answer from the archive.

    Args:
        store: The archive.
        question: In English or Chinese.
        answerer: A model; without one the archive's own sentences answer.
    """
    language = detect_language(question)
    passages = _passages(question, _found(store, question, language))
    if not passages:
        return Answer(question=question, text="")
    if answerer is None:
        text = " ".join(f"{p.quote} [{p.number}]" for p in passages[:N_SENTENCE])
        return Answer(question=question, text=text, citations=tuple(passages[:N_SENTENCE]))
    said = answerer.answer(question, [p.quote for p in passages], language=language)
    return _checked(question, said, passages)


def _found(store: Store, question: str, language: str) -> list[Found]:
    """Items that hold the question's words, all of them or else any."""
    common = stop_words(language)
    asked = [w for w in _QUERY_WORD.findall(question) if w.lower() not in common][:20]
    if language == "zh":
        asked = [w for run in asked for w in _chinese_words(run, common)][:20]
    if not asked:
        return []
    quoted = [f'"{word}"' for word in dict.fromkeys(asked)]
    found = search_archive(store, " ".join(quoted), limit=N_ITEM)
    return found or search_archive(store, " OR ".join(quoted), limit=N_ITEM)


def _chinese_words(run: str, common: frozenset[str] | set[str]) -> list[str]:
    from kuaibao.text import segment_words

    return [w for w in segment_words(run) if w not in common and len(w) > 1]


def _passages(question: str, found: Sequence[Found]) -> list[Citation]:
    """The sentence of each item that is nearest to the question."""
    asked = set(words(question))
    ranked: list[tuple[float, int, Found, str]] = []
    for place, one in enumerate(found):
        sentence, closeness = _nearest_sentence(one.entry, asked)
        if sentence:
            ranked.append((-closeness, place, one, sentence))
    ranked.sort(key=lambda row: row[:2])
    return [
        Citation(
            number=number, item_id=one.item_id, title=one.entry.title, url=one.entry.url,
            day=str(one.entry.published or ""), quote=sentence[:MAX_PASSAGE],
        )
        for number, (_, _, one, sentence) in enumerate(ranked, 1)
    ]  # fmt: skip


def _nearest_sentence(entry: Entry, asked: set[str]) -> tuple[str, float]:
    text = max((entry.content, entry.summary), key=len)[:MAX_TEXT] or entry.title
    best, closest = "", -1.0
    for sentence in split_sentences(text):
        own = set(words(sentence.text))
        closeness = len(own & asked) / (1 + len(own) ** 0.5)
        if closeness > closest:
            best, closest = " ".join(sentence.text.split()), closeness
    return best, closest


def _checked(question: str, said: str, passages: Sequence[Citation]) -> Answer:
    text = " ".join(said.split())
    bare = _CITED.sub("", text).strip()
    cited = {int(n) for n in _CITED.findall(text)}
    quotes = [p.quote for p in passages]
    supporting = {passages[i].number for i in align(bare, quotes)} if bare else set[int]()
    kept = [p for p in passages if p.number in (cited & supporting or supporting)]
    if not kept:
        # Nothing in the archive supports it: a machine's guess is no answer.
        return Answer(question=question, text="", is_machine=True)
    checked = check_sentence(DraftSentence(text=bare), " ".join(quotes))
    marks = "".join(f"[{p.number}]" for p in kept)
    return Answer(
        question=question, text=f"{bare} {marks}", citations=tuple(kept),
        warnings=checked.warnings, is_machine=True,
    )  # fmt: skip
