"""Words as ROUGE counts them: Latin words and digits whole, Chinese characters one by one.

On English the words are exactly those of Google's `rouge_score` without its stemmer. It drops every
character outside `a-z0-9`, and with them all of Chinese; here each Han character, kana and Hangul
syllable is a word of its own, so figures for Chinese are by characters and must be called so.
Other scripts fall out, as they do there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Protocol, cast

__all__ = ["CJK", "HAN", "han_share", "has_han", "is_han", "stemmed_words", "words"]

# Han with its extensions and compatibility forms, kana, Hangul; 々 and 〇 count as characters.
HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CJK = HAN + "\u3040-\u30ff\uac00-\ud7af"
_WORD = re.compile(f"[a-z0-9]+|[{CJK}]")
_HAN = re.compile(f"[{HAN}]")
_LETTER = re.compile(r"[^\W\d_]")
# Byte by byte: letters in lower case, digits, and a blank for all else.
_ASCII_WORDS = bytes(ord(chr(b).lower()) if chr(b).isalnum() else 32 for b in range(128)).ljust(256)


def words(text: str) -> list[str]:
    """The words of `text` in lower case and in order."""
    if text.isascii():  # three times as fast as the expression
        return text.encode("ascii").translate(_ASCII_WORDS).decode("ascii").split()
    return _WORD.findall(text.lower())


def stemmed_words(text: str) -> list[str]:
    """`words` with English words of four letters and more cut by Porter's rules.

    The stemmer is the one that `rouge_score` uses (NLTK), so it needs the extra `models`.
    """
    stem = _stemmer().stem
    return [stem(word) if len(word) > 3 else word for word in words(text)]


def is_han(character: str) -> bool:
    """Whether the character is a Chinese one."""
    return _HAN.match(character) is not None


def has_han(text: str) -> bool:
    """Whether any character of `text` is a Chinese one."""
    return _HAN.search(text) is not None


def han_share(text: str) -> float:
    """Chinese characters among all letters, 0 to 1; 0 without letters."""
    n_letter = len(_LETTER.findall(text))
    return len(_HAN.findall(text)) / n_letter if n_letter else 0.0


class _Stemmer(Protocol):
    def stem(self, word: str) -> str: ...


@cache
def _stemmer() -> _Stemmer:
    from kuaibao.errors import MissingExtraError

    try:
        from nltk.stem import porter
    except ModuleNotFoundError as error:
        raise MissingExtraError("models", needed_for="Stemmed ROUGE") from error
    return cast(_Stemmer, porter.PorterStemmer())
