"""Sentences with their places in the text: English by syntok, Chinese by its own marks.

A text is cut at blank lines and list marks into blocks, each block after the full stops of Chinese
(。！？…… with the quotes and brackets that close behind them), and what Latin script remains by
syntok. So English, Chinese and both in one paragraph go the same way; no language need be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kuaibao.text.words import CJK

__all__ = ["Sentence", "join_sentences", "sentence_gap", "sentence_texts", "split_sentences"]

# A new block begins after a blank line, or at a line that starts a list item or a heading.
_BLOCK_END = re.compile(
    r"\n[^\S\n]*\n\s*"
    r"|\n(?=[^\S\n]*(?:[-*+•·●▪–—]|\d{1,3}[.)]|[(（][\d一二三四五六七八九十]{1,3}[)）]|#{1,6})\s)"
)
_CHINESE_END = re.compile(
    # Chinese marks end a sentence anywhere; ! and ? of ASCII only right after a CJK character.
    f"(?:[。！？｡]|…{{2}}|(?<=[{CJK}])[!?])[。！？｡!?…]*[”’」』》】）)\"']*"
)
# Curly quotes and dots belong to either script: what stands before them tells.
_CHINESE_LAST = re.compile(f"[{CJK}。！？｡；：，、」』》】）][”’…]*$")
_OPEN, _CLOSE = "（(【[", "）)】]"
MAX_BRACKET = 100
"""A bracket that closes within so many characters is not cut; a longer one is no aside."""
MAX_LATIN_PIECE = 100_000
"""syntok sees at most so many characters at once: what an unmarked flood costs stays linear."""
_LATIN_END = re.compile(r"[.!?]")
_BRACKETED = re.compile(
    rf"[{re.escape(_OPEN)}][^{re.escape(_OPEN + _CLOSE)}]{{0,{MAX_BRACKET}}}[{re.escape(_CLOSE)}]"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and where it stands: `text == document[start:end]`."""

    text: str
    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of `text` in order.

    They don't overlap, begin and end with a visible character, and hold every visible character.
    """
    return list(iterate_sentences(text))


def sentence_texts(text: str) -> list[str]:
    """The sentences' texts, each on one line: runs of white space become one blank."""
    return [" ".join(sentence.text.split()) for sentence in iterate_sentences(text)]


def join_sentences(sentences: list[str]) -> str:
    """One paragraph of sentences: blanks between them, none after a Chinese full stop."""
    if not sentences:
        return ""
    return "".join(s + sentence_gap(s) for s in sentences[:-1]) + sentences[-1]


def sentence_gap(sentence: str) -> str:
    """What stands between a sentence and the next: nothing after a Chinese mark or character."""
    return "" if _CHINESE_LAST.search(sentence) else " "


def iterate_sentences(text: str) -> Iterator[Sentence]:
    """`split_sentences` one by one."""
    start = 0
    for match in _BLOCK_END.finditer(text):
        yield from _block(text, start, match.start())
        start = match.end()
    yield from _block(text, start, len(text))


def _block(text: str, start: int, end: int) -> Iterator[Sentence]:
    block = text[start:end]
    asides = [match.span() for match in _BRACKETED.finditer(block)]
    piece, aside = 0, 0
    for match in _CHINESE_END.finditer(block):
        while aside < len(asides) and asides[aside][1] <= match.start():
            aside += 1
        if aside < len(asides) and _is_inside(
            match, asides[aside], block[piece : asides[aside][0]]
        ):
            continue
        if match.end() >= piece:
            yield from _latin(text, start + piece, start + match.end())
            piece = match.end()
    yield from _latin(text, start + piece, end)


def _is_inside(mark: re.Match[str], aside: tuple[int, int], before: str) -> bool:
    """Whether a full stop belongs to an aside; at its end, if the sentence began before it."""
    start, end = aside
    return start < mark.start() and (
        mark.end() < end or (mark.end() == end and before.strip() != "")
    )


def _latin(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Cut what syntok finds; a piece without its marks is a sentence as it stands."""
    for begin in range(start, end, MAX_LATIN_PIECE):
        piece = text[begin : min(end, begin + MAX_LATIN_PIECE)]
        if not _LATIN_END.search(piece, 0, len(piece.rstrip()) - 1):
            yield from _trimmed(text, begin, begin + len(piece))
            continue
        yield from _by_syntok(text, begin, piece)


def _by_syntok(text: str, begin: int, piece: str) -> Iterator[Sentence]:
    from syntok import segmenter

    cut = 0
    for paragraph in segmenter.analyze(piece):
        for tokens in paragraph:
            # The end alone is taken from syntok, so that nothing visible falls between sentences.
            last = tokens[-1]
            stop = last.offset + len(last.value)
            yield from _trimmed(text, begin + cut, begin + stop)
            cut = max(cut, stop)
    yield from _trimmed(text, begin + cut, begin + len(piece))


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    raw = text[start:end]
    stripped = raw.strip()
    if stripped:
        start += len(raw) - len(raw.lstrip())
        yield Sentence(stripped, start, start + len(stripped))
