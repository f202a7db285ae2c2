"""Items a second through `kuaibao build`, and how time and memory grow with their number.

    python benchmarks/bulletin/pipeline.py [--small]

Each size is one process: feeds with so many made-up items (Zipf words, a tenth of them told twice)
are fetched from disk, joined, ranked, drafted, laid out and published. Then the same build again,
which finds nothing new. Linear growth is a ratio near 1 in the column "CPU an item".
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

PER_FEED = 500
CONFIG = """
series = "Benchmark"
title = "Benchmark"
language = "en"
number = 1
day = 2020-06-30
formats = ["html", "atom", "json"]
[profile]
words = ["w3", "w8", "w21"]
[reading]
period_days = 60
full_text = false
"""
WORKER = """
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from kuaibao.bulletin.config import load_config
from kuaibao.bulletin.pipeline import build

started, cpu = time.perf_counter(), time.process_time()
config = load_config(Path(sys.argv[1]))
report = build(config, Path(sys.argv[1]) / "out", now=datetime(2020, 6, 30, tzinfo=UTC))
print(json.dumps({
    "wall_s": time.perf_counter() - started,
    "cpu_s": time.process_time() - cpu,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "counts": report.counts, "seconds": report.seconds,
}))
"""


def make_bulletin(folder: Path, n_item: int) -> None:
    """Feeds of `PER_FEED` items; every tenth item repeats an earlier one under another address."""
    chance = random.Random(7)
    day = datetime(2020, 6, 1, tzinfo=UTC)
    config, items = CONFIG, []
    for i in range(n_item):
        if i % 10 == 9:
            twin = dict(items[chance.randrange(len(items))])
            items.append(twin | {"id": f"urn:{i}", "url": f"https://mirror.example.org/{i}"})
            continue
        words = [f"w{int(chance.paretovariate(0.9))}" for _ in range(150)]
        text = " ".join(
            " ".join(words[k : k + 15]).capitalize() + "." for k in range(0, len(words), 15)
        )
        items.append({
            "id": f"urn:{i}", "url": f"https://example.org/{i}",
            "title": f"Item {i} on {' '.join(words[:6])}", "content_text": text,
            "date_published": (day + timedelta(minutes=i % 40_000)).isoformat(),
        })  # fmt: skip
    for n, start in enumerate(range(0, n_item, PER_FEED)):
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": f"Feed {n}",
                "items": items[start : start + PER_FEED]}  # fmt: skip
        (folder / f"{n}.json").write_text(json.dumps(feed))
        config += f'[[sources]]\nid = "feed-{n}"\nkind = "feed"\npath = "{n}.json"\n'
    (folder / "bulletin.toml").write_text(config)


def measure(folder: Path) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, "-c", WORKER, str(folder)], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="100 and 500 items only")
    sizes = (100, 500) if parser.parse_args().small else (100, 1_000, 10_000)
    print(f"Python {platform.python_version()}, {platform.machine()}, {datetime.now(UTC):%Y-%m-%d}")
    print("| items | wall s | items/s | CPU ms an item | peak MiB | again: wall s |")
    print("|---|---|---|---|---|---|")
    for n_item in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_bulletin(folder, n_item)
            first, again = measure(folder), measure(folder)
        assert first["counts"]["entries_new"] == n_item
        assert again["counts"]["entries_new"] == 0
        print(
            f"| {n_item:,} | {first['wall_s']:.2f} | {n_item / first['wall_s']:,.0f} "
            f"| {1000 * first['cpu_s'] / n_item:.2f} | {first['peak_mib']:.0f} "
            f"| {again['wall_s']:.2f} |",
            flush=True,
        )
        slowest = sorted(first["seconds"].items(), key=lambda pair: -pair[1])[:3]
        print(f"<!-- {n_item}: {', '.join(f'{k} {v:.2f} s' for k, v in slowest)} -->")


if __name__ == "__main__":
    main()
