"""The engine from texts to pictures: compile once, lay out as often as wanted, draw."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kuaibao.diagrams.checking.domain import check_domain
from kuaibao.diagrams.checking.substance import Substance, check_substance
from kuaibao.diagrams.compiling.compiler import compile_style
from kuaibao.diagrams.errors import DiagramWarning, LayoutError
from kuaibao.diagrams.graph import Node, Scalar
from kuaibao.diagrams.language.parser import parse_domain, parse_style
from kuaibao.diagrams.language.source import Source, join_sources
from kuaibao.diagrams.layout import Evaluator, LayoutResult, Optimizer, Settings
from kuaibao.diagrams.library.boxes import bounding_box
from kuaibao.diagrams.notation import Desugared, desugar
from kuaibao.diagrams.problem import Problem, walk_shapes
from kuaibao.diagrams.rendering.concrete import numbers_in, with_numbers
from kuaibao.diagrams.rendering.cropping import crop_svg
from kuaibao.diagrams.rendering.describe import describe
from kuaibao.diagrams.rendering.images import (
    ImageFolder,
    missing_pictures,
    picture_pages,
)
from kuaibao.diagrams.rendering.pages import to_pdf, to_png
from kuaibao.diagrams.rendering.svg import SvgOptions, draw_svg
from kuaibao.diagrams.rendering.tikz import draw_tikz
from kuaibao.diagrams.trio import ProgramFiles
from kuaibao.diagrams.values import Shape
from kuaibao.files import write_bytes

__all__ = ["Layout", "Program", "compile", "compile_files", "desugar_files"]

Text = str | Sequence[tuple[str, str]]
"""A program text, or several with the names of their files."""


@dataclass
class Program:
    """A compiled program."""

    problem: Problem
    substance: Substance
    warnings: list[DiagramWarning]
    name: str = "diagram"
    variation: str = ""
    """The seed that the program asks for; empty for none."""
    images: ImageFolder = field(default_factory=ImageFolder)
    compile_ms: float = 0.0

    @functools.cached_property
    def optimizer(self) -> Optimizer:
        """The layout engine for this program; its tapes are built on first use."""
        return Optimizer(self.problem)

    @functools.cached_property
    def description(self) -> str:
        """What the Substance says, for those who cannot see the picture."""
        return describe(self.substance)

    @functools.cached_property
    def _numbers(self) -> tuple[dict[int, int], Evaluator]:
        nodes = numbers_in(self.problem.shapes)
        places = {node.index: place for place, node in enumerate(nodes)}
        return places, Evaluator(self.problem.graph, nodes)

    def layouts(
        self,
        n: int = 1,
        *,
        seed: int | str | None = None,
        settings: Settings | None = None,
        pins: Mapping[int, float] | None = None,
    ) -> list[Layout]:
        """Layouts from `n` random starts, best first.

        Args:
            n: How many.
            seed: Of the starts; the program's `variation` by default.
            settings: Limits and rules of the search.
            pins: Inputs (by number) that must keep a value.
        """
        chosen = self.variation if seed is None else seed
        results = self.optimizer.layouts(n, seed=chosen, settings=settings, pins=pins)
        return [Layout(self, result) for result in sorted(results, key=lambda one: one.rank)]

    def best(self, *, seed: int | str | None = None, settings: Settings | None = None) -> Layout:
        """One good layout: the best of a few starts, of more if none of these holds everything.

        Side by side a few starts cost little more than one, and one alone often gets stuck.
        """
        start = time.monotonic()
        best = self.layouts(FEW_STARTS, seed=seed, settings=settings)[0]
        if best.violation > VISIBLE and time.monotonic() - start < 1.0:
            best = self.layouts(MORE_STARTS, seed=seed, settings=settings)[0]
        return best

    def fill(self, result: LayoutResult) -> list[Shape]:
        """The shapes with the numbers of a layout."""
        places, evaluator = self._numbers
        row = evaluator.run(np.array(result.inputs, ndmin=2))[0].tolist() if places else []

        def number(scalar: Scalar) -> float:
            return row[places[scalar.index]] if isinstance(scalar, Node) else scalar

        return with_numbers(self.problem.shapes, number)


FEW_STARTS = 4
MORE_STARTS = 16
VISIBLE = 0.01
"""Violations below this, in pixels, nobody sees."""


@dataclass(frozen=True)
class Layout:
    """One picture of a program."""

    program: Program
    result: LayoutResult

    @property
    def energy(self) -> float:
        """The sum of the objectives of the last stage."""
        return self.result.energy

    @property
    def violation(self) -> float:
        """The largest positive constraint value of the last stage."""
        return self.result.violation

    @property
    def steps(self) -> int:
        """Steps of the optimiser over all stages."""
        return self.result.steps

    @functools.cached_property
    def shapes(self) -> list[Shape]:
        """The shapes in draw order with their numbers."""
        return self.program.fill(self.result)

    def check(self) -> None:
        """Refuse a layout that is no picture.

        Raises:
            LayoutError: `NaNError`: numbers that are not finite, and the terms they came from.
        """
        if self.result.status == "nan":
            raise LayoutError(
                "NaNError",
                "the layout ran into numbers that are not finite",
                hint="; ".join(self.result.blame[:3]),
            )

    def svg(
        self, *, title: str = "", prefix: str = "d-", tex_labels: bool = False, crop: bool = False
    ) -> str:
        """The picture as SVG text that needs nothing else.

        Args:
            title: By default the program's name.
            prefix: Begins every id, so that several diagrams can stand in one page.
            tex_labels: Write formulas as `$...$` instead of outlines.
            crop: Cut the canvas to what is drawn, with a margin.
        """
        program = self.program
        options = SvgOptions(
            title=title or program.name,
            description=program.description,
            prefix=prefix,
            images=program.images,
            tex_labels=tex_labels,
            cropped=self._cropped(),
        )
        svg = draw_svg(self.shapes, program.problem.canvas, options)
        return crop_svg(svg) if crop else svg

    def _cropped(self) -> tuple[float, float, float, float] | None:
        boxes = [bounding_box(shape) for shape in self.shapes]
        if not boxes:
            return None
        canvas = self.program.problem.canvas
        left, right = (min(_floats(b.left for b in boxes)), max(_floats(b.right for b in boxes)))
        bottom, top = (min(_floats(b.bottom for b in boxes)), max(_floats(b.top for b in boxes)))
        return canvas.width / 2 + left, canvas.height / 2 - top, right - left, top - bottom

    def pdf(self) -> bytes:
        """The picture as a PDF page."""
        canvas, program = self.program.problem.canvas, self.program
        return to_pdf(self.svg(), canvas, title=program.name, alt=program.description)

    def png(self, *, scale: float = 2.0) -> bytes:
        """The picture in pixels, `scale` to each of the canvas."""
        return to_png(self.svg(), self.program.problem.canvas, scale=scale)

    def tikz(self, folder: Path | None = None, *, stem: str = "") -> str:
        """The picture for LaTeX, formulas and texts set there.

        Args:
            folder: Where the pictures of Image shapes are written as PDF, to be included; without
                one they are drawn as empty frames.
            stem: Begins the names of these files; by default the program's name.
        """
        canvas = self.program.problem.canvas
        if folder is None:
            return draw_tikz(self.shapes, canvas)
        names: dict[str, str] = {}
        for name, svg, size in picture_pages(walk_shapes(self.shapes), self.program.images):
            names[name] = f"{stem or self.program.name}-image-{len(names) + 1}.pdf"
            write_bytes(folder / names[name], to_pdf(svg, size, title=name))
        return draw_tikz(self.shapes, canvas, names)

    def _repr_svg_(self) -> str:
        return self.svg()


def _floats(scalars: object) -> list[float]:
    return [one for one in scalars if isinstance(one, float)] or [0.0]  # type: ignore[attr-defined]


def compile(substance: Text, style: Text, domain: Text, *, name: str = "diagram",
            variation: str = "", folders: Sequence[Path] = (),
            excluded_warnings: Sequence[str] = (),
            fetch: Callable[[str], bytes] | None = None) -> Program:  # fmt: skip
    """Compile a program.

    Args:
        substance: What is true.
        style: How it is drawn; several texts are joined in order.
        domain: The words in which it is said.
        name: The picture's title.
        variation: Seed of the layouts, unless one is given then.
        folders: Where the pictures of Image shapes are.
        excluded_warnings: Tags of warnings to leave out.
        fetch: Gets the bytes of a picture on the web; without it such a picture is left out.

    Raises:
        ProgramErrors: Everything that is wrong, with places.
    """
    start = time.perf_counter()
    domain_tree = parse_domain(_source("Domain", domain))
    checked_domain = check_domain(domain_tree)
    plain = desugar(_source("Substance", substance), domain_tree, checked_domain)
    checked = check_substance(plain.program, checked_domain)
    tree = parse_style(_source("Style", style))
    problem, warnings = compile_style(tree, checked, checked_domain, variation)
    images = ImageFolder(*folders, fetch=fetch)
    missing = missing_pictures(walk_shapes(problem.shapes), images)
    warnings = [*warnings, *(DiagramWarning("ImageWarning", sentence) for sentence in missing)]
    return Program(
        problem,
        checked,
        [one for one in warnings if one.tag not in excluded_warnings],
        name,
        variation,
        images,
        1e3 * (time.perf_counter() - start),
    )


def compile_files(files: ProgramFiles, *, fetch: Callable[[str], bytes] | None = None) -> Program:
    """Compile a program from its files.

    Args:
        files: Texts, names and settings.
        fetch: Gets the bytes of a picture on the web; without it such a picture is left out.

    Raises:
        ProgramErrors: Everything that is wrong, with places.
    """
    return compile(
        [files.substance],
        files.style,
        [files.domain],
        name=files.name,
        variation=files.variation,
        folders=files.folders,
        excluded_warnings=files.excluded_warnings,
        fetch=fetch,
    )


def desugar_files(files: ProgramFiles) -> tuple[str, str]:
    """A program without notation, so that Penrose reads it.

    Returns:
        The Substance in plain statements, and the Domain without its notations.

    Raises:
        ProgramErrors: Everything that is wrong in Domain and notation, with places.
    """
    domain = parse_domain(_source("Domain", [files.domain]))
    plain: Desugared = desugar(
        _source("Substance", [files.substance]), domain, check_domain(domain)
    )
    lines = files.domain[1].splitlines(keepends=True)
    kept = [line for line in lines if not re.match(r"\s*notation\s*\"", line)]
    return plain.text, "".join(kept)


def _source(language: str, given: Text) -> Source:
    named = [(language, given)] if isinstance(given, str) else list(given)
    return join_sources(language, named)
