"""PDF and PNG of a diagram: the SVG set on a page of its size by typst."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from kuaibao.diagrams.errors import LayoutError
from kuaibao.diagrams.library.context import Canvas

__all__ = ["to_pdf", "to_png"]

_PAGE = """#set page(width: {width}pt, height: {height}pt, margin: 0pt, fill: none)
#set document(title: {title})
#image("diagram.svg", width: 100%, height: 100%, alt: {alt})
"""


def to_pdf(svg: str, canvas: Canvas, *, title: str = "Diagram", alt: str = "") -> bytes:
    """One page of the canvas's size (a pixel is 0.75 pt), text kept as text.

    Raises:
        LayoutError: The SVG could not be set.
    """
    return _typeset(svg, canvas, title, alt, format="pdf")


def to_png(svg: str, canvas: Canvas, *, scale: float = 2.0) -> bytes:
    """A picture of `scale` pixels to each of the canvas.

    Raises:
        LayoutError: The SVG could not be set.
    """
    return _typeset(svg, canvas, "Diagram", "", format="png", ppi=96.0 * scale)


def _typeset(svg: str, canvas: Canvas, title: str, alt: str, **options: Any) -> bytes:
    import typst

    page = _PAGE.format(
        width=canvas.width * 0.75, height=canvas.height * 0.75, title=_quoted(title),
        alt=_quoted(alt),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="kuaibao-") as folder:
        Path(folder, "diagram.svg").write_text(svg, encoding="utf-8")
        main = os.path.join(folder, "main.typ")
        Path(main).write_text(page, encoding="utf-8")
        try:
            made: Any = typst.compile(main, root=folder, **options)
        except RuntimeError as error:
            raise LayoutError("Fatal", f"typst could not set the diagram: {error}") from error
    return bytes(made[0] if isinstance(made, list) else made)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
