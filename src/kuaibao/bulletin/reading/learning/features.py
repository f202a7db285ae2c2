"""What a model sees of an item: its words weighed by TF-IDF, and who tells it where."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from kuaibao.bulletin.model import Entry, Item
from kuaibao.database import fold
from kuaibao.text import segment_words, stop_words

__all__ = ["Embed", "Features", "Vocabulary", "cosine", "features_of", "show", "words_of"]

Features = Mapping[str, float]
"""Name → value; names begin with `word:`, `source:`, `author:`, `venue:`, `category:`, `kind:`,
`vector:`."""
Embed = Callable[[str], tuple[float, ...]]
"""Text → vector of unit length, or empty."""

MAX_TEXT = 4_000
"""Characters of an item that are read: the beginning says what it is about."""
TITLE_WEIGHT = 2
METADATA_WEIGHT = 0.35
"""Of one name beside all words together, which count 1."""
VECTOR_WEIGHT = 0.3
"""Length of the vector beside the words' 1; with more it drowns the words for long."""
MAX_AUTHORS = 10
_WORD = re.compile(r"[^\W\d_]")
_PLURAL = re.compile(r"(?<=[a-z]{3})(?:ies|(?<=[sxz])es|(?<![sui])s)$")


@dataclass(frozen=True)
class Vocabulary:
    """In how many texts each word stands, of how many."""

    n_text: int
    frequency: Mapping[str, int]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """Count the words of some texts, each once a text."""
        frequency: Counter[str] = Counter()
        n_text = 0
        for text in texts:
            n_text += 1
            frequency.update(set(words_of(text)))
        return cls(n_text, {word: n for word, n in frequency.items() if n > 1})

    def weight(self, word: str) -> float:
        """Inverse document frequency, smoothed; an unknown word counts as one seen once."""
        return math.log((1 + self.n_text) / (1 + self.frequency.get(word, 1))) + 1.0


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Folded words that can say something; Chinese by dictionary, English plurals cut."""
    stops = stop_words("en") | stop_words("zh")
    found: list[str] = []
    for word in segment_words(fold(text[:MAX_TEXT])):
        if word in stops or not _WORD.search(word) or (len(word) < 2 and word.isascii()):
            continue
        if len(word) == 1 and word > "\u2e7f":
            continue
        found.append(_singular(word))
    return tuple(found)


def _singular(word: str) -> str:
    if not word.isascii() or len(word) < 5:
        return word
    match = _PLURAL.search(word)
    if match is None:
        return word
    return word[: match.start()] + ("y" if match.group(0) == "ies" else "")


def features_of(item: Item, vocabulary: Vocabulary, embed: Embed | None = None) -> dict[str, float]:
    """An item's features: words of unit length together, names of a fixed weight each, a vector."""
    counts: Counter[str] = Counter()
    names: dict[str, None] = {}
    for entry in item.entries[:4]:
        for word in words_of(entry.title):
            counts[word] += TITLE_WEIGHT
        counts.update(words_of(entry.summary or entry.content))
        for name in _names(entry):
            names.setdefault(name)
    values = {f"word:{w}": (1 + math.log(n)) * vocabulary.weight(w) for w, n in counts.items()}
    length = math.sqrt(sum(v * v for v in values.values())) or 1.0
    found = {name: value / length for name, value in values.items()}
    found.update(dict.fromkeys(names, METADATA_WEIGHT))
    if embed is not None:
        vector = embed(f"{item.lead.title}\n{item.lead.summary or item.lead.content}")
        found.update((f"vector:{i}", VECTOR_WEIGHT * x) for i, x in enumerate(vector))
    return found


def text_features(text: str, vocabulary: Vocabulary) -> dict[str, float]:
    """The words of a text, of unit length together."""
    counts = Counter(words_of(text))
    values = {f"word:{w}": (1 + math.log(n)) * vocabulary.weight(w) for w, n in counts.items()}
    length = math.sqrt(sum(v * v for v in values.values())) or 1.0
    return {name: value / length for name, value in values.items()}


def _names(entry: Entry) -> Iterable[str]:
    yield f"source:{entry.source_id}"
    yield f"kind:{entry.kind}"
    if entry.venue:
        yield f"venue:{fold(entry.venue)[:100]}"
    for author in entry.authors[:MAX_AUTHORS]:
        yield f"author:{fold(author)[:100]}"
    for category in entry.categories[:MAX_AUTHORS]:
        yield f"category:{fold(category)[:100]}"


def cosine(a: Features, b: Features) -> float:
    """Likeness of the words of two items, 0 to 1."""
    if len(a) > len(b):
        a, b = b, a
    return sum(v * b[name] for name, v in a.items() if name in b and name.startswith("word:"))


def show(name: str) -> str:
    """A feature as an editor reads it."""
    kind, _, value = name.partition(":")
    return value if kind == "word" else f"{kind} {value}"
