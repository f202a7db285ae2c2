"""Measure the base install and write the table of docs/dependencies.md between its marks.

    python -m venv base && base/bin/pip install -c constraints.txt .
    base/bin/python scripts/dependencies.py docs/dependencies.md

Run it by the Python of a virtual environment that holds the base install alone. Sizes are those of
the files that pip recorded, bytecode included, in units of 10^6 bytes.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

BEGIN, END = "<!-- sizes: begin -->", "<!-- sizes: end -->"
NOT_OURS = {"pip", "setuptools", "kuaibao"}

REASONS = {
    "aiosmtplib": "sends mail, with one connection for many letters",
    "bibtexparser": "reads BibTeX as people write it",
    "charset-normalizer": "guesses the charset of feeds that don't tell it",
    "css-inline": "mail readers ignore style sheets: styles are inlined",
    "feedparser": "the tolerant parser behind our fast one",
    "httpx2": "HTTP/1.1 client under the guarded fetcher",
    "icalendar": "reads and writes conference calendars",
    "jinja2": "templates of pages, e-books and mail, escaped by default",
    "lark": "grammars of the three diagram languages",
    "lxml": "fast feeds, OPML, checks of SVG and EPUB",
    "markdown-it-py": "Markdown of notes and folders",
    "nh3": "makes markup from outside harmless",
    "numba": "compiles the layout machine of diagrams, and palettes",
    "numpy": "arrays of diagrams and ranking",
    "opencc": "folds traditional and simplified characters in search",
    "platformdirs": "where caches lie on each system",
    "protego": "reads robots.txt",
    "publicsuffixlist": "politeness is kept by registrable domain",
    "py3langid": "tells languages apart, offline",
    "pydantic": "checks what programs and people hand in, with the place of a fault",
    "pypdfium2": "text of PDFs",
    "pyyaml": "front matter, calls for papers in YAML",
    "rensa": "MinHash for near-duplicates",
    "rich": "progress and tables in the terminal",
    "rjieba": "Chinese words",
    "selectolax": "fast HTML trees",
    "sqlalchemy": "one set of statements for SQLite and PostgreSQL",
    "syntok": "ends of English and German sentences",
    "trafilatura": "the article of a page without what stands around it",
    "typer": "the command line",
    "typst": "PDF of issues and diagrams, fonts and formulas included",
    "ziamath": "TeX formulas in diagrams without a browser",
}


def size_mb(distribution: importlib.metadata.Distribution) -> float:
    """Files of a distribution in 10^6 bytes."""
    files = (Path(str(distribution.locate_file(f))) for f in distribution.files or [])
    return sum(f.stat().st_size for f in files if f.is_file()) / 1e6


def normal(name: str) -> str:
    """A project's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Measure, and replace what stands between the marks."""
    sizes = {normal(d.name): size_mb(d) for d in importlib.metadata.distributions()}
    ours = {name: mb for name, mb in sizes.items() if name not in NOT_OURS}
    rows = ["| package | MB | reason |", "|---|---|---|"]
    for name in sorted(REASONS, key=lambda n: -ours.get(n, 0.0)):
        rows.append(f"| {name} | {ours.get(name, 0.0):.1f} | {REASONS[name]} |")
    brought = {name: mb for name, mb in ours.items() if name not in REASONS}
    largest = sorted(brought.items(), key=lambda pair: -pair[1])
    named = ", ".join(f"{name} {mb:.1f}" for name, mb in largest if mb >= 1.0)
    rows.append(f"| brought along by these ({len(brought)} packages) | {sum(brought.values()):.1f} "
                f"| {named}; the rest below 1 MB each |")  # fmt: skip
    total = sum(ours.values())
    rows.append(f"| **in all** | **{total:.0f}** ({total * 1e6 / 2**20:.0f} MiB) | |")
    page = Path(sys.argv[1])
    text = page.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    page.write_text(f"{head}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
