"""A machine's draft of an item: title, sentences with their evidence, facts, key phrases.

Extractive by default: every sentence is one of the source's own, with its place there. An
abstractive summariser or a translator may take part; its sentences are tied to the source sentences
that support them, and numbers and names that the source lacks are flagged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kuaibao.bulletin.model import Draft, DraftSentence, Entry, Fact, Item
from kuaibao.bulletin.writing.evidence import check_sentence, find_evidence, quote
from kuaibao.bulletin.writing.papers import paper_fields
from kuaibao.bulletin.writing.protocols import Summarizer, Translator
from kuaibao.text import (
    STRATEGIES,
    Sentence,
    detect_language,
    key_phrases,
    select_gap_sentences,
    split_sentences,
)

__all__ = ["DRAFT_VERSION", "Writer", "entry_for", "entry_language", "is_strategy", "make_draft"]

DRAFT_VERSION = 3
"""Raised when drafts would come out otherwise: stored ones are then made again."""

MAX_SOURCE = 60_000
"""Characters of a source text that are read."""
DEFAULT_STRATEGY = "ind-orig"
"""Of texts that a summariser can't read."""
N_KEY_PHRASE = 5
N_SYNOPSIS_SOURCE = 3
"""Sentences that a tool's line is written from: at its beginning a text says what its thing is."""
_PROSE_END = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*$")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"\w+")
_CODE = re.compile(r"::|[{}|<>=`\\]{2,}|^\W*(pip|\$|>>>|import |from \w+ import)|https?://\S+\s*$")


@dataclass(frozen=True, kw_only=True)
class Writer:
    """How drafts are made."""

    strategy: str = DEFAULT_STRATEGY
    n_sentence: int = 3
    summarizer: Summarizer | None = None
    """Used in place of the strategy, whose name is then the summariser's."""
    synopsis: Summarizer | None = None
    """Writes the first line of a tool whose source gives none."""
    translator: Translator | None = None


def entry_language(entry: Entry) -> str:
    """The entry's language (`en`, `zh`, …) as it says itself, or as its text looks."""
    tag = entry.language.partition("-")[0].lower()
    return tag or detect_language(" ".join([entry.title, entry.summary, entry.content[:2000]]))


def entry_for(item: Item, languages: Sequence[str]) -> int | None:
    """Which entry's text is printed in an edition; None if none may be.

    Args:
        item: The story.
        languages: Those that may be printed, the best first; `*` stands for any other.
    """
    best: tuple[int, int, int] | None = None
    for index, entry in enumerate(item.entries):
        language = entry_language(entry)
        rank = next(
            (i for i, wanted in enumerate(languages) if wanted in (language, "*")), len(languages)
        )
        if rank == len(languages):
            continue
        key = (rank, -len(_source_text(entry)), index)
        best = key if best is None else min(best, key)
    return best[2] if best else None


def make_draft(item: Item, index: int, language: str, writer: Writer) -> Draft:
    """Draft an item from one of its entries.

    Args:
        item: The story.
        index: Which of its entries is read.
        language: Of the edition; a translator is asked if the entry is in another one.
        writer: How.
    """
    entry = item.entries[index]
    text = _source_text(entry)
    source_language = entry_language(entry)
    source = split_sentences(text)
    is_paper = entry.kind == "paper"
    fields = paper_fields(source) if is_paper else ()
    sentences = () if fields else _summary(entry, text, source, source_language, writer)
    first = () if fields else _synopsis(item, entry, text, source, source_language, writer)
    # With the line, a summary is as long as without it.
    sentences = (*first, *sentences[: max(0, writer.n_sentence - 1)]) if first else sentences
    draft = Draft(
        item_id=item.item_id,
        language=source_language or language,
        title=entry.title,
        sentences=sentences,
        fields=fields,
        facts=_facts(entry),
        key_phrases=tuple(
            phrase.text for phrase in key_phrases(f"{entry.title}\n\n{text}", n=N_KEY_PHRASE)
        ),
        strategy="abstract" if fields else writer.strategy + (", synopsis" if first else ""),
        is_machine=True,
    )  # fmt: skip
    if writer.translator and source_language and source_language != language:
        return _translate(draft, source_language, language, text, writer.translator)
    return draft


def _source_text(entry: Entry) -> str:
    """What is read: an abstract for a paper, else the longest text there is."""
    if entry.kind == "paper" and entry.summary:
        return entry.summary[:MAX_SOURCE]
    return max((entry.content, entry.summary), key=len)[:MAX_SOURCE]


