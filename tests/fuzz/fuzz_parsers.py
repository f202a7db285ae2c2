"""Coverage-guided fuzzing of everything that reads what comes from outside (atheris, libFuzzer).

    pip install atheris
    python tests/fuzz/fuzz_parsers.py feed -max_total_time=60
    python tests/fuzz/fuzz_parsers.py all 60      # every target in turn, so many seconds each

A target may give what it likes for any bytes; it may raise nothing but our own errors. What was
found is a case in the tests of its room; nothing here runs in the test suite.
"""

import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kuaibao"]):
    from kuaibao.bulletin.reading.dedupe.records import make_record
    from kuaibao.bulletin.reading.pages.dates import parse_moment
    from kuaibao.bulletin.reading.pages.people import clean_names
    from kuaibao.bulletin.reading.pages.reader import read_page
    from kuaibao.bulletin.reading.same_story import canonical_url
    from kuaibao.bulletin.sources.bibliography import read_bibtex, read_ris
    from kuaibao.bulletin.sources.deadlines import deadline_in, parse_deadline
    from kuaibao.bulletin.sources.documents import read_markdown
    from kuaibao.bulletin.sources.feeds.dates import parse_date
    from kuaibao.bulletin.sources.feeds.decoding import decode
    from kuaibao.bulletin.sources.feeds.fast import read_quickly
    from kuaibao.bulletin.sources.feeds.json_feed import read_json_feed
    from kuaibao.bulletin.sources.identifiers import identifiers_in
    from kuaibao.bulletin.sources.markup import plain_text
    from kuaibao.bulletin.sources.opml import read_opml
    from kuaibao.bulletin.sources.protocol import SourceSettings
    from kuaibao.bulletin.store import read_restrictions
    from kuaibao.database import fold, parse_query, snippet
    from kuaibao.errors import KuaibaoError

NOW = datetime(2020, 7, 1, tzinfo=UTC)


def _text(data):
    return data.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode("utf-8")


def _feed(data):
    read_quickly(data, url="http://e.org/f")


def _dates(data):
    text = _text(data)[:200]
    parse_date(text)
    parse_moment(text)
    parse_deadline(text)
    deadline_in(text)


def _words(data):
    text = _text(data)
    plain_text(text)
    canonical_url(text)
    identifiers_in(text)
    clean_names([text])
    fold(text)


def _query(data):
    text = _text(data)
    words, _ = read_restrictions(text)
    parse_query(words, ("title", "people", "body"))
    snippet(text, words)


def _record(data):
    import json

    try:
        raw = json.loads(_text(data))
    except (ValueError, RecursionError):
        raw = {
            "title": _text(data),
            "authors": _text(data),
            "doi": _text(data),
            "date": _text(data),
        }
    if isinstance(raw, dict):
        make_record(raw)


def _bibliography(data):
    text = _text(data)[:2000]
    list(read_ris(text, "s", SourceSettings(), NOW))
    list(read_bibtex(text, "s", SourceSettings(), NOW))


TARGETS = {
    "feed": (_feed, ['<rss version="2.0"><channel><title>a</title><item><link>http://e.org/</link><pubDate>2020</pubDate><description>&lt;p&gt;</description></item></channel></rss>',
                     '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>x</id><link href="/a"/><content type="html">&lt;a href="b"&gt;</content></entry></feed>']),
    "json_feed": (read_json_feed, ['{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "authors": [{"name": "a"}]}]}']),
    "decoding": (decode, ['<?xml version="1.0" encoding="gb2312"?><a>', '<meta charset="big5">中文']),
    "page": (read_page, ['<html lang=en><head><meta property="og:title" content="a"><script type="application/ld+json">{"@type":"Article","author":[{"name":"a"}]}</script></head><body><h1>a</h1><p>By A, 17 June 2020</p><p>来源：作者：李四 2020年6月17日</p></body></html>']),
    "dates": (_dates, ["2020-06-17T08:30:00+08:00", "Wed, 17 Jun 2020 08:30:00 GMT", "2020年6月17日 9:30", "Deadline: 2020-07-01 23:59 AoE"]),
    "words": (_words, ["https://doi.org/10.1000/1", "arXiv:2006.00001v2", "By Ann Lee, 2020", "<p>a&amp;b"]),
    "query": (_query, ['title:a "b c" -d e* OR f since:2020 kind:paper', "教育 author:李"]),
    "record": (_record, ['{"id": 1, "title": "a", "authors": [{"family": "b"}], "doi": "10.1/x", "issued": {"date-parts": [[2020, 6]]}}']),
    "opml": (read_opml, ['<opml version="2.0"><body><outline text="a" xmlUrl="http://e.org/f"/></body></opml>']),
    "markdown": (lambda data: read_markdown(_text(data)), ["---\ntitle: a\ndate: 2020-06-17\n---\n# b\n\ntext"]),
    "bibliography": (_bibliography, ["@article{a, title={b}, author={C, D and E, F}, year=2020}", "TY  - JOUR\nTI  - a\nAU  - b\nER  - \n"]),
}  # fmt: skip


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in (*TARGETS, "all"):
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(TARGETS)}|all [libFuzzer options]")
    name = sys.argv[1]
    if name == "all":
        seconds = sys.argv[2] if len(sys.argv) > 2 else "60"
        for target in TARGETS:
            run = subprocess.run([sys.executable, __file__, target, f"-max_total_time={seconds}"], capture_output=True, text=True, check=False)  # fmt: skip
            last = [x for x in run.stderr.splitlines() if x.startswith(("Done", "#"))][-1:]
            print(f"{target:14} {'held' if run.returncode == 0 else 'FOUND'}  {last[0] if last else ''}", flush=True)  # fmt: skip
            if run.returncode:
                print(run.stdout[-3000:] + run.stderr[-2000:])
        return
    target, seeds = TARGETS[name]

    def once(data):
        with suppress(KuaibaoError):
            target(data)

    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_text(seed, encoding="utf-8")
        once(seed.encode())  # what is imported at first use is not counted as a stall
    atheris.Setup([sys.argv[0], *sys.argv[2:], "-rss_limit_mb=2048", "-timeout=20", f"-artifact_prefix={corpus}/", str(corpus)], once)  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    main()
