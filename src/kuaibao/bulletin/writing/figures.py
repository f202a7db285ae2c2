"""Fenced blocks in a person's text that an installed illustrator draws."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kuaibao.bulletin.model import Figure
from kuaibao.bulletin.writing.protocols import find_illustrator
from kuaibao.errors import KuaibaoError

__all__ = ["Drawn", "draw_figures"]

_FENCE = re.compile(r"(?m)^(`{3,}|~{3,})[ \t]*([\w-]+)([^\n]*)\n(.*?)^\1[ \t]*$", re.DOTALL)
MAX_FIGURES = 20


@dataclass(frozen=True)
class Drawn:
    """The figures of a text, and what could not be drawn."""

    figures: tuple[Figure, ...]
    notices: tuple[str, ...]


def draw_figures(markdown: str) -> Drawn:
    """Draw every fenced block whose language an illustrator is installed for.

    What stands after the language is the caption. A block that can't be drawn stays as it is.
    """
    figures: list[Figure] = []
    notices: list[str] = []
    for match in list(_FENCE.finditer(markdown))[:MAX_FIGURES]:
        language, caption, program = match[2], match[3].strip(), match[4]
        try:
            illustrator = find_illustrator(language)
            if illustrator is None:
                continue
            svg = illustrator.illustrate(program)
        except (KuaibaoError, ValueError, RecursionError) as error:
            notices.append(f"a {language} block was not drawn: {error}")
            continue
        figures.append(
            Figure(svg=svg, alt=caption, caption=caption, source="Kuaibao", replaces=program)
        )
    return Drawn(tuple(figures), tuple(notices))
