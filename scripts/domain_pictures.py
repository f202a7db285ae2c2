"""Draw the pictures of docs/diagrams-domains.md: one program of each shipped domain.

Run it after a change of a Style: `python scripts/domain_pictures.py`.
"""

from __future__ import annotations

from pathlib import Path

from kuaibao.diagrams import compile_files, read_trio

ROOT = Path(__file__).parents[1]
PROGRAMS = {
    "sets": "union-in-a-set",
    "functions": "composition",
    "linear_algebra": "sum",
    "geometry": "thales",
    "graphs": "shortest-path",
    "trees": "sentence",
    "categories": "pullback",
    "probability": "topics",
    "neural": "attention-block",
    "plots": "parabola-and-line",
}


def main() -> None:
    """Write all pictures."""
    folder = ROOT / "docs" / "pictures" / "diagrams"
    folder.mkdir(parents=True, exist_ok=True)
    for domain, name in PROGRAMS.items():
        path = ROOT / "examples" / "diagrams" / domain / f"{name}.trio.json"
        layout = compile_files(read_trio(path)).layouts(16)[0]
        picture = layout.svg(crop=True)
        (folder / f"{domain}.svg").write_text(picture, encoding="utf-8")
        print(f"{domain}: {len(picture) / 1000:.0f} kB, violation {layout.violation:.2g}")


if __name__ == "__main__":
    main()