def _summary(
    entry: Entry, text: str, source: list[Sentence], language: str, writer: Writer
) -> tuple[DraftSentence, ...]:
    n_sentence = writer.n_sentence * (2 if entry.kind == "article" else 1)
    prose = [i for i, s in enumerate(source) if is_prose(s.text)] or list(range(len(source)))
    if not prose:
        return ()
    if writer.summarizer is not None:
        written = writer.summarizer.summarize(text, n_sentence=n_sentence, language=language)
        if written:
            return tuple(
                check_sentence(DraftSentence(text=s, evidence=find_evidence(s, source)), text)
                for s in written
            )
    # A summariser that can't read the text writes nothing: then its own sentences stand.
    chosen = select_gap_sentences(
        [source[i].text for i in prose],
        n_sentences=min(n_sentence, len(prose)),
        strategy=writer.strategy if is_strategy(writer.strategy) else DEFAULT_STRATEGY,
    )
    made = [_extracted(source[prose[i]], prose[i]) for i in chosen]
    # What a project says of itself in one line comes before its documentation.
    if entry.kind == "tool" and entry.summary and entry.summary != text:
        made = [DraftSentence(text=_closed(entry.summary)), *made[: max(0, n_sentence - 1)]]
    return tuple(made)


def _synopsis(
    item: Item, entry: Entry, text: str, source: list[Sentence], language: str, writer: Writer
) -> tuple[DraftSentence, ...]:
    """A model's line on what a tool is; none where the source says it itself."""
    is_tool = entry.kind == "tool" or item.section == "tools"
    has_line = bool(entry.summary) and entry.summary != text
    if writer.synopsis is None or not is_tool or has_line or language != "en":
        return ()
    prose = [s.text for s in source if is_prose(s.text)][:N_SYNOPSIS_SOURCE]
    written = writer.synopsis.summarize(" ".join(prose), n_sentence=1, language=language)
    lines = [_closed(_opened(s, entry.title)) for s in written if _is_borne_out(s, text)]
    return tuple(
        check_sentence(DraftSentence(text=line, evidence=find_evidence(line, source)), text)
        for line in lines
    )


def _is_borne_out(line: str, text: str) -> bool:
    """Three words and more, all of the text's own, without a stammer.

    A small model also writes what it saw elsewhere, or repeats itself: then no line is better.
    """
    words = _WORD.findall(line.lower())
    long = [word for word in words if len(word) > 4]
    stammers = len(long) > len(set(long)) or any(a == b for a, b in pairwise(words))
    return len(words) >= 3 and not stammers and set(words) <= set(_WORD.findall(text.lower()))


def is_prose(text: str) -> bool:
    """Whether a piece of text is a sentence rather than a heading, a badge or code."""
    letters = len(_LETTER.findall(text))
    n_word = len(text.split())
    is_long = letters >= 8 and (n_word >= 4 or any(c > "\u2e80" for c in text))
    return bool(
        is_long
        and letters > 0.6 * len(text.replace(" ", ""))
        and _PROSE_END.search(text)
        and not _CODE.search(text)
    )


def _extracted(sentence: Sentence, index: int) -> DraftSentence:
    return DraftSentence(text=" ".join(sentence.text.split()), evidence=(quote(sentence, index),))


def _opened(text: str, title: str) -> str:
    """With a capital, unless it begins with the tool's own name, which has its spelling."""
    begins_with_name = text.split(maxsplit=1)[:1] == title.split(maxsplit=1)[:1]
    return text if begins_with_name else text[:1].upper() + text[1:]


def _closed(text: str) -> str:
    return text if _PROSE_END.search(text) else text + "."


def _facts(entry: Entry) -> tuple[Fact, ...]:
    """What the entry's own fields state; nothing is read into the text."""
    facts: list[Fact] = []
    if entry.kind == "tool":
        version = entry.entry_id.partition("==")[2]
        facts += [Fact(label="version", value=version)] if version else []
        facts += [Fact(label="licence", value=entry.licence)] if entry.licence else []
        facts += [Fact(label="home_page", value=entry.url)] if entry.url else []
    return tuple(facts)


def _translate(draft: Draft, source: str, target: str, text: str, translator: Translator) -> Draft:
    """The draft in another language: as many sentences, with the same evidence."""
    parts = [draft.sentences, *(sentences for _, sentences in draft.fields)]
    flat = [s.text for part in parts for s in part]
    title, *rest = translator.translate([draft.title, *flat], source=source, target=target)
    words = iter(rest)
    turned = [
        tuple(
            check_sentence(DraftSentence(text=next(words), evidence=s.evidence), text) for s in part
        )
        for part in parts
    ]
    fields = tuple((name, turned[i + 1]) for i, (name, _) in enumerate(draft.fields))
    return replace(
        draft,
        language=target,
        title=title,
        sentences=turned[0],
        fields=fields,
        strategy=f"{draft.strategy}, machine translation",
    )


def is_strategy(name: str) -> bool:
    """Whether a name is an extractive strategy rather than a summariser's."""
    return name in STRATEGIES
