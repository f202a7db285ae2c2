"""Claim: well-formed feeds are parsed within 2x of the fastest parser, with what the tolerant one reads.

Us, feedparser and fastfeedparser read the same feeds, made here, in one run. Prints feeds a second
and ratios; the fastest parser does less (no markup resolved, no links listed), see docs/tracking.md.
"""

import argparse
import platform
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "bulletin" / "sources"))

import feedparser
from feed_maker import FeedMaker

from kuaibao.bulletin.sources.feeds import parse_feed


def usual_feed(n_entry: int, form: str) -> bytes:
    """A feed as news sites and journals write them."""
    body = (
        '&lt;p&gt;Some words with a &lt;a href="http://e.org/x"&gt;link&lt;/a&gt; and more.&lt;/p&gt;'
        * 4
    )
    if form == "atom":
        entries = "".join(
            f'<entry><title>Title {n}</title><id>tag:e.org,2020:{n}</id><link href="http://e.org/{n}"/>'
            f"<updated>2020-06-17T08:{n % 60:02}:00Z</updated><author><name>Ann</name></author>"
            f'<summary>Words</summary><content type="html">{body}</content></entry>'
            for n in range(n_entry)
        )
        return (
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>{entries}</feed>'.encode()
        )
    items = "".join(
        f"<item><title>Title {n}</title><link>http://e.org/{n}</link><guid>http://e.org/{n}</guid>"
        f"<pubDate>Wed, 17 Jun 2020 08:{n % 60:02}:00 GMT</pubDate><dc:creator>Ann</dc:creator>"
        f"<category>c</category><description>{body}</description></item>"
        for n in range(n_entry)
    )
    return (
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>F</title>'
        f"{items}</channel></rss>"
    ).encode()


def rate(parse, feeds, rounds):
    speeds = []
    for _ in range(rounds):
        start = time.perf_counter()
        n_failed = 0
        for feed in feeds:
            try:
                parse(feed)
            except Exception:  # a parser that refuses a feed is counted
                n_failed += 1
        speeds.append(len(feeds) / (time.perf_counter() - start))
    return statistics.median(speeds), n_failed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true")
    small = options.parse_args().small
    warnings.simplefilter("ignore")
    n_feed, rounds = (4, 1) if small else (40, 3)
    sets = {
        "usual, 30 entries": [
            usual_feed(30, f) for f in ("rss", "atom") for _ in range(n_feed // 2)
        ],
        "made by chance": [FeedMaker(seed).any().encode() for seed in range(n_feed * 5)],
    }
    parsers = {
        "kuaibao": parse_feed,
        "feedparser": lambda data: feedparser.parse(data, sanitize_html=False),
    }
    try:
        import fastfeedparser

        parsers["fastfeedparser"] = fastfeedparser.parse
    except ImportError:
        print("fastfeedparser is not installed: pip install fastfeedparser")
    print(f"# {time.strftime('%Y-%m-%d')} Python {platform.python_version()} {platform.machine()}, "
          f"feedparser {feedparser.__version__}, {rounds} rounds, medians")  # fmt: skip
    for name, feeds in sets.items():
        found = {parser: rate(parse, feeds, rounds) for parser, parse in parsers.items()}
        ours = found["kuaibao"][0]
        for parser, (speed, n_failed) in found.items():
            print(
                f"{name:20} {parser:15} {speed:9.1f} feeds/s  {ours / speed:6.2f}x  refused {n_failed}/{len(feeds)}"
            )


if __name__ == "__main__":
    main()
