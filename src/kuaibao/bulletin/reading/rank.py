"""Which items are printed where, and why: by the readers' profile, bounded in memory."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from kuaibao.bulletin.model import Entry, Item, SectionKind
from kuaibao.bulletin.store import day_range, days_before
from kuaibao.database import fold

__all__ = ["SECTION_OF_KIND", "Profile", "Shortlist", "is_due", "make_profile", "score_item"]

SECTION_OF_KIND: dict[str, SectionKind] = {
    "news": "news",
    "article": "in_depth",
    "tool": "tools",
    "paper": "papers",
    "conference": "conferences",
}
_WORD = re.compile(r"[a-z0-9][a-z0-9+#.-]*[a-z0-9+#]|[a-z0-9]")
_HAN_RUN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_MAX_TEXT = 8_000
"""Characters of a text that are looked at: the beginning says what it is about."""
_N_LEARNT = 60
_COMMON_TEXT = """
a an and are as at be by can for from has have how in into is it its new no not of on or our that
the their them these they this to toward towards use used using via was we what when which while
who will with without you your based approach method model models paper
"""
_COMMON = frozenset(_COMMON_TEXT.split())


@dataclass(frozen=True)
class Profile:
    """What the readers care about, as words with weights; unwanted ones are negative."""

    weights: Mapping[str, float]
    """Folded word or phrase → weight."""
    n_learnt: int = 0
    """How many of them come from examples and the readers' library."""


def make_profile(
    words: Iterable[str], unwanted: Iterable[str] = (), examples: Sequence[str] = ()
) -> Profile:
    """A profile from words that people gave and from texts that they liked.

    Words given count 1, unwanted ones -2; the words that most examples share count up to 0.5.
    """
    learnt: Counter[str] = Counter()
    for example in examples:
        learnt.update(set(_words(fold(example))))
    top = learnt.most_common(_N_LEARNT)
    highest = math.log1p(top[0][1]) if top else 1.0
    weights = {word: 0.5 * math.log1p(n) / highest for word, n in top}
    weights |= {key: 1.0 for w in words if (key := _phrase(w))}
    weights |= {key: -2.0 for w in unwanted if (key := _phrase(w))}
    return Profile(weights, len(top))


def is_due(item: Item, day: date, period_days: int) -> bool:
    """Whether the item is news on the issue's day: recent, undated, or a meeting to come."""
    entry = item.lead
    if entry.conference:
        meeting = entry.conference
        ends = meeting.end or meeting.start
        deadline = meeting.deadline.day if meeting.deadline else None
        days = [d for d in (ends, deadline) if d]
        return not days or max(days) >= day
    moment = entry.published or entry.updated
    if moment is None:
        return True
    first, last = day_range(moment)
    return first <= day and last >= days_before(day, period_days)


def score_item(
    item: Item, profile: Profile, day: date, period_days: int, weight: float = 1.0
) -> Item:
    """The item with its score and the reasons for it."""
    reasons: list[str] = []
    score = _interest(item, profile, reasons)
    entry = item.lead
    if (moment := entry.published or entry.updated) and not entry.conference:
        age = max(0, (day - day_range(moment)[1]).days)
        score += 0.5 * max(0.0, 1 - age / max(1, period_days))
        reasons.append(f"{age} days old" if age != 1 else "1 day old")
    told_by = len({e.source_id for e in item.entries})
    if told_by > 1:
        score += 0.5 * math.log2(told_by)
        reasons.append(f"told by {told_by} sources")
    if not (entry.summary or entry.content):
        score -= 0.5
        reasons.append("its source gives no text")
    if weight != 1.0:
        reasons.append(f"its source counts {weight:g} times")
    return replace(item, score=round(score * weight, 6), reasons=tuple(reasons))


class Shortlist:
    """The best items of each section; only they are held in memory.

    Ties are broken by date, then by id: the same items give the same choice in any order.

    Args:
        limits: How many items each section takes.
    """

    def __init__(self, limits: Mapping[SectionKind, int]) -> None:
        self._limits = dict(limits)
        self._heaps: dict[SectionKind, list[tuple[tuple[float, str, str], Item]]] = {
            kind: [] for kind in limits
        }

    def offer(self, item: Item) -> None:
        """Consider an item."""
        heap, limit = self._heaps.get(item.section), self._limits.get(item.section, 0)
        if heap is None or not limit:
            return
        ranked = (_rank(item), item)
        if len(heap) < limit:
            heapq.heappush(heap, ranked)
        elif ranked[0] > heap[0][0]:
            heapq.heapreplace(heap, ranked)

    def chosen(self) -> dict[SectionKind, list[Item]]:
        """The sections' items: meetings by date, everything else by score."""
        chosen: dict[SectionKind, list[Item]] = {
            kind: [item for _, item in sorted(heap, key=lambda pair: pair[0], reverse=True)]
            for kind, heap in self._heaps.items()
        }
        if "conferences" in chosen:
            chosen["conferences"].sort(key=_meeting_order)
        return chosen


def _rank(item: Item) -> tuple[float, str, str]:
    moment = item.lead.published or item.lead.updated
    return (item.score, moment.value.isoformat() if moment else "", item.item_id)


def _meeting_order(item: Item) -> tuple[str, str]:
    meeting = item.lead.conference
    starts = meeting.start or meeting.end if meeting else None
    return (starts.isoformat() if starts else "9999", item.item_id)


def _interest(item: Item, profile: Profile, reasons: list[str]) -> float:
    title = " ".join(_folded_words(e.title) for e in item.entries[:4])
    body = " ".join(_folded_words(_about(e)) for e in item.entries[:4])
    found: list[tuple[float, str]] = []
    for word, weight in profile.weights.items():
        needle = word if _HAN_RUN.search(word) else f" {word} "
        if needle not in body and needle not in title:
            continue
        in_title = 2.0 if needle in title else 0.0
        n = body.count(needle)
        found.append((weight * (in_title + n / (n + 1.0)), word))
    found.sort(key=lambda pair: (-abs(pair[0]), pair[1]))
    wanted = [word for value, word in found if value > 0][:4]
    unwanted = [word for value, word in found if value < 0][:4]
    if wanted:
        reasons.append("your words: " + ", ".join(wanted))
    if unwanted:
        reasons.append("unwanted: " + ", ".join(unwanted))
    return sum(value for value, _ in found)


def _about(entry: Entry) -> str:
    return " ".join([entry.title, entry.summary, *entry.categories, entry.content])[:_MAX_TEXT]


def _folded_words(text: str) -> str:
    return f" {' '.join(_tokens(fold(text[:_MAX_TEXT])))} "


@lru_cache(maxsize=4096)
def _phrase(word: str) -> str:
    return " ".join(_tokens(fold(word)))


_TOKEN = re.compile(r"[^\W_]+(?:[.+#-]*[^\W_]+)*[+#]*", re.UNICODE)


def _tokens(folded: str) -> list[str]:
    return _TOKEN.findall(folded)


def _words(folded: str) -> list[str]:
    """Words of an example that can say something: long enough and not common; Han in pairs."""
    latin = [w for w in _WORD.findall(folded) if len(w) > 2 and w not in _COMMON]
    pairs = [r[i : i + 2] for r in _HAN_RUN.findall(folded) for i in range(len(r) - 1)]
    return latin + pairs
