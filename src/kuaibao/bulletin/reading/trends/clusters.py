"""A month's items as a map: groups by their words, placed so that like lies near like."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kuaibao.bulletin.model import Item
from kuaibao.bulletin.reading.learning.features import words_of

__all__ = ["Cluster", "Dot", "cluster_items"]

N_WORD = 2_000
"""Words that tell items apart; the most frequent ones."""
N_ROUND = 30
SEED = 7106
Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Dot:
    """An item on the map; x and y from 0 to 1."""

    item_id: str
    title: str
    url: str
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Items that share words."""

    terms: tuple[str, ...]
    """What they share, the most telling first."""
    dots: tuple[Dot, ...]


def cluster_items(items: Sequence[Item]) -> list[Cluster]:
    """Group items by spherical k-means over TF-IDF and place them by their first components.

    The same items give the same map. Args: `items`, a few hundred at most.
    """
    words = [Counter(words_of(f"{i.lead.title} {i.lead.title} {i.lead.summary}")) for i in items]
    matrix, vocabulary = _matrix(words)
    if len(items) < 3 or not vocabulary:
        return []
    k = min(12, max(2, round(math.sqrt(len(items) / 2))))
    labels = _spherical_k_means(matrix, k)
    places = _places(matrix, labels, k)
    found: list[Cluster] = []
    for label in range(k):
        own = np.flatnonzero(labels == label)
        if not len(own):
            continue
        rest = matrix[labels != label]
        telling = matrix[own].mean(axis=0) - (rest.mean(axis=0) if len(rest) else 0.0)
        best = np.argsort(-telling, kind="stable")[:4]
        found.append(
            Cluster(
                terms=tuple(vocabulary[n] for n in best if telling[n] > 0),
                dots=tuple(
                    Dot(
                        item_id=items[n].item_id,
                        title=items[n].lead.title,
                        url=items[n].lead.url,
                        x=round(float(places[n, 0]), 4),
                        y=round(float(places[n, 1]), 4),
                    )
                    for n in own
                ),
            )
        )
    return sorted(found, key=lambda c: (-len(c.dots), c.terms))


def _matrix(words: Sequence[Counter[str]]) -> tuple[Matrix, list[str]]:
    """(n item, n word) of TF-IDF, rows of length 1."""
    frequency = Counter(w for counts in words for w in counts)
    vocabulary = [
        w
        for w, n in sorted(frequency.items(), key=lambda pair: (-pair[1], pair[0]))
        if 1 < n <= 0.6 * len(words)
    ][:N_WORD]
    index = {word: i for i, word in enumerate(vocabulary)}
    matrix = np.zeros((len(words), len(vocabulary)))
    for row, counts in enumerate(words):
        for word, n in counts.items():
            column = index.get(word)
            if column is not None:
                idf = math.log((1 + len(words)) / (1 + frequency[word])) + 1
                matrix[row, column] = (1 + math.log(n)) * idf
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(length > 0, length, 1.0), vocabulary


def _spherical_k_means(matrix: Matrix, k: int) -> NDArray[np.int64]:
    """Dhillon and Modha (2001); begun with items far from each other."""
    draw = np.random.default_rng(SEED)
    chosen = [int(draw.integers(len(matrix)))]
    nearest = matrix @ matrix[chosen[0]]
    while len(chosen) < k:
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, matrix @ matrix[chosen[-1]])
    centres = matrix[chosen].copy()
    labels = np.zeros(len(matrix), dtype=np.int64)
    for _ in range(N_ROUND):
        new = np.argmax(matrix @ centres.T, axis=1)
        if (new == labels).all() and _ > 0:
            break
        labels = new
        for label in range(k):
            own = matrix[labels == label]
            if len(own):
                centre = own.sum(axis=0)
                centres[label] = centre / (np.linalg.norm(centre) or 1.0)
    return labels


def _places(matrix: Matrix, labels: NDArray[np.int64], k: int) -> Matrix:
    """(n item, 2) in 0 to 1: clusters round a circle by likeness, items round their cluster."""
    centres = np.stack([
        matrix[labels == label].mean(axis=0) if (labels == label).any() else matrix.mean(axis=0)
        for label in range(k)
    ])  # fmt: skip
    order = _tour(centres)
    angle = np.empty(k)
    angle[order] = 2 * math.pi * np.arange(k) / k
    middle = 0.5 + 0.34 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = np.empty((len(matrix), 2))
    for label in range(k):
        own = np.flatnonzero(labels == label)
        likeness = matrix[own] @ centres[label]
        ranked = own[np.argsort(-likeness, kind="stable")]
        for place, n in enumerate(ranked):  # a sunflower: the most typical in the middle
            radius = 0.013 * math.sqrt(place)
            turn = place * 2.399963
            found[n] = middle[label] + radius * np.array([math.cos(turn), math.sin(turn)])
    return np.clip(found, 0.01, 0.99)


def _tour(centres: Matrix) -> list[int]:
    """Clusters in an order in which neighbours are alike."""
    left = set(range(1, len(centres)))
    order = [0]
    while left:
        last = centres[order[-1]]
        best = max(sorted(left), key=lambda n: float(centres[n] @ last))
        order.append(best)
        left.remove(best)
    return order
