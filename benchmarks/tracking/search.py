"""Claim: a query of a million items is answered in under 100 ms, Chinese words of one and two characters too.

Makes an archive of synthetic entries (half English, half Chinese, words by Zipf's law) with the
store's own code, then asks each kind of query several times. `--items N` for another size.
"""

import argparse
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from sqlalchemy import func, insert, select

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.store import Store, codec, last_day, search_archive, tables
from kuaibao.bulletin.store.searchable import index_entries

COMMON_HAN = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
QUERIES = {
    "a rare word": "w19000", "a usual word": "w300", "a word in a third of all": "w0",
    "two usual words": "w200 w300", "a phrase": '"w3 w5"', "a beginning": "w1900*",
    "a field": "title:w300", "without a word": "w300 -w1", "either of two": "w900 OR w901",
    "one Han character, rare": "鼎", "one Han character, in half of all": "的",
    "two Han characters": "图书", "two usual Han characters": "中国", "traditional for simplified": "圖書",
    "four Han characters": "人工智能", "an author": "people:name77",
    "a source": "source:source8 w300", "a language": "language:zh 的", "a usual kind": "kind:news w300",
    "a rare kind, usual words": "kind:paper 的", "a rare kind with a word it never holds": "kind:paper w0",
    "a language with a word it never holds": "language:en 的", "many years": "w0 since:2001-03-05 until:2012-07-20",
    "the oldest of many": "w0 until:2001-06", "all at once": "kind:news language:en source:source8 w0 since:2004",
}  # fmt: skip


BLOCK = 5000
"""Entries made and indexed together, each block by its own seed: an archive can be gone on with."""


def entries(first, last):
    draw = random.Random(first)
    vocabulary = [f"w{i}" for i in range(20_000)]
    weights = list(accumulate(1 / (i + 3) for i in range(len(vocabulary))))
    rare = [chr(c) for c in range(0x4E00, 0x4E00 + 3000)]
    terms = ["图书", "人工智能", "中国", "教育", "数据"]
    start = datetime(2000, 1, 1, tzinfo=UTC)
    for n in range(first, last):
        if n % 2:
            body = "".join(draw.choices(COMMON_HAN, k=60)) + "".join(draw.choices(rare, k=20))
            body += draw.choice(terms) if draw.random() < 0.1 else ""
            title = "".join(draw.choices(rare, k=8)) + (
                draw.choice(terms) if draw.random() < 0.02 else ""
            )
        else:
            body = " ".join(draw.choices(vocabulary, cum_weights=weights, k=40))
            title = " ".join(draw.choices(vocabulary, cum_weights=weights, k=7))
        yield Entry(
            source_id=f"source{n % 50}",
            entry_id=str(n),
            title=title,
            summary=body,
            authors=(f"name{draw.randrange(5000)} family{draw.randrange(5000)}",),
            published=PartialDate(value=start + timedelta(minutes=10 * n)),
            language="zh" if n % 2 else "en",
            kind="paper" if n % 1000 == 1 else "news",
        )


def fill(store, n_item):
    with store.database.read() as connection:
        first = connection.scalar(select(func.max(tables.entry.c.entry_key))) or 0
    for block in range(first, n_item, BLOCK):
        made = list(enumerate(entries(block, min(block + BLOCK, n_item)), block + 1))
        rows = [
            {
                "entry_key": key, "reference": f"{key:064}", "revision": 1, "is_current": True, "source_id": e.source_id,
                "position": 0, "last_day": last_day(e), "hash": "", "payload": codec.encode(e), "item_id": None,
            }
            for key, e in made
        ]  # fmt: skip
        with store.database.write() as connection:
            connection.execute(insert(tables.entry), rows)
            index_entries(connection, made)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true")
    options.add_argument("--items", type=int, default=1_000_000)
    options.add_argument("--keep", type=Path, help="Make or use the archive in this file.")
    chosen = options.parse_args()
    n_item, rounds = (3_000, 2) if chosen.small else (chosen.items, 7)
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.keep or Path(folder) / "archive.db"
        with Store.open(path) as store:
            started = time.perf_counter()
            fill(store, n_item)
            print(f"# {time.strftime('%Y-%m-%d')} Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
                  f"{n_item:,} items, indexed in {time.perf_counter() - started:.0f} s, file {path.stat().st_size / 1e6:,.0f} MB")  # fmt: skip
            worst, every = [0.0, 0.0], []
            for name, query in QUERIES.items():
                for more in ({}, {"since": datetime(2005, 1, 1).date(), "until": datetime(2006, 1, 1).date()}):  # fmt: skip
                    wall, cpu = [], []
                    for _ in range(rounds):
                        begin, used = time.perf_counter(), time.process_time()
                        found = search_archive(store, query, limit=20, **more)
                        wall.append(1000 * (time.perf_counter() - begin))
                        cpu.append(1000 * (time.process_time() - used))
                    every += wall
                    middle = [statistics.median(wall), statistics.median(cpu)]
                    worst = [max(pair) for pair in zip(worst, middle, strict=True)]
                    print(f"{name + (', in 2005' if more else ''):48} {middle[0]:7.1f} ms, {middle[1]:6.1f} ms of CPU (first {wall[0]:.0f} ms), {len(found)} found")  # fmt: skip
            print(f"slowest median {worst[0]:.0f} ms, {worst[1]:.0f} ms of CPU; of all {len(every)} answers "
                  f"the median {statistics.median(every):.0f} ms, 95 in 100 under {statistics.quantiles(every, n=20)[-1]:.0f} ms, the slowest {max(every):.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
