"""Claim: well-formed feeds are parsed within 2x of the fastest parser, with what the tolerant one reads.

Us, feedparser and fastfeedparser read the same feeds, made here, in one run. Prints feeds a second
and ratios; the fastest parser does less (no markup resolved, no links listed), see docs/tracking.md.
"with its address" is kuaibao again, told where the feed came from: links and markup are made absolute.
"""

import argparse
import platform
import statistics
import sys
import time
import warnings
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "bulletin" / "sources"))

import feedparser
from feed_maker import FeedMaker

from kuaibao.bulletin.sources.feeds import parse_feed

PARAGRAPH = '<p>Some words with a <a href="http://e.org/x">link</a> and more.</p>'
ARTICLE = (
    '<div class="post"><p>Some words with a <a href="http://e.org/x/y?z=1" rel="nofollow">link</a> and '
    "more that goes on as long as usual paragraphs do, &amp; an entity &#8220;quoted&#8221;.</p>"
    '<p><img class="x" src="http://e.org/a.png" alt="a b" width="300" height="200"/></p></div>\n'
)


def usual_feed(
    n_entry: int, form: str, markup: str = PARAGRAPH * 4, *, cdata: bool = False
) -> bytes:
    """A feed as news sites and journals write them."""
    body = f"<![CDATA[{markup}]]>" if cdata else escape(markup)
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


def rates(parsers, feeds, rounds):
    """Feeds a second of CPU, the parsers in turns; and how many feeds each refused."""
    speeds = {name: [] for name in parsers}
    n_failed = dict.fromkeys(parsers, 0)
    for _ in range(rounds):
        for name, parse in parsers.items():
            start = time.process_time()
            n_failed[name] = 0
            for feed in feeds:
                try:
                    parse(feed)
                except Exception:  # a parser that refuses a feed is counted
                    n_failed[name] += 1
            speeds[name].append(len(feeds) / (time.process_time() - start))
    return {name: (statistics.median(speeds[name]), n_failed[name]) for name in parsers}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true")
    small = options.parse_args().small
    warnings.simplefilter("ignore")
    n_feed, rounds = (4, 1) if small else (40, 5)
    sets = {
        "usual, 30 entries": [
            usual_feed(30, f) for f in ("rss", "atom") for _ in range(n_feed // 2)
        ],
        "whole articles, CDATA": [
            usual_feed(30, "rss", ARTICLE * 12, cdata=True) for _ in range(n_feed // 4)
        ],
        "whole articles, escaped": [
            usual_feed(30, "atom", ARTICLE * 12) for _ in range(n_feed // 4)
        ],
        "made by chance": [FeedMaker(seed).any().encode() for seed in range(n_feed * 5)],
    }
    parsers = {
        "kuaibao": parse_feed,
        "with its address": lambda data: parse_feed(data, url="http://e.org/feed.xml"),
        "feedparser": lambda data: feedparser.parse(data, sanitize_html=False),
    }
    try:
        import fastfeedparser

        parsers["fastfeedparser"] = fastfeedparser.parse
    except ImportError:
        print("fastfeedparser is not installed: pip install fastfeedparser")
    print(f"# {time.strftime('%Y-%m-%d')} Python {platform.python_version()} {platform.machine()}, "
          f"feedparser {feedparser.__version__}, {rounds} rounds in turns, medians, CPU time")  # fmt: skip
    for name, feeds in sets.items():
        found = rates(parsers, feeds, rounds)
        ours = found["kuaibao"][0]
        for parser, (speed, n_failed) in found.items():
            print(
                f"{name:24} {parser:16} {speed:9.1f} feeds/s  {ours / speed:6.2f}x  refused {n_failed}/{len(feeds)}"
            )


if __name__ == "__main__":
    main()
