"""Claim: what feedparser reads in its own test cases is read, field by field.

`feed_agreement.py FOLDER` takes the folder `tests` of feedparser's source distribution
(`pip download --no-deps --no-binary :all: feedparser`, unpacked); nothing of it is kept here. Each case
is read by feedparser, sanitiser off, and by us, with the headers that the case names. Without a folder,
feeds made by chance are compared. `--show FIELD` prints the cases that differ in it.
"""

import argparse
import re
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "bulletin" / "sources"))

import feedparser
from feed_maker import FeedMaker
from shapes import URL, differences

HEADER = re.compile(rb"^\s*Header:\s*([^\s:]+):(.*)$", re.MULTILINE)
FIELDS = ("n_entry", "feed.title", "feed.link", "feed.id", "feed.language", "feed.updated", "id", "title",
          "link", "links", "summary", "content", "authors", "published", "updated", "categories", "enclosures")  # fmt: skip


def cases(folder):
    """Name, bytes, address and type of each case."""
    for path in sorted(folder.rglob("*.xml")):
        data = path.read_bytes()
        headers = {k.decode().lower(): v.decode("utf-8", "replace").strip() for k, v in HEADER.findall(data)}  # fmt: skip
        name = path.relative_to(folder).as_posix()
        url = headers.get("content-location") or f"http://127.0.0.1:8097/tests/{name}"
        yield name, data, url, headers.get("content-type", "application/xml")


def made(n_feed):
    for seed in range(n_feed):
        yield f"seed {seed}", FeedMaker(seed).any().encode(), URL, "application/xml; charset=utf-8"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--small", action="store_true")
    options.add_argument("--show", choices=FIELDS)
    chosen = options.parse_args()
    compared = cases(chosen.folder) if chosen.folder else made(20 if chosen.small else 2000)
    wrong, folders, paths, n_whole = Counter(), Counter(), Counter(), 0
    for name, data, url, content_type in compared:
        differ, path = differences(data, url=url, content_type=content_type)
        paths[path] += 1
        n_whole += not differ
        wrong.update(list(differ))
        folders.update([name.rpartition("/")[0]] if differ else [])
        if chosen.show in differ:
            print(name, path, *differ[chosen.show], sep="\n    ")
    n_case = paths.total()
    print(
        f"# {time.strftime('%Y-%m-%d')} feedparser {feedparser.__version__}, {n_case:,} cases {dict(paths)}"
    )
    print(f"all fields the same: {n_whole:,} of {n_case:,}; others by folder: {dict(folders)}")
    for field in FIELDS:
        print(
            f"{field:14} {n_case - wrong[field]:6,} of {n_case:,}  {1 - wrong[field] / n_case:.4f}"
        )


if __name__ == "__main__":
    main()
