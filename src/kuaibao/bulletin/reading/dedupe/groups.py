"""From records to groups: identifiers, addresses, titles, texts; the surest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuaibao.bulletin.reading.dedupe.records import Record
from kuaibao.bulletin.reading.dedupe.verdicts import bare_title, by_text, by_title, by_url, conflict
from kuaibao.bulletin.reading.minhash import (
    TEXT_BANDS,
    TITLE_BANDS,
    agreement,
    digests,
    key_hash,
    near_pairs,
    pairs_of_equal,
    text_shingles,
    title_shingles,
)
from kuaibao.bulletin.reading.same_story import letters_of

__all__ = ["Grouping", "Join", "group_records"]

BATCH = 20_000
MIN_SHINGLES = 15
"""A text with fewer runs of three words can't tell two stories apart."""


@dataclass(frozen=True, kw_only=True)
class Join:
    """Why two records came together."""

    left: Any
    right: Any
    rule: str
    """`doi`, `arxiv`, `pmid`, `url`, `title`, `text`."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Groups of two and more in the order of their first record, with their joins; and the rest."""

    groups: tuple[tuple[Any, ...], ...]
    joins: tuple[tuple[Join, ...], ...]
    singles: tuple[Any, ...]
    n_record: int

    def to_json(self) -> dict[str, Any]:
        """The document of `kuaibao dedupe`."""
        return {
            "records": self.n_record,
            "groups": [
                {
                    "ids": list(ids),
                    "joins": [
                        {"ids": [j.left, j.right], "rule": j.rule, "reason": j.reason}
                        for j in joins
                    ],
                }
                for ids, joins in zip(self.groups, self.joins, strict=True)
            ],
            "singles": list(self.singles),
        }


def group_records(
    records: Iterable[Record], progress: Callable[[str, int], None] = lambda stage, n: None
) -> Grouping:
    """Join records that tell one story; time and memory grow with their number, not its square.

    Identifiers join always. Addresses, titles and texts join only what no identifier keeps apart,
    neither in the two records nor in what was joined to them before.

    Args:
        records: In any order; the first of a group comes first in it.
        progress: Told the stage and how many records or pairs are done.
    """
    kept: list[Record] = []
    text_rows: list[NDArray[np.uint32]] = []
    title_rows: list[NDArray[np.uint32]] = []
    has_text: list[bool] = []
    for batch in _batches(records):
        shingles = [text_shingles(r.text) for r in batch]
        has_text += [len(s) >= MIN_SHINGLES for s in shingles]
        text_rows.append(digests(shingles))
        title_rows.append(digests([title_shingles(letters_of(r.title)) for r in batch]))
        kept += [r._replace(text=r.text if long else "") for r, long in
                 zip(batch, has_text[-len(batch) :], strict=True)]  # fmt: skip
        progress("read", len(kept))
    if not kept:
        return Grouping(groups=(), joins=(), singles=(), n_record=0)
    state = _State(kept, np.concatenate(text_rows), np.array(has_text))
    state.join_identifiers()
    progress("identifiers", len(kept))
    state.join_addresses()
    progress("addresses", len(kept))
    state.join_titles(np.concatenate(title_rows))
    progress("titles", len(kept))
    state.join_texts()
    progress("texts", len(kept))
    return state.grouping()


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass
class _Cluster:
    """What is known of a group while it grows."""

    members: list[int]
    joins: list[Join] = field(default_factory=list)


