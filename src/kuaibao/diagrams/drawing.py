"""Drawing in one call: what is true, and the name of a shipped domain."""

from __future__ import annotations

from collections.abc import Sequence

from kuaibao.diagrams.domains import shipped_domain
from kuaibao.diagrams.layout import Settings
from kuaibao.diagrams.program import Layout, Program, compile
from kuaibao.diagrams.trio import read_files

__all__ = ["compile_with", "draw"]


def compile_with(
    substance: str, *, domain: str, style: str | Sequence[str] = "", name: str = "diagram",
    variation: str = "",
) -> Program:  # fmt: skip
    """Compile a Substance text with a shipped domain or with texts of one's own.

    Args:
        substance: What is true, plain or in the domain's notation.
        domain: The name of a shipped domain (`sets`), or a Domain text.
        style: The name of one of its Styles (the usual one by default), or Style texts; with a
            Domain text the Style must be given too.
        name: The picture's title.
        variation: Seed of the layouts, unless one is given then.

    Raises:
        ProgramErrors: Everything that is wrong, with places.
        DiagramError: `FileError`: no such domain or Style.
    """
    given = [style] if isinstance(style, str) else list(style)
    is_name = "\n" not in domain and " " not in domain.strip()
    if not is_name:
        return compile(
            substance, [("Style", one) for one in given], domain, name=name, variation=variation
        )
    shipped = shipped_domain(domain.strip())
    named = [one for one in given if "\n" not in one and "{" not in one]
    texts = [("Style", one) for one in given if one not in named]
    paths = [shipped.style_path(one) for one in named or ("",)]
    files = read_files(shipped.path, paths, shipped.path)
    return compile(
        [("Substance", substance)],
        [*files.style, *texts],
        [files.domain],
        name=name,
        variation=variation,
        folders=files.folders,
    )


def draw(
    substance: str, *, domain: str, style: str | Sequence[str] = "", seed: int | str | None = None,
    candidates: int = 8, settings: Settings | None = None, name: str = "diagram",
) -> Layout:  # fmt: skip
    """The best of several layouts of a Substance text; a notebook shows it by itself.

    Args:
        substance: What is true, plain or in the domain's notation.
        domain: The name of a shipped domain, or a Domain text.
        style: The name of one of its Styles, or Style texts.
        seed: Of the layouts.
        candidates: Layouts tried; the best is given.
        settings: Limits and rules of the search.
        name: The picture's title.

    Raises:
        ProgramErrors: Everything that is wrong in the program, with places.
        LayoutError: `NaNError`: no start gave finite numbers.
    """
    program = compile_with(substance, domain=domain, style=style, name=name)
    best = program.layouts(candidates, seed=seed, settings=settings)[0]
    best.check()
    return best
