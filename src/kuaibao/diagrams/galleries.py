"""Many layouts of one program: ranked, made diverse, shown side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from kuaibao.diagrams.layout import Settings
from kuaibao.diagrams.library.boxes import bounding_box
from kuaibao.diagrams.problem import walk_shapes
from kuaibao.diagrams.program import Layout, Program
from kuaibao.diagrams.rendering.cropping import crop_svg

if TYPE_CHECKING:
    from kuaibao.diagrams.widget import GalleryWidget

__all__ = ["Gallery", "gallery"]

SAME = 0.02
"""Layouts whose shapes lie this near to one another, as a share of the canvas, look the same."""

_VIEW = re.compile(r'<svg[^>]*?viewBox="([^"]*)"[^>]*>')


@dataclass(frozen=True)
class Gallery:
    """Layouts worth choosing from, the best first."""

    program: Program
    layouts: tuple[Layout, ...]
    n_tried: int
    """How many were laid out; the others looked like one that is shown."""

    def svg(self, *, n_column: int = 4, cell: float = 240.0) -> str:
        """All layouts on one sheet, each with its number."""
        n_column = max(1, min(n_column, len(self.layouts)))
        n_row = -(-len(self.layouts) // n_column)
        height = cell * 0.75 + 22
        parts = [
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {n_column * cell:g} {n_row * height:g}" role="img">',
            f"<title>{escape(self.program.name)}: {len(self.layouts)} layouts</title>",
        ]
        for number, layout in enumerate(self.layouts):
            x, y = number % n_column * cell, number // n_column * height
            inner = _inner(layout.svg(prefix=f"g{number}-"), x + 6, y + 4, cell - 12, cell * 0.75)
            parts.append(inner)
            caption = f"{number + 1} · {_judged(layout)}"
            parts.append(
                f'<text x="{x + cell / 2:g}" y="{y + height - 6:g}" text-anchor="middle" '
                f'font-family="sans-serif" font-size="11" fill="#667">{escape(caption)}</text>'
            )
        return "\n".join([*parts, "</svg>\n"])

    def html(self, *, title: str = "") -> str:
        """A page of its own with all layouts; a click or the space bar makes one large."""
        name = escape(title or self.program.name)
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            "<style>body{font:15px system-ui,sans-serif;margin:1.5rem;color:#223}</style>"
            f"<h1>{name}</h1>{self._repr_html_()}</html>\n"
        )

    def widget(self) -> GalleryWidget:
        """The gallery for a notebook: pick a layout, drag its shapes.

        Raises:
            MissingExtraError: The extra `notebook` is not installed.
        """
        from kuaibao.diagrams.widget import GalleryWidget

        return GalleryWidget(self)

    def _repr_html_(self) -> str:
        cards = "".join(
            '<label class="k-card"><input type="checkbox" aria-label="layout '
            f'{number}">{crop_svg(layout.svg(prefix=f"h{number}-"))}'
            f"<span>{number} · {escape(_judged(layout))}</span></label>"
            for number, layout in enumerate(self.layouts, 1)
        )
        return f"<style>{_CSS}</style><div class='k-gallery'>{cards}</div>"


_CSS = (
    ".k-gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.8rem}"
    ".k-card{border:1px solid #d5d9e0;border-radius:.5rem;padding:.5rem;background:#fff;"
    "cursor:zoom-in;display:block;text-align:center;color:#667;font-size:.8rem}"
    ".k-card:has(:focus-visible){outline:2px solid #2f6ea5}"
    ".k-card input{position:absolute;opacity:0}.k-card svg{width:100%;height:12rem;display:block}"
    ".k-card:has(:checked){grid-column:1/-1;cursor:zoom-out}"
    ".k-card:has(:checked) svg{height:75vh}"
)


def gallery(
    program: Program,
    n: int = 16,
    *,
    seed: int | str | None = None,
    most: int = 0,
    settings: Settings | None = None,
    pins: Mapping[int, float] | None = None,
) -> Gallery:
    """Lay out `n` candidates together and keep those that differ.

    Ranked by violations, then energy; a layout that nearly equals a better one falls out, and so
    does one that ran into numbers that are not finite.

    Args:
        program: Compiled.
        n: Layouts to try.
        seed: Of the starts; the program's `variation` by default.
        most: Layouts to keep at most; 0 keeps all that differ.
        settings: Limits and rules of the search.
        pins: Inputs (by number) that must keep a value.
    """
    ranked = program.layouts(n, seed=seed, settings=settings, pins=pins)
    sound = [layout for layout in ranked if layout.result.status != "nan"] or ranked[:1]
    canvas = program.problem.canvas
    near = SAME * max(canvas.width, canvas.height)
    kept: list[Layout] = []
    places: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = []
    for layout in sound:
        place = _places(layout)
        if all(np.abs(place - other).max(initial=0.0) > near for other in places):
            kept.append(layout)
            places.append(place)
            if most and len(kept) >= most:
                break
    return Gallery(program, tuple(kept), n)


def _places(layout: Layout) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The corners of all shapes' boxes: what the eye compares."""
    boxes = [bounding_box(shape) for shape in walk_shapes(layout.shapes)]
    corners = [(box.left, box.bottom, box.right, box.top) for box in boxes]
    return np.nan_to_num(np.array(corners, dtype=np.float64).reshape(-1))


def _judged(layout: Layout) -> str:
    violation = layout.violation
    held = "all constraints hold" if violation < 0.1 else f"violated by {violation:.3g}"
    return f"{held}, energy {layout.energy:.4g}"


def _inner(svg: str, x: float, y: float, width: float, height: float) -> str:
    """A picture as a part of another."""
    match = _VIEW.search(crop_svg(svg))
    assert match is not None
    head = f'<svg x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" viewBox="{match[1]}">'
    return head + crop_svg(svg)[match.end() :].strip()
