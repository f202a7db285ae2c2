"""A picture cut to what is drawn, with a margin."""

from __future__ import annotations

import re

__all__ = ["crop_svg"]

_BOX = re.compile(r"<croppedViewBox[^>]*>([-\d.e+ ]+)</croppedViewBox>")
_VIEW = re.compile(r'viewBox="0 0 ([\d.e+-]+) ([\d.e+-]+)"')


def crop_svg(svg: str, *, margin: float = 10.0) -> str:
    """The SVG of a layout with a viewBox around its shapes, never beyond the canvas."""
    box, view = _BOX.search(svg), _VIEW.search(svg)
    if box is None or view is None:
        return svg
    left, top, width, height = map(float, box[1].split())
    right, bottom = float(view[1]), float(view[2])
    x0, y0 = max(0.0, left - margin), max(0.0, top - margin)
    x1, y1 = min(right, left + width + margin), min(bottom, top + height + margin)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return svg
    shown = f'viewBox="{x0:.6g} {y0:.6g} {x1 - x0:.6g} {y1 - y0:.6g}"'
    return svg[: view.start()] + shown + svg[view.end() :]
