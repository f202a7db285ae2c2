"""Whether two records tell one story, and why: precision before recall.

Titles may differ in spelling, in a subtitle, in punctuation; never in a number, in a word of their
own, or in what they are (a correction is not the paper).
"""

from __future__ import annotations

import re
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache

from kuaibao.bulletin.reading.dedupe.records import Record
from kuaibao.bulletin.reading.same_story import letters_of, title_key
from kuaibao.database import fold

__all__ = ["Verdict", "bare_title", "by_text", "by_title", "by_url", "conflict"]

Verdict = str
"""The reason in words; empty if they are not known to be the same."""

_PREPRINTS = (
    "10.48550/", "10.2139/", "10.21203/", "10.31234/", "10.31219/", "10.20944/", "10.26434/",
    "10.36227/", "10.5281/", "10.22541/", "10.6084/", "10.31223/", "10.35542/", "10.31235/",
    "10.31222/", "10.1184/", "10.13140/", "10.17605/", "10.14293/", "10.12688/", "10.7287/",
)  # fmt: skip
_BIORXIV = re.compile(r"10\.1101/(?:(?:19|20)\d{2}\.\d\d\.\d\d\.)?\d{6,8}$")
_TOKEN = re.compile("[\u3400-\u9fff]+|[^\\W_\u3400-\u9fff]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_ROMAN = re.compile(r"\b(?:i{1,3}|iv|vi{0,3}|ix|x)\b")
_KINDS = re.compile(
    r"\b(?:correction|erratum|errata|corrigendum|retraction|retracted|expression of concern|reply|"
    r"response to|comment on|commentary on|editorial|supplementary|supplement to|book review|"
    r"review of|"
    r"author response|addendum|abstract|protocol|summary of|slides|poster|follow-?up|part)\b|"
    r"更正|勘误|撤稿|回复|书评|续篇"
)
_SMALL = frozenset({
    "a", "an", "the", "of", "for", "in", "on", "to", "and", "with", "by", "from", "at", "via",
    "is", "are", "und", "et", "y", "e", "der", "die", "das", "de", "la", "le", "les", "el",
})  # fmt: skip
_FORM = re.compile(
    r"(?i)\s*[(\[](?:(?:extended|panel|short|invited|demo|experience|industrial|position|research)"
    r" )?(?:abstract|paper|talk|panel|(?:panel )?session|demo(?:nstration)?|tutorial|poster)"
    r"[)\]]"
)
"""How a meeting announces a paper; one list of papers has it in the title, another has not."""
LONG_TITLE = 30
"""Weight (a Han character counts two) above which a title alone names one thing."""
_N_NAME = 30
"""Names of each list that are compared letter by letter."""
NEAR = 0.5
"""Resemblance of two texts above which they are one, in runs of three words."""


def conflict(a: Record, b: Record) -> bool:
    """Both have an identifier of the same kind, and not the same one."""
    if a.arxiv and b.arxiv and a.arxiv != b.arxiv:
        return True
    if a.pmid and b.pmid and a.pmid != b.pmid:
        return True
    published = a.doi and b.doi and not _is_preprint(a.doi) and not _is_preprint(b.doi)
    return bool(published and a.doi != b.doi)


def bare_title(title: str) -> str:
    """A title without what it is at a meeting: `(extended abstract)`, `(panel)`, `(demo)`."""
    return _FORM.sub("", title) if "(" in title or "[" in title else title


def by_url(a: Record, b: Record) -> bool:
    """One address, and nothing that speaks against one page: titles may change, not be others."""
    if not a.title or not b.title:
        return True
    left, right = _words(a.title), _words(b.title)
    return len(left & right) >= 0.3 * min(len(left), len(right)) or _ratio(a.title, b.title) > 0.5


def by_title(a: Record, b: Record, resemblance: float | None) -> Verdict:
    """The same title (or nearly) with people and dates that fit.

    Args:
        a: One record.
        b: The other.
        resemblance: Of their texts, where both have one that is long enough to tell.
    """
    title_a, title_b = a.title, b.title
    shared = _shared(a, b)
    if shared == 1.0 and a.year == b.year:
        title_a, title_b = bare_title(title_a), bare_title(title_b)
    if _kinds(title_a) != _kinds(title_b) or _numbers(title_a) != _numbers(title_b):
        return ""
    is_equal = letters_of(title_a) == letters_of(title_b)
    if not is_equal and not _is_near_title(title_a, title_b):
        return ""
    weight = min(_weight(title_a), _weight(title_b))
    if shared is not None:
        if shared < 0.5 or not _years_fit(a, b, 3):
            return ""
        if resemblance is not None and resemblance < (0.05 if is_equal else 0.2):
            return ""
        if weight < 16 and not (is_equal and a.year == b.year and shared == 1.0):
            return ""
        return "same title and authors" if is_equal else "nearly the same title, same authors"
    if resemblance is not None and resemblance < 0.2:
        return ""
    is_sure = weight >= LONG_TITLE or (resemblance or 0) >= NEAR or (a.day and a.day == b.day)
    if is_equal and title_key(a.title) and _days_fit(a, b) and is_sure:
        return "same title"
    return ""


def by_text(a: Record, b: Record, resemblance: float) -> Verdict:
    """Nearly the same text, and titles that do not speak against it."""
    if resemblance < NEAR:
        return ""
    if a.title and b.title:
        if _numbers(a.title) != _numbers(b.title) and resemblance < 0.95:
            return ""
        if _kinds(a.title) != _kinds(b.title):
            return ""
        has_same_words = _ratio(a.title, b.title) >= 0.35
        if not has_same_words and resemblance < 0.75:
            return ""
    shared = _shared(a, b)
    if shared is not None and shared == 0 and resemblance < 0.9:
        return ""
    numbers_a, numbers_b = set(_NUMBER.findall(a.text)), set(_NUMBER.findall(b.text))
    either = numbers_a | numbers_b
    if len(either) >= 2 and len(numbers_a & numbers_b) < 0.5 * len(either):
        return ""  # a form filled in with other figures
    return f"nearly the same text ({resemblance:.0%} of its runs of three words)"


def _is_preprint(doi: str) -> bool:
    return doi.startswith(_PREPRINTS) or _BIORXIV.match(doi) is not None


def _shared(a: Record, b: Record) -> float | None:
    """Share of the shorter list's authors in the other; None where one has no authors.

    A name that lost a letter (ö, Ç: many lists do) or has a slip is still the name.
    """
    if not a.surnames or not b.surnames:
        return None
    n_shared = len(a.surnames & b.surnames)
    n_least = min(len(a.surnames), len(b.surnames))
    if n_shared < n_least:
        rest = sorted(b.surnames - a.surnames)[:_N_NAME]
        for name in sorted(a.surnames - b.surnames)[:_N_NAME]:
            other = next((one for one in rest if _is_slip_of_name(name, one)), None)
            if other is not None:
                rest.remove(other)
                n_shared += 1
    return n_shared / n_least


def _is_slip_of_name(x: str, y: str) -> bool:
    return min(len(x), len(y)) >= 5 and x[0] < "\u2e80" and _edits(x, y, 1) <= 1


def _years_fit(a: Record, b: Record, n_year: int) -> bool:
    return not a.year or not b.year or abs(a.year - b.year) <= n_year


def _days_fit(a: Record, b: Record) -> bool:
    """News of one title are one story within a month; a yearly one is not."""
    if a.day and b.day:
        try:
            return abs((date.fromisoformat(a.day) - date.fromisoformat(b.day)).days) <= 31
        except ValueError:
            pass
    return _years_fit(a, b, 1 if not (a.day and b.day) else 0)


@lru_cache(maxsize=65_536)
def _numbers(title: str) -> tuple[str, ...]:
    folded = fold(title)
    return (*sorted(_NUMBER.findall(folded)), *sorted(_ROMAN.findall(folded)))


@lru_cache(maxsize=65_536)
def _kinds(title: str) -> frozenset[str]:
    return frozenset(_KINDS.findall(fold(title)))


@lru_cache(maxsize=65_536)
def _words(title: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(fold(title)))


def _weight(title: str) -> int:
    return sum(2 if c > "\u2e7f" else 1 for c in letters_of(title))


def _ratio(a: str, b: str) -> float:
    return SequenceMatcher(None, letters_of(a), letters_of(b), autojunk=False).ratio()


def _is_near_title(a: str, b: str) -> bool:
    """A subtitle more, or slips of spelling; every other word must be the other's too."""
    short, long = sorted((letters_of(a), letters_of(b)), key=len)
    if len(short) >= 24 and long.startswith(short) and _has_subtitle(a, b):
        return True
    if not short or len(short) < 0.8 * len(long) or len(short) < 12:
        return False
    left, right = _TOKEN.findall(fold(a)), _TOKEN.findall(fold(b))
    only_left = [w for w in left if w not in right and w not in _SMALL]
    only_right = [w for w in right if w not in left and w not in _SMALL]
    if len("".join(only_left)) + len("".join(only_right)) == 0:
        return sorted(w for w in left if w not in _SMALL) == sorted(
            w for w in right if w not in _SMALL
        )
    if "".join(only_left) == "".join(only_right):  # a hyphen or a blank
        return True
    if len(only_left) != len(only_right) or len(only_left) > 3:
        return False
    return all(_is_slip(x, y) for x, y in zip(only_left, only_right, strict=True))


def _has_subtitle(a: str, b: str) -> bool:
    """The longer title goes on after a mark."""
    short, long = sorted((fold(a).strip(), fold(b).strip()), key=len)
    rest = long[len(short) :].lstrip() if long.startswith(short) else long[len(short) - 2 :]
    return re.match(r".{0,3}[:：\-–—.(（?？!|]", rest) is not None


def _is_slip(x: str, y: str) -> bool:
    """One word misspelt: an edit or two in a long one; the plural; not its opposite."""
    if min(len(x), len(y)) < 4 or x[:1] > "\u2e7f":
        return False
    if x.rstrip("s") == y.rstrip("s"):
        return True
    limit = 1 if min(len(x), len(y)) < 8 else 2
    return _edits(x, y, limit) <= limit and x[0] == y[0]


def _edits(x: str, y: str, limit: int) -> int:
    """Edits from one word to the other (swapped neighbours count one), `limit` + 1 if more."""
    if abs(len(x) - len(y)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(y) + 1))
    for i, a in enumerate(x, 1):
        two, before, row = before, row, [i]
        for j, b in enumerate(y, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == y[j - 2] and x[i - 2] == b:
                cost = min(cost, two[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
