"""Everything that a machine can check of a text against its original, sentence by sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kuaibao.bulletin.desk.alignment import Pair, align_sentences
from kuaibao.bulletin.desk.lint import Slip, find_slips
from kuaibao.bulletin.desk.quantities import compare_quantities
from kuaibao.bulletin.desk.sources import Original
from kuaibao.bulletin.desk.terms import Term, TermFinding, check_terms
from kuaibao.bulletin.desk.text import PieceText
from kuaibao.bulletin.model import DraftSentence, Evidence
from kuaibao.bulletin.writing import find_evidence
from kuaibao.bulletin.writing.evidence import quote
from kuaibao.text import align, unsupported_names

__all__ = ["CheckedSentence", "Finding", "Review", "evidence_of", "review_text"]


@dataclass(frozen=True)
class Finding:
    """Something to look at."""

    kind: str
    """`number_added`, `unit_differs`, `name_added`, `term_missing`, a rule of `lint`, …"""
    shown: str = ""
    other: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckedSentence:
    """A sentence of the text with all that is known of it."""

    part: str
    text: str
    evidence: tuple[Evidence, ...] = ()
    is_guess: bool = False
    """The evidence stands on little more than its place."""
    findings: tuple[Finding, ...] = ()
    is_machine: bool = False
    """Word for word as a machine wrote it."""
    slips: tuple[Slip, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Review:
    """A whole text, checked."""

    sentences: tuple[CheckedSentence, ...]
    title_findings: tuple[Finding, ...] = ()
    is_translation: bool = False

    @property
    def n_finding(self) -> int:
        """How many things there are to look at."""
        own = sum(len(s.findings) + len(s.slips) for s in self.sentences)
        return own + len(self.title_findings)

    @property
    def n_machine(self) -> int:
        """Sentences that nobody touched."""
        return sum(s.is_machine for s in self.sentences)


def evidence_of(text: PieceText, original: Original) -> tuple[DraftSentence, ...]:
    """Every sentence with the source sentences that it stands on, and what they lack."""
    review = review_text(text, original)
    return tuple(
        DraftSentence(
            text=s.text,
            evidence=() if s.is_guess else s.evidence,
            warnings=tuple(
                f"{f.kind.replace('_', ' ')}: {f.shown}"
                for f in s.findings
                if f.kind in ("number_added", "date_added", "unit_differs", "name_added")
            ),
        )
        for s in review.sentences
    )


def review_text(
    text: PieceText,
    original: Original,
    *,
    language: str = "",
    terms: Sequence[Term] = (),
    machine_sentences: frozenset[str] = frozenset(),
) -> Review:
    """Check a text.

    Args:
        text: What was written.
        original: What it was written from.
        language: Of the text; its look decides if not given.
        terms: The glossary of the two languages.
        machine_sentences: Sentences that a machine wrote.
    """
    labelled = text.sentences()
    sentences = [s for _, s in labelled]
    source = [s.text for s in original.sentences]
    is_translation = bool(language) and language != original.language
    if not language:
        is_translation = _script("".join(sentences)) != _script(original.text)
    glossary = {t.source: t.target for t in terms}
    pairs = _partners(sentences, source, glossary, is_translation)
    whole = f"{original.entry.title}\n{original.text}"
    told = [
        (" ".join(source[i] for i in pair.source), s)
        for pair, s in zip(pairs, sentences, strict=True)
    ]
    of_terms = check_terms(told, terms) if is_translation else ()
    checked = [
        CheckedSentence(
            part=label,
            text=sentence,
            evidence=_evidence(sentence, pair, original, is_translation),
            is_guess=is_translation and not pair.is_sure,
            findings=(
                *_facts(sentence, told[n][0], whole, pair),
                *_names(sentence, whole, is_translation),
                *_terms(of_terms, n),
            ),
            is_machine=sentence in machine_sentences,
            slips=find_slips(sentence, language or _script(sentence)),
        )
        for n, ((label, sentence), pair) in enumerate(zip(labelled, pairs, strict=True))
    ]
    return Review(
        sentences=tuple(checked),
        title_findings=tuple(
            Finding(d.kind, d.shown, d.other) for d in compare_quantities(whole, text.title)
        ),
        is_translation=is_translation,
    )


def _partners(
    sentences: Sequence[str], source: Sequence[str], glossary: Mapping[str, str],
    is_translation: bool,
) -> list[Pair]:  # fmt: skip
    """For each sentence its pair."""
    if is_translation:
        found: dict[int, Pair] = {}
        for pair in align_sentences(source, sentences, glossary):
            found |= dict.fromkeys(pair.target, pair)
        return [found.get(n, Pair((), (n,), 0.0)) for n in range(len(sentences))]
    return [
        Pair(tuple(align(sentence, list(source))), (n,), 1.0)
        for n, sentence in enumerate(sentences)
    ]


def _evidence(
    sentence: str, pair: Pair, original: Original, is_translation: bool
) -> tuple[Evidence, ...]:
    if is_translation:
        return tuple(quote(original.sentences[i], i) for i in pair.source)
    return find_evidence(sentence, list(original.sentences))


def _facts(sentence: str, partner: str, whole: str, pair: Pair) -> tuple[Finding, ...]:
    """A sure pair is compared closely, another with the whole original."""
    differences = compare_quantities(whole, sentence)
    if pair.is_sure and partner:
        close = compare_quantities(partner, sentence)
        differences = tuple(dict.fromkeys([*differences, *(d for d in close
                            if d.kind == "unit_differs")]))  # fmt: skip
    return tuple(Finding(d.kind, d.shown, d.other) for d in differences)


def _names(sentence: str, whole: str, is_translation: bool) -> tuple[Finding, ...]:
    if is_translation and _script(whole) == "zh":
        return ()  # Chinese names are not Latin words: they can't be compared by letters
    return tuple(Finding("name_added", name) for name in unsupported_names(sentence, whole))


def _terms(found: Sequence[TermFinding], n: int) -> tuple[Finding, ...]:
    return tuple(
        Finding(f.kind, f.shown or f.term.source, f.term.target) for f in found if f.sentence == n
    )


def _script(text: str) -> str:
    han = sum("\u3400" <= c <= "\u9fff" for c in text)
    return "zh" if han * 4 > len(text) else "en"
