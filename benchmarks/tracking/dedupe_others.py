"""Claim: on bibliographies of others with labelled pairs, what is the same is joined and nothing else.

`dedupe_others.py FOLDER` takes the unpacked source distribution of `py-entitymatching` (its tables of
DBLP and ACM and two sets of pairs that people labelled); nothing of it is kept here. All records of
both tables are grouped as `kuaibao dedupe` does it; precision and recall are those of the labelled
pairs. Without a folder, records made by `dedupe.py`.
"""

import argparse
import csv
from collections import Counter
from pathlib import Path

from dedupe import records

from kuaibao.bulletin.reading.dedupe import group_records
from kuaibao.bulletin.reading.dedupe.records import make_record

SETS = {
    "DBLP-ACM, all": ("DBLP.csv", "ACM.csv", "dblp_acm_demo_labels.csv", ("ltable.id", "rtable.id", "gold")),
    "DBLP-ACM, demo": ("dblp_demo.csv", "acm_demo.csv", "labeled_data_demo.csv", ("ltable_id", "rtable_id", "label")),
}  # fmt: skip


def rows(path):
    lines = path.read_text("utf-8", "replace").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--small", action="store_true")
    options.add_argument("--show", action="store_true", help="the labelled pairs that we get wrong")
    chosen = options.parse_args()
    if chosen.folder is None:
        made = [make_record(raw) for _, raw in records(500 if chosen.small else 5000)]
        print(f"made here: {len(made):,} records, {len(group_records(made).groups):,} groups")
        return
    data = next(chosen.folder.rglob("DBLP.csv")).parent
    for name, (left, right, labels, columns) in SETS.items():
        tables = [
            {f"{side}:{row['id']}": row for row in rows(data / file)}
            for side, file in (("l", left), ("r", right))
        ]
        raws = tables[0] | tables[1]
        found = group_records(
            make_record({**row, "id": key, "year": row["year"].removesuffix(".0")})
            for key, row in raws.items()
        )
        keys = list(raws)
        group_of = {keys[one] if isinstance(one, int) else one: n for n, group in enumerate(found.groups) for one in group}  # fmt: skip
        counts = Counter()
        for row in rows(data / labels):
            one, other = f"l:{row[columns[0]]}", f"r:{row[columns[1]]}"
            joined = one in group_of and group_of.get(other) == group_of[one]
            counts[joined, row[columns[2]].startswith("1")] += 1
            if chosen.show and joined != row[columns[2]].startswith("1"):
                print("joined" if joined else "not joined", raws[one], raws[other], sep="\n    ")
        right_ones = counts[True, True]
        print(f"{name}: {len(raws):,} records, {len(found.groups):,} groups; {counts.total()} labelled pairs: "
              f"precision {right_ones / max(1, right_ones + counts[True, False]):.4f}, recall {right_ones / max(1, right_ones + counts[False, True]):.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
