"""Fenced blocks in a text draw themselves: the bulletin's Illustrator, joined by entry point.

```diagram Every B is an A.
domain: sets
style: tree
Set A, B
A ⊃ B
AutoLabel All
```
"""

from __future__ import annotations

import hashlib
import re

from kuaibao.diagrams.domains import DOMAINS
from kuaibao.diagrams.drawing import draw
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.layout import Settings

__all__ = ["MAX_BLOCK_CHARS", "DiagramIllustrator"]

MAX_BLOCK_CHARS = 20_000
_HEADER = re.compile(r"[ \t]*(domain|style|seed)[ \t]*:[ \t]*(.+?)[ \t]*(?:\n|$)")


class DiagramIllustrator:
    """Draws a block that names a shipped domain and goes on in its notation."""

    def illustrate(self, program: str) -> str:
        """The SVG of a block.

        Raises:
            DiagramError: No domain is named, or the block is too long.
            ProgramErrors: Everything that is wrong in the block.
            LayoutError: No picture came out of it.
        """
        if len(program) > MAX_BLOCK_CHARS:
            raise DiagramError("TooLong", f"a block has at most {MAX_BLOCK_CHARS} characters")
        head: dict[str, str] = {}
        rest = program.lstrip("\n")
        while (match := _HEADER.match(rest)) is not None:
            head[match[1]] = match[2]
            rest = rest[match.end() :]
        if "domain" not in head:
            raise DiagramError(
                "FileError",
                "the block names no domain",
                hint=f"Begin with 'domain: sets'. Known: {', '.join(DOMAINS)}.",
            )
        layout = draw(
            rest,
            domain=head["domain"],
            style=head.get("style", ""),
            seed=head.get("seed"),
            settings=Settings(time_limit_s=10),
        )
        digest = hashlib.sha256(program.encode()).hexdigest()[:8]
        return layout.svg(crop=True, prefix=f"d{digest}-")
