"""Pairs that may be the same, in linear time: equal keys, and MinHash with banding.

Broder (1997), "On the resemblance and containment of documents": two sets agree in a min-wise hash
as often as they resemble each other. Bands of such hashes are sorted, and only neighbours in a run
of equal bands are compared, so a text that occurs ten thousand times costs ten thousand looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from kuaibao.database import fold

__all__ = [
    "TEXT_BANDS",
    "TITLE_BANDS",
    "agreement",
    "digests",
    "key_hash",
    "near_pairs",
    "pairs_of_equal",
    "text_shingles",
    "title_shingles",
]

N_PERMUTATION = 64
SEED = 7106
ROWS = 4
TEXT_BANDS = 16
"""16 bands of 4: of pairs with a resemblance of 0.45 half are looked at, of 0.65 97 %."""
TITLE_BANDS = 16
N_NEIGHBOUR = 3
"""Each member of a run is compared with so many before it."""
_TOKEN = re.compile("[\u3400-\u9fff\uf900-\ufaff]|[^\\W_\u3400-\u9fff\uf900-\ufaff]+")

Pairs = NDArray[np.int64]
"""(n, 2): numbers of records, the smaller first."""


def text_shingles(text: str) -> list[str]:
    """Runs of three words (Han characters count as words), each once."""
    words = _TOKEN.findall(fold(text))
    return list({f"{a} {b} {c}" for a, b, c in zip(words, words[1:], words[2:], strict=False)})


def title_shingles(key: str) -> list[str]:
    """Runs of three characters of a title's letters."""
    return list({key[i : i + 3] for i in range(max(1, len(key) - 2))}) if key else []


def digests(sets: Sequence[list[str]]) -> NDArray[np.uint32]:
    """MinHash of each set, (n, 64); sets are shingles, and an empty one has a digest of its own."""
    from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]

    rows = RMinHash.digests_from_token_sets(list(sets), N_PERMUTATION, SEED)
    return np.array(rows, dtype=np.uint32).reshape(len(sets), N_PERMUTATION)


def near_pairs(numbers: NDArray[np.int64], rows: NDArray[np.uint32], n_band: int) -> Pairs:
    """Pairs of records of which at least one band agrees.

    Args:
        numbers: (n,) of the records.
        rows: (n, 64) digests.
        n_band: Bands of four hashes.
    """
    found: list[Pairs] = []
    for band in range(n_band):
        part = rows[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
        mixed = part[:, 0]
        for column in range(1, ROWS):
            mixed = (mixed * np.uint64(0x9E3779B97F4A7C15)) ^ part[:, column]
            mixed ^= mixed >> np.uint64(29)
        found.append(_neighbours(numbers, mixed))
    return _unique(found)


def pairs_of_equal(keys: Iterable[tuple[int, int]]) -> Pairs:
    """Pairs of records with an equal key, neighbours only.

    Args:
        keys: Of a record's number and the hash of one of its keys.
    """
    listed = list(keys)
    if not listed:
        return np.empty((0, 2), dtype=np.int64)
    numbers = np.fromiter((n for n, _ in listed), dtype=np.int64, count=len(listed))
    hashes = np.fromiter((h for _, h in listed), dtype=np.uint64, count=len(listed))
    return _unique([_neighbours(numbers, hashes)])


def key_hash(key: str) -> int:
    """64 bits of a key, the same in every process."""
    return int.from_bytes(blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def agreement(
    rows: NDArray[np.uint32], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The estimated resemblance of pairs, 0 to 1."""
    found = np.empty(len(left), dtype=np.float64)
    for start in range(0, len(left), 100_000):
        part = slice(start, start + 100_000)
        found[part] = (rows[left[part]] == rows[right[part]]).mean(axis=1)
    return found


def _neighbours(numbers: NDArray[np.int64], hashes: NDArray[np.uint64]) -> Pairs:
    order = np.argsort(hashes, kind="stable")
    sorted_hashes, sorted_numbers = hashes[order], numbers[order]
    found: list[Pairs] = []
    for distance in range(1, N_NEIGHBOUR + 1):
        at = np.flatnonzero(sorted_hashes[distance:] == sorted_hashes[:-distance])
        pair = np.stack([sorted_numbers[at], sorted_numbers[at + distance]], axis=1)
        found.append(np.sort(pair, axis=1))
    return np.concatenate(found)


def _unique(found: Sequence[Pairs]) -> Pairs:
    pairs = np.concatenate(list(found)) if found else np.empty((0, 2), dtype=np.int64)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if not len(pairs):
        return pairs
    packed = np.unique((pairs[:, 0] << np.int64(32)) | pairs[:, 1])
    return np.stack([packed >> np.int64(32), packed & np.int64(0xFFFFFFFF)], axis=1)
