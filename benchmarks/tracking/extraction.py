"""Claim: what a page holds is found at least as well as by trafilatura alone, and its fields better.

A labelled set of pages of ten kinds made by templates of our own (`labelled_pages.py`), every second
one without metadata. Templates are regular and we know them: the figures compare readers on the
same pages, they do not say how any of them fares on the web.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from statistics import mean

import trafilatura
from labelled_pages import labelled_pages

from kuaibao.bulletin.reading.pages.reader import read_page
from kuaibao.bulletin.sources.markup import plain_text

TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
FIELDS = ("title", "authors", "date", "language", "site")


def f1(found, expected):
    """Of tokens as a multiset: Latin words and single Han characters."""
    a, b = Counter(TOKEN.findall(found.lower())), Counter(TOKEN.findall(expected.lower()))
    shared = (a & b).total()
    return 2 * shared / (a.total() + b.total()) if shared else 0.0


def ours(page):
    got = read_page(page.html.encode(), page.url).to_json()
    return got["text"], {**got, "authors": tuple(got["authors"])}


def peer(page):
    got = trafilatura.bare_extraction(
        page.html, url=page.url, include_comments=False, include_tables=True, with_metadata=True
    )
    if got is None:
        return "", dict.fromkeys(FIELDS)
    authors = tuple(got.author.split("; ")) if got.author else ()
    return got.text or "", {"title": got.title, "authors": authors, "date": got.date,
                            "language": got.language, "site": got.sitename}  # fmt: skip


def all_text(page):
    return plain_text(page.html), dict.fromkeys(FIELDS)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one page of each kind")
    parser.add_argument("--show", action="store_true", help="what we got wrong, page by page")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    pages = labelled_pages(1 if args.small else 6)
    readers = {"kuaibao": ours, "trafilatura": peer, "all text": all_text}
    scores = {name: defaultdict(list) for name in readers}
    for page in pages:
        for name, read in readers.items():
            text, fields = read(page)
            score = f1(text, page.text)
            scores[name]["text"].append(score)
            scores[name][page.kind].append(score)
            for field in FIELDS:
                expected = getattr(page, field)
                is_right = fields[field] == expected or not (fields[field] or expected)
                scores[name][field].append(float(is_right))
                if args.show and name == "kuaibao" and not is_right:
                    print(f"{page.kind}: {field} {fields[field]!r}, expected {expected!r}")
            if args.show and name == "kuaibao" and score < 0.97:
                print(
                    f"{page.kind}: F1 {score:.3f}\n--- found\n{text}\n--- expected\n{page.text}\n"
                )
    kinds = list(dict.fromkeys(page.kind for page in pages))
    table = {n: {k: round(mean(s[k]), 3) for k in ("text", *kinds, *FIELDS)} for n, s in scores.items()}  # fmt: skip
    if args.json:
        print(json.dumps({"pages": len(pages), "trafilatura": trafilatura.__version__, **table}))
        return
    print(f"{len(pages)} pages, trafilatura {trafilatura.__version__}")
    print(f"{'':20}" + "".join(f"{name:>13}" for name in readers))
    for row in ("text", *kinds, *FIELDS):
        label = "token F1, all" if row == "text" else f"  {row}" if row in kinds else f"{row} right"
        print(f"{label:20}" + "".join(f"{table[name][row]:13.3f}" for name in readers))


if __name__ == "__main__":
    main()
