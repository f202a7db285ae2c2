"""Models of every section, fed by the log of decisions; what they say of an item, in words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kuaibao.bulletin.model import Item, SectionKind
from kuaibao.bulletin.reading.learning.features import (
    Embed,
    Features,
    Vocabulary,
    cosine,
    features_of,
    show,
    text_features,
)
from kuaibao.bulletin.reading.learning.logistic import LogisticModel
from kuaibao.bulletin.store import Decision

__all__ = ["Learner", "Ranked", "Weighed"]

_EFFECT: dict[str, tuple[bool, float]] = {
    "picked": (True, 1.0), "edited": (True, 0.5), "dropped": (False, 1.0), "passed": (False, 0.3),
}  # fmt: skip
"""What a decision says of an item in its section: wanted or not, and how surely."""
LIBRARY_WEIGHT = 4.0
MIN_SHARE = 0.02
"""A feature below this part of the logit is not worth a word."""
MEANING = "word:what it is about"
"""How reasons name the vector."""
N_REASON = 5
EXPLORE_EVERY = 10
"""One of so many places goes to an item that the model is unsure of."""
DIVERSITY = 1.0
"""How much likeness to an item above costs, in logits."""


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What a section's model says of an item."""

    logit: float
    """0 is undecided; 2 is seven to one in favour."""
    uncertainty: float
    """Standard deviation of the logit."""
    wanted: tuple[tuple[str, float], ...] = ()
    """What speaks for it, the strongest first: in words, with its part of the logit."""
    unwanted: tuple[tuple[str, float], ...] = ()
    n_decision: int = 0

    @property
    def reasons(self) -> tuple[str, ...]:
        """In words; empty where nothing was learnt."""
        found: list[str] = []
        if self.wanted:
            found.append("like what was picked: " + ", ".join(word for word, _ in self.wanted))
        if self.unwanted:
            found.append("like what was dropped: " + ", ".join(word for word, _ in self.unwanted))
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """An item in its place."""

    item: Item
    """With its score and its reasons."""
    weighed: Weighed
    is_exploration: bool = False
    """It stands here because the model is unsure of it: a decision would teach most."""


