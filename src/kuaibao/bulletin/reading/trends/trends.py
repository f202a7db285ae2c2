"""What the archive says of its months: plain values, to be printed as JSON or as a page."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from kuaibao.bulletin.model import Item
from kuaibao.bulletin.reading.trends.clusters import Cluster, Dot, cluster_items
from kuaibao.bulletin.reading.trends.phrases import MonthlyCounts, phrases_of

__all__ = ["Cluster", "Dot", "PhraseTrend", "Together", "Trends", "find_trends"]

MIN_ITEMS = 3
"""A phrase in fewer items is chance."""
MIN_Z = 1.64
"""One-sided 95 %: less is not called rising or falling."""
N_PHRASE = 25
N_TREND = 15
N_TOGETHER = 25
N_TRACKED = 400
"""Phrases and people between which what goes together is looked for."""
PRIOR = 0.5
"""Pseudo-items of a phrase in each period."""
N_MAP = 400
"""Newest items of the last month that the map shows."""


@dataclass(frozen=True, kw_only=True)
class PhraseTrend:
    """A phrase and its months."""

    phrase: str
    n_item: int
    counts: tuple[int, ...]
    """Items of each month, in the order of `Trends.months`."""
    z: float = 0.0
    """Last month against all before it: a normal deviate, above 0 for rising."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """Two phrases or people that stand in the same items more than chance has it."""

    a: str
    b: str
    n_item: int
    npmi: float
    """Normalised pointwise mutual information, -1 to 1."""


@dataclass(frozen=True, kw_only=True)
class Trends:
    """Everything that was found."""

    months: tuple[str, ...]
    n_item: tuple[int, ...]
    phrases: tuple[PhraseTrend, ...] = ()
    rising: tuple[PhraseTrend, ...] = ()
    falling: tuple[PhraseTrend, ...] = ()
    together: tuple[Together, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    """Of the last month."""

    def to_json(self) -> dict[str, Any]:
        """The document of `kuaibao trends`."""
        return {"items": sum(self.n_item), **dataclasses.asdict(self)}


def find_trends(items: Iterable[Item], *, n_month: int = 12) -> Trends:
    """Count phrases by month, and say what stands out.

    Rising and falling are told by the binomial tail of the last month, given the months before.
    What goes together is told by normalised pointwise mutual information (Bouma 2009).

    Args:
        items: In any order; those without a date are left out.
        n_month: So many last months are looked at.
    """
    counts = MonthlyCounts()
    sets: dict[str, list[frozenset[str]]] = {}
    dated: list[tuple[str, Item]] = []
    for item in items:
        month = _month(item)
        if not month:
            continue
        phrases = phrases_of(_text(item))
        counts.add(month, phrases)
        people = frozenset(f"@{a}" for e in item.entries[:2] for a in e.authors[:10] if a)
        sets.setdefault(month, []).append(frozenset(phrases) | people)
        dated.append((month, item))
    months = tuple(sorted(counts.n_item)[-n_month:])
    if not months:
        return Trends(months=(), n_item=())
    kept = counts.distinct(MIN_ITEMS)
    trends = [_trend(counts, phrase, months) for phrase in kept]
    by_z = sorted(trends, key=lambda t: (-t.z, t.phrase))
    shown = [s for month in months for s in sets[month]]
    last = [item for month, item in dated if month == months[-1]]
    return Trends(
        months=months,
        n_item=tuple(counts.n_item[m] for m in months),
        phrases=tuple(sorted(trends, key=_weight, reverse=True)[:N_PHRASE]),
        rising=tuple(t for t in by_z if t.z >= MIN_Z)[:N_TREND],
        falling=tuple(t for t in reversed(by_z) if t.z <= -MIN_Z)[:N_TREND],
        together=tuple(_together(shown, kept[:N_TRACKED])),
        clusters=tuple(cluster_items(_newest(last)[:N_MAP])),
    )


def _month(item: Item) -> str:
    entry = item.lead
    moment = entry.published or entry.updated
    if moment is None or moment.precision == "year" or entry.conference is not None:
        return ""
    return f"{moment.value:%Y-%m}"


def _text(item: Item) -> str:
    lead = item.lead
    return f"{lead.title}\n{lead.summary or lead.content}"


def _newest(items: Sequence[Item]) -> list[Item]:
    def moment(item: Item) -> tuple[str, str]:
        found = item.lead.published or item.lead.updated
        return (found.value.isoformat() if found else "", item.item_id)

    return sorted(items, key=moment, reverse=True)


def _weight(trend: PhraseTrend) -> float:
    """Often, and of more than one word."""
    n_word = len(trend.phrase.split()) if trend.phrase.isascii() else len(trend.phrase) / 2
    return trend.n_item * math.sqrt(min(n_word, 3))


def _trend(counts: MonthlyCounts, phrase: str, months: Sequence[str]) -> PhraseTrend:
    own = counts.counts[phrase]
    row = tuple(own[m] for m in months)
    z = 0.0
    if len(months) > 1:
        n_before = sum(counts.n_item[m] for m in months[:-1])
        z = _surprise(row[-1], counts.n_item[months[-1]], sum(row[:-1]), n_before)
    return PhraseTrend(phrase=phrase, n_item=sum(row), counts=row, z=round(z, 3))


def _surprise(now: int, n_now: int, before: int, n_before: int) -> float:
    """How unlikely the last month is if nothing changed, as a normal deviate with its sign.

    The binomial tail is exact, which small months need: no item where four were usual is news.
    """
    p = (before + PRIOR) / (n_before + 2 * PRIOR)
    expected = n_now * p
    if expected > 100:
        return (now - expected) / math.sqrt(expected * (1 - p))
    is_rise = now >= expected
    ks = range(now, min(n_now, now + 300) + 1) if is_rise else range(now + 1)
    tail = sum(math.exp(_log_binomial(k, n_now, p)) for k in ks)
    tail -= 0.5 * math.exp(_log_binomial(now, n_now, p))  # mid-p: half of what was seen
    deviate = -NormalDist().inv_cdf(min(max(tail, 1e-15), 0.5))
    return deviate if is_rise else -deviate


def _log_binomial(k: int, n: int, p: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return ways + k * math.log(p) + (n - k) * math.log1p(-p)


def _together(sets: Sequence[frozenset[str]], phrases: Sequence[str]) -> list[Together]:
    people = Counter(name for s in sets for name in s if name.startswith("@"))
    tracked = {*phrases, *(name for name, n in people.most_common(N_TRACKED) if n >= MIN_ITEMS)}
    single, pair = Counter[str](), Counter[tuple[str, str]]()
    for one in sets:
        inside = sorted(one & tracked)[:60]
        single.update(inside)
        pair.update((a, b) for i, a in enumerate(inside) for b in inside[i + 1 :])
    n = len(sets)
    found: list[Together] = []
    for (a, b), both in pair.items():
        if both < MIN_ITEMS or _overlap(a, b):
            continue
        joint = both / n
        expected = single[a] * single[b] / (n * n)
        npmi = math.log(joint / expected) / -math.log(joint) if joint < 1 else 0.0
        if npmi > 0.2:
            found.append(Together(a=a, b=b, n_item=both, npmi=round(npmi, 3)))
    found.sort(key=lambda t: (-t.npmi * math.log1p(t.n_item), t.a, t.b))
    return _each_seldom(found)


def _overlap(a: str, b: str) -> bool:
    """One holds the other, or they share a word: that says nothing."""
    if a in b or b in a:
        return True
    if a.isascii() or b.isascii():
        return bool(set(a.split()) & set(b.split()))
    return any(a[i : i + 2] in b for i in range(len(a) - 1))


def _each_seldom(found: Sequence[Together]) -> list[Together]:
    """At most three pairs of one phrase: the list is to show many things."""
    seen: Counter[str] = Counter()
    kept: list[Together] = []
    for one in found:
        if seen[one.a] < 3 and seen[one.b] < 3:
            seen.update((one.a, one.b))
            kept.append(one)
            if len(kept) == N_TOGETHER:
                break
    return kept