class _State:
    def __init__(
        self, records: list[Record], text_rows: NDArray[np.uint32], has_text: NDArray[np.bool_]
    ) -> None:
        self.records = records
        self.text_rows = text_rows
        self.has_text = has_text
        self.parent = list(range(len(records)))
        self.clusters: dict[int, _Cluster] = {}

    def root(self, number: int) -> int:
        while self.parent[number] != number:
            self.parent[number] = self.parent[self.parent[number]]
            number = self.parent[number]
        return number

    def join_identifiers(self) -> None:
        for rule, named in (("doi", "DOI"), ("arxiv", "arXiv number"), ("pmid", "PubMed number")):
            seen: dict[str, int] = {}
            for number, record in enumerate(self.records):
                value: str = getattr(record, rule)
                if not value:
                    continue
                first = seen.setdefault(value, number)
                if first != number:
                    self._join(first, number, rule, f"same {named} {value}")

    def join_addresses(self) -> None:
        seen: dict[str, list[int]] = {}
        for number, record in enumerate(self.records):
            for url in record.urls:
                if "/" not in url and "?" not in url:
                    continue  # a site's front page is the address of many stories
                firsts = seen.setdefault(url, [])
                for first in firsts:
                    other = self.records[first]
                    if by_url(other, record) and self._may_join(first, number):
                        self._join(first, number, "url", f"same address {url}")
                        break
                else:
                    if len(firsts) < 8:
                        firsts.append(number)

    def join_titles(self, title_rows: NDArray[np.uint32]) -> None:
        pairs = [pairs_of_equal(self._title_keys())]
        numbers = np.array(
            [n for n, r in enumerate(self.records) if len(letters_of(r.title)) >= 12],
            dtype=np.int64,
        )
        if len(numbers):
            near = near_pairs(numbers, title_rows[numbers], TITLE_BANDS)
            likely = agreement(title_rows, near[:, 0], near[:, 1]) >= 0.5
            pairs.append(near[likely])
        self._verify(np.concatenate(pairs), "title", by_title)

    def _title_keys(self) -> Iterator[tuple[int, int]]:
        """A title whole; and its beginning with the first author, for a subtitle more."""
        for number, record in enumerate(self.records):
            letters = letters_of(record.title)
            if not letters:
                continue
            yield number, key_hash(letters)
            if record.first_surname:
                yield (
                    number,
                    key_hash(f"{record.first_surname}:{letters_of(bare_title(record.title))}"),
                )
                yield number, key_hash(f"{record.first_surname}:{letters[:20]}")

    def join_texts(self) -> None:
        numbers = np.flatnonzero(self.has_text).astype(np.int64)
        if not len(numbers):
            return
        near = near_pairs(numbers, self.text_rows[numbers], TEXT_BANDS)
        likely = agreement(self.text_rows, near[:, 0], near[:, 1]) >= 0.35
        self._verify(near[likely], "text", lambda a, b, same: by_text(a, b, same or 0.0))

    def _verify(
        self,
        pairs: NDArray[np.int64],
        rule: str,
        judge: Callable[[Record, Record, float | None], str],
    ) -> None:
        for left, right in pairs.tolist():
            if self.root(left) == self.root(right):
                continue
            a, b = self.records[left], self.records[right]
            reason = judge(a, b, self._resemblance(left, right))
            if reason and self._may_join(left, right):
                self._join(left, right, rule, reason)

    def _resemblance(self, left: int, right: int) -> float | None:
        """Of two texts, exactly; None where one has none that could tell."""
        if not (self.has_text[left] and self.has_text[right]):
            return None
        if (self.text_rows[left] == self.text_rows[right]).all():
            return 1.0
        a = set(text_shingles(self.records[left].text))
        b = set(text_shingles(self.records[right].text))
        return len(a & b) / len(a | b)

    def _may_join(self, left: int, right: int) -> bool:
        """No member of one group has an identifier that a member of the other contradicts."""
        return not any(
            conflict(self.records[a], self.records[b])
            for a in self._members(left)
            for b in self._members(right)
        )

    def _members(self, number: int) -> list[int]:
        root = self.root(number)
        cluster = self.clusters.get(root)
        return cluster.members[:50] if cluster else [root]

    def _join(self, left: int, right: int, rule: str, reason: str) -> None:
        a, b = sorted((self.root(left), self.root(right)))
        if a == b:
            return
        names = (self.records[left].record_id, self.records[right].record_id)
        kept = self.clusters.setdefault(a, _Cluster([a]))
        other = self.clusters.pop(b, None) or _Cluster([b])
        kept.members += other.members
        kept.joins += [*other.joins, Join(left=names[0], right=names[1], rule=rule, reason=reason)]
        self.parent[b] = a

    def grouping(self) -> Grouping:
        found = sorted(self.clusters.items())
        grouped = {n for _, cluster in found for n in cluster.members}
        return Grouping(
            groups=tuple(
                tuple(self.records[n].record_id for n in sorted(cluster.members))
                for _, cluster in found
            ),
            joins=tuple(tuple(cluster.joins) for _, cluster in found),
            singles=tuple(r.record_id for n, r in enumerate(self.records) if n not in grouped),
            n_record=len(self.records),
        )