class Learner:
    """What was learnt of every section.

    Args:
        vocabulary: Of the archive.
        library: Texts (title and abstract) that the readers keep: the start before any decision.
        record: Keeps a decision; called before it is learnt.
        embed: Text → vector, learnt from beside the words.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        library: Sequence[str] = (),
        record: Callable[[Decision], object] = lambda decision: None,
        embed: Embed | None = None,
    ) -> None:
        self._embed = embed
        self.vocabulary = vocabulary
        self._record = record
        self._prior = _centroid(library, vocabulary)
        self._models: dict[str, LogisticModel] = {}
        self._items: dict[str, dict[str, float]] = {}

    def model(self, section: SectionKind) -> LogisticModel:
        """A section's model."""
        return self._models.setdefault(section, LogisticModel(prior=self._prior))

    def replay(self, decisions: Iterable[Decision], items: Mapping[str, Item]) -> None:
        """Learn a log in its order; the last word about an item in a section counts."""
        examples: dict[SectionKind, dict[str, tuple[Features, bool, float]]] = {}
        for decision in decisions:
            item = items.get(decision.item_id)
            if item is None:
                continue
            features = self._features(item)
            for section, is_wanted, weight in _effects(decision):
                own = examples.setdefault(section, {})
                if is_wanted is None:
                    own.pop(decision.item_id, None)
                elif decision.action != "edited" or decision.item_id not in own:
                    own[decision.item_id] = (features, is_wanted, weight)
        for section, own in examples.items():
            self.model(section).learn_all(own)

    def decide(self, decision: Decision, item: Item) -> None:
        """Keep a decision and learn from it at once."""
        self._record(decision)
        features = self._features(item)
        for section, is_wanted, weight in _effects(decision):
            model = self.model(section)
            if is_wanted is None:
                model.forget(decision.item_id)
            elif decision.action != "edited" or decision.item_id not in model.examples:
                model.learn(decision.item_id, features, is_wanted, weight)

    def weigh(self, item: Item, section: SectionKind) -> Weighed:
        """What the section's model says of an item, and why."""
        model = self.model(section)
        features = self._features(item)
        logit = model.logit(features)
        parts = _parts(model, features)
        total = sum(abs(value) for value, _ in parts) or 1.0
        strong = sorted(
            (p for p in parts if abs(p[0]) > MIN_SHARE * total), key=lambda p: -abs(p[0])
        )
        return Weighed(
            logit=logit,
            uncertainty=model.uncertainty(features),
            wanted=tuple((show(n), round(v, 4)) for v, n in strong if v > 0)[:N_REASON],
            unwanted=tuple((show(n), round(v, 4)) for v, n in strong if v < 0)[:N_REASON],
            n_decision=len(model.examples),
        )

    def judged(self, item: Item) -> Item:
        """The item with what its section's model says added to its score and its reasons."""
        found = self.weigh(item, item.section)
        if not found.n_decision:
            return item
        return dataclasses.replace(
            item,
            score=round(item.score + found.logit, 6),
            reasons=(*item.reasons, *found.reasons),
        )

    def rank(
        self,
        items: Sequence[Item],
        section: SectionKind,
        *,
        limit: int = 20,
        diversity: float = DIVERSITY,
        explore_every: int = EXPLORE_EVERY,
    ) -> list[Ranked]:
        """The best items of a section, no two alike without need, and a few uncertain ones.

        An item's `score` (freshness, sources, the profile's words) and what was learnt are added;
        each next place goes to the item that is best less its likeness to those above it
        (Carbonell and Goldstein 1998, maximal marginal relevance); every `explore_every`-th to the
        one that could be best (upper confidence bound).

        Args:
            items: Candidates.
            section: Whose model.
            limit: Places.
            diversity: What full likeness costs, in logits; 0 for none.
            explore_every: 0 for no exploration.
        """
        weighed = {item.item_id: self.weigh(item, section) for item in items}
        value = {i.item_id: i.score + weighed[i.item_id].logit for i in items}
        pool = sorted(items, key=lambda i: (-value[i.item_id], i.item_id))[: max(10 * limit, 200)]
        unsure = sorted(
            items,
            key=lambda i: (-value[i.item_id] - 2 * weighed[i.item_id].uncertainty, i.item_id),
        )
        likeness = dict.fromkeys((i.item_id for i in pool), 0.0)
        placed: dict[str, Ranked] = {}
        while pool and len(placed) < limit:
            is_exploration = bool(explore_every) and (len(placed) + 1) % explore_every == 0
            candidate = next((i for i in unsure if i.item_id not in placed), None)
            if not is_exploration or candidate is None:
                is_exploration = False
                candidate = max(
                    pool,
                    key=lambda i: value[i.item_id] - diversity * likeness[i.item_id],
                )
            pool = [i for i in pool if i.item_id != candidate.item_id]
            one = weighed[candidate.item_id]
            reasons = (*candidate.reasons, *one.reasons)
            if is_exploration:
                reasons = (*reasons, "the model is unsure of it: your decision would teach it most")
            placed[candidate.item_id] = Ranked(
                item=dataclasses.replace(
                    candidate, score=round(value[candidate.item_id], 6), reasons=reasons
                ),
                weighed=one,
                is_exploration=is_exploration,
            )
            chosen = self._features(candidate)
            for other in pool:
                likeness[other.item_id] = max(
                    likeness[other.item_id], cosine(chosen, self._features(other))
                )
        return list(placed.values())

    def _features(self, item: Item) -> dict[str, float]:
        known = self._items.get(item.item_id)
        if known is None:
            if len(self._items) > 50_000:
                self._items.clear()
            known = self._items[item.item_id] = features_of(item, self.vocabulary, self._embed)
        return known


def _parts(model: LogisticModel, features: Features) -> list[tuple[float, str]]:
    """Each feature's part of the logit; a vector's dimensions say nothing alone and are one."""
    parts: list[tuple[float, str]] = []
    of_vector = 0.0
    for name, x in features.items():
        part = x * model.weights.get(name, 0.0)
        if name.startswith("vector:"):
            of_vector += part
        else:
            parts.append((part, name))
    return [*parts, (of_vector, MEANING)] if of_vector else parts


def _effects(decision: Decision) -> list[tuple[SectionKind, bool | None, float]]:
    """Section, wanted or not (None: taken back), and weight."""
    if decision.action == "moved":
        moved: list[tuple[SectionKind, bool | None, float]] = [(decision.section, False, 1.0)]
        return [*moved, (decision.to_section, True, 1.0)] if decision.to_section else moved
    if decision.action == "undone":
        return [(decision.section, None, 0.0)]
    is_wanted, weight = _EFFECT[decision.action]
    return [(decision.section, is_wanted, weight)]


def _centroid(library: Sequence[str], vocabulary: Vocabulary) -> dict[str, float]:
    """The readers' library as weights: its middle direction."""
    total: dict[str, float] = {}
    for text in library:
        for name, value in text_features(text, vocabulary).items():
            total[name] = total.get(name, 0.0) + value
    length = math.sqrt(sum(v * v for v in total.values()))
    return {n: LIBRARY_WEIGHT * v / length for n, v in total.items()} if length else {}
