"""What a sentence claims (numbers, names), what its source lacks of it, and what supports it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from kuaibao.text.key_phrases import stop_words

__all__ = ["align", "names_in", "numbers_in", "unsupported_names", "unsupported_numbers"]

MIN_OVERLAP = 0.15
"""A source sentence that shares less of a sentence's words than this does not support it."""

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:[.,]\d+)*(?:\s?%|(?=\D|$))")
_WORD = re.compile("[\u3400-\u9fff]|[^\\W_\u3400-\u9fff]+", re.UNICODE)
_NAME = re.compile(r"\b(?:[A-Z][\w&'-]*[A-Za-z0-9](?:\s+(?=[A-Z]))?)+")
_TWO_CAPITALS = re.compile(r"[A-Z0-9].*[A-Z0-9]")
_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12, "千": 3, "万": 4, "百万": 6,
           "千万": 7, "亿": 8, "十亿": 9, "百亿": 10, "千亿": 11, "万亿": 12}  # fmt: skip
_SCALED = re.compile(
    r"([-+]?\d+(?:[.,]\d+)*)\s*(thousand|million|billion|trillion|万亿|千亿|百亿|十亿|千万|百万|[千万亿])"
)


def numbers_in(text: str) -> list[tuple[str, str]]:
    """Every number as a plain decimal, and as it is written.

    Full-width digits are read as digits, words of scale count: "175 billion" and 1750 亿 are one.
    """
    normal = unicodedata.normalize("NFKC", text)
    found: list[tuple[str, str]] = []
    scaled: set[int] = set()
    for match in _SCALED.finditer(normal):
        scaled.add(match.start(1))
        found.append((_shifted(match[1], _SCALES[match[2]]), match.group()))
    for match in _NUMBER.finditer(normal):
        if match.start() not in scaled:
            found.append((_shifted(match.group().rstrip("% "), 0), match.group().strip()))
    return found


def names_in(text: str) -> list[str]:
    """Runs of capitalised words; one that opens a sentence only if it is more than a plain word."""
    names: list[str] = []
    for match in _NAME.finditer(text):
        name = match.group().strip()
        opens = match.start() == 0 or text[: match.start()].rstrip().endswith((".", "!", "?", ":"))
        if opens:
            name = _without_opening_word(name)
        if not opens or " " in name or _TWO_CAPITALS.search(name) or name != match.group().strip():
            names.append(name)
    return names


def unsupported_numbers(text: str, source: str) -> list[str]:
    """The numbers of `text`, as written, whose value does not stand in `source`."""
    known = {value for value, _ in numbers_in(source)}
    return list(dict.fromkeys(shown for value, shown in numbers_in(text) if value not in known))


def unsupported_names(text: str, source: str) -> list[str]:
    """The names of `text` of which some word does not stand in `source`."""
    known = set(_words(source))
    return list(
        dict.fromkeys(n for n in names_in(text) if any(word not in known for word in _words(n)))
    )


def align(text: str, source: Sequence[str], *, n: int = 2) -> list[int]:
    """The source sentences that share most of a sentence's words, the best first.

    Args:
        text: One sentence.
        source: The sentences of its source.
        n: At most so many.
    """
    words = Counter(_words(text))
    total = words.total()
    if not total:
        return []
    shares = [((words & Counter(_words(s))).total() / total, -i) for i, s in enumerate(source)]
    best = sorted((pair for pair in shares if pair[0] >= MIN_OVERLAP), reverse=True)
    return [-i for _, i in best[:n]]


def _without_opening_word(name: str) -> str:
    """A name without the article or other small word that only opens its sentence."""
    first, _, rest = name.partition(" ")
    return rest if rest and first.lower() in stop_words("en") else name


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _shifted(digits: str, power: int) -> str:
    """A decimal with the point moved: exact, whatever its length."""
    plain = digits.lstrip("+").replace(",", "")
    sign = "-" if plain.startswith("-") else ""
    whole, _, fraction = plain.lstrip("-").partition(".")
    fraction = fraction.replace(".", "")
    moved, rest = whole + fraction[:power].ljust(power, "0"), fraction[power:]
    moved, rest = moved.lstrip("0") or "0", rest.rstrip("0")
    return sign + moved + (f".{rest}" if rest else "")
