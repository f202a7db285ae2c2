"""Writes the glyph sizes that texts in diagrams are measured by, from TrueType files.

    python scripts/font_metrics.py FOLDER_WITH_DEJAVU

Layouts must not depend on the fonts of a machine, so the package carries these numbers (no glyphs)
of a free family, DejaVu. Needs fontTools.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

FACES = {
    "sans": "DejaVuSans.ttf",
    "sans_bold": "DejaVuSans-Bold.ttf",
    "serif": "DejaVuSerif.ttf",
    "serif_bold": "DejaVuSerif-Bold.ttf",
    "mono": "DejaVuSansMono.ttf",
}
RANGES = [(0x20, 0x24F), (0x370, 0x4FF), (0x1E00, 0x1EFF), (0x2010, 0x2057), (0x2070, 0x20BF),
          (0x2100, 0x23FF), (0x2500, 0x26FF), (0x27E6, 0x27EF), (0x2A00, 0x2AFF)]  # fmt: skip
TARGET = Path(__file__).parents[1] / "src/kuaibao/diagrams/rendering/font_metrics.json"


def main(folder: Path) -> None:
    """One JSON object: face to character to [advance, left, right, top, bottom] in 1/1000 em."""
    table: dict[str, dict[str, list[int]]] = {}
    for face, name in FACES.items():
        font: Any = TTFont(folder / name)
        glyphs, cmap, advances = font["glyf"], font.getBestCmap(), font["hmtx"]
        scale = 1000 / font["head"].unitsPerEm
        rows: dict[str, list[int]] = {}
        for low, high in RANGES:
            for code in range(low, high + 1):
                if code not in cmap:
                    continue
                glyph = glyphs[cmap[code]]
                box = (0, 0, 0, 0)
                if glyph.numberOfContours:
                    box = (glyph.xMin, glyph.xMax, glyph.yMax, glyph.yMin)
                advance = advances[cmap[code]][0]
                rows[chr(code)] = [round(scale * x) for x in (advance, *box)]
        table[face] = rows
    lines = [
        f"{json.dumps(face)}: {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))}"
        for face, rows in table.items()
    ]
    TARGET.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
