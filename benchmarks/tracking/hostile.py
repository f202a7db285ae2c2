"""Claim: a hostile feed costs bounded time and memory, and nothing else is lost.

Each shape is parsed in a process of its own; prints seconds, the largest memory of the process and
of its worker, and how many entries were read. The table of docs/security.md.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests" / "bulletin" / "sources"


def one(name: str) -> None:
    sys.path.insert(0, str(TESTS))
    import importlib.util

    spec = importlib.util.spec_from_file_location("test_feeds", TESTS / "test_feeds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from kuaibao.bulletin.sources.feeds import parse_feed
    from kuaibao.bulletin.sources.feeds.worker import stop_workers

    data = module.HOSTILE[name]
    parse_feed(module.ILL["ampersand"], timeout_s=60)  # the worker is up, as in a run
    start = time.perf_counter()
    feed = parse_feed(data)
    seconds = time.perf_counter() - start
    stop_workers()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    said = feed.problems[-1][:60] if feed.problems else ""
    print(
        f"| {name} | {len(data) / 1e6:.1f} MB | {seconds:.2f} s | {own} MB | {worker} MB | {len(feed.entries)} | {said} |"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true")
    options.add_argument("--one")
    chosen = options.parse_args()
    if chosen.one:
        one(chosen.one)
        return
    names = ["entity bomb", "external entity"] if chosen.small else [
        "entity bomb", "quadratic entities", "external entity", "200,000 items", "200,000 ill-formed entries",
        "100,000 nested tags", "100,000 nested elements", "100,000 attributes", "a million <", "a million &",
        "deep JSON", "20 MB", "every byte",
    ]  # fmt: skip
    print("| shape | size | time | memory | worker | entries | told as |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        subprocess.run([sys.executable, __file__, "--one", name], check=True)


if __name__ == "__main__":
    main()
