"""Claim: joining records takes time and memory that grow with their number, and joins what is the same.

Synthetic records with known truth: a preprint and its publication, one paper from several services,
news that agencies carry with changes, misspelt titles; and what only looks alike: parts, corrections,
yearly reports, one title by other people, forms filled in with other figures. The truth is ours, so
precision and recall here say that the rules do what they say, not how the world is.
"""

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import time
from collections import defaultdict
from itertools import accumulate

from kuaibao.bulletin.reading.dedupe import group_records
from kuaibao.bulletin.reading.dedupe.records import make_record


class Maker:
    """Stories and their records."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.words = [self._word() for _ in range(30_000)]
        self.weights = list(accumulate(1 / (i + 5) for i in range(len(self.words))))
        self.names = [self._word().title() for _ in range(5_000)]

    def _word(self):
        d = self.draw
        return "".join(
            d.choice("bdfgklmnprstvz") + d.choice("aeiou") for _ in range(d.randint(2, 5))
        )

    def _text(self, n):
        return " ".join(self.draw.choices(self.words, cum_weights=self.weights, k=n))

    def _people(self):
        return [f"{self.draw.choice(self.names)} {self.draw.choice(self.names)}" for _ in range(self.draw.randint(1, 5))]  # fmt: skip

    def _changed(self, text, share=0.04):
        return " ".join(w for w in text.split() if self.draw.random() > share)

    def _misspelt(self, title):
        words = title.split()
        long = [i for i, w in enumerate(words) if len(w) >= 8]
        if not long:
            return title
        i = self.draw.choice(long)
        at = self.draw.randrange(2, len(words[i]) - 2)
        words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2 :]
        return " ".join(words)

    def story(self, number):
        """Records of one story, and of others that only look like it; each with its label."""
        d, title, people, abstract = self.draw, self._text(9), self._people(), self._text(90)
        year = d.randint(2000, 2020)
        month, serial = divmod(number, 90_000)  # no number is given twice
        arxiv = f"{8 + month // 12:02}{1 + month % 12:02}.{serial:05}"
        doi = f"10.{1000 + number % 7}/x.{number}"
        base = {"title": title, "authors": people, "abstract": abstract, "year": year}
        kind = d.random()
        if kind < 0.4:
            return [(number, {**base, "doi": doi})]
        if kind < 0.55:
            other = {
                "title": title.upper(),
                "authors": "; ".join(people),
                "year": year + 1,
                "doi": doi.upper(),
            }
            return [(number, {**base, "arxiv": arxiv}), (number, other), (number, {"url": f"https://arxiv.org/abs/{arxiv}v2", "title": title})]  # fmt: skip
        if kind < 0.65:
            return [(number, {**base, "doi": doi}), (number, {**base, "title": self._misspelt(title), "abstract": self._changed(abstract)})]  # fmt: skip
        if kind < 0.75:
            news = {"title": title, "text": abstract, "date": f"{year}-06-17"}
            return [(number, news), (number, {"title": f"{title} {self._text(2)}", "text": self._changed(abstract), "date": f"{year}-06-18"})]  # fmt: skip
        if kind < 0.8:
            return [(number, {**base, "title": f"{title}: part I"}), (-number, {**base, "title": f"{title}: part II", "abstract": self._text(90)})]  # fmt: skip
        if kind < 0.85:
            return [(number, {**base, "doi": doi}), (-number, {**base, "title": f"Correction: {title}", "abstract": ""})]  # fmt: skip
        if kind < 0.9:
            return [
                (number, base),
                (-number, {**base, "authors": self._people(), "abstract": self._text(90)}),
            ]
        if kind < 0.95:
            return [(number, {**base, "doi": doi}), (-number, {**base, "doi": doi + "9", "year": year + 1, "abstract": self._text(90)})]  # fmt: skip
        return [(number, {"title": f"{title} {year}", "date": f"{year}-01-02"}), (-number, {"title": f"{title} {year + 1}", "date": f"{year + 1}-01-02"})]  # fmt: skip


def records(n_record, seed=5):
    maker, made, number = Maker(seed), 0, 0
    while made < n_record:
        number += 1
        for label, raw in maker.story(number):
            if made == n_record:
                return
            yield label, {"id": made, **raw}
            made += 1


def pairs(sizes):
    return sum(n * (n - 1) // 2 for n in sizes)


def measure(n_record):
    labels = []

    def stream():
        for label, raw in records(n_record):
            labels.append(label)
            yield make_record(raw)

    started = time.process_time()
    n_made = sum(1 for _ in records(n_record))
    making = time.process_time() - started
    started = time.process_time()
    found = group_records(stream())
    took = time.process_time() - started - making
    truth = defaultdict(int)
    for label in labels:
        truth[label] += 1
    n_joined = pairs(map(len, found.groups))
    n_right = 0
    for group in found.groups:
        inside = defaultdict(int)
        for one in group:
            inside[labels[one]] += 1
        n_right += pairs(inside.values())
    return {
        "records": n_made, "seconds": took, "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "precision": n_right / max(1, n_joined), "recall": n_right / max(1, pairs(truth.values())), "groups": len(found.groups),
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true")
    options.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one)))
        return
    print(
        f"# {time.strftime('%Y-%m-%d')} Python {platform.python_version()} {platform.machine()}, synthetic records"
    )
    for n_record in [2_000] if chosen.small else chosen.records:
        # A process of its own: its largest memory is its own.
        run = subprocess.run([sys.executable, __file__, "--one", str(n_record)], capture_output=True, text=True, check=True)  # fmt: skip
        r = json.loads(run.stdout)
        print(
            f"{r['records']:>9,} records  {r['seconds']:7.1f} s of CPU  {1e6 * r['seconds'] / r['records']:6.0f} µs each  {r['memory_mb']:6,.0f} MB  "
            f"precision {r['precision']:.4f}  recall {r['recall']:.4f}  {r['groups']:,} groups",
            flush=True,
        )


if __name__ == "__main__":
    main()
