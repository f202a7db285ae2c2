"""Style over a Substance: fields, then values after what they depend on, then a problem."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kuaibao.diagrams.checking.domain import Domain
from kuaibao.diagrams.checking.findings import Findings, loop_text
from kuaibao.diagrams.checking.substance import Substance
from kuaibao.diagrams.compiling.evaluation import Evaluator, stages_of
from kuaibao.diagrams.compiling.fields import Fields, ShapeSource, Source, gather_fields
from kuaibao.diagrams.compiling.ordering import arrange
from kuaibao.diagrams.compiling.paths import (
    CollectionTarget,
    CompileProblem,
    FieldTarget,
    locate,
    paths_in,
)
from kuaibao.diagrams.compiling.shapes import (
    MEASURED,
    TEXT_PROPERTIES,
    fit_property,
    measure,
    pass_through,
)
from kuaibao.diagrams.errors import DiagramWarning
from kuaibao.diagrams.graph import Graph, Node, Scalar
from kuaibao.diagrams.language import style_tree as tree
from kuaibao.diagrams.language.source import Span
from kuaibao.diagrams.library import LIBRARY, Argument, Canvas, Context, evaluate, make_defaults
from kuaibao.diagrams.problem import Problem, Term
from kuaibao.diagrams.values import BoolV, FloatV, Shape, StrV, Value

__all__ = ["MAX_NODES", "compile_style"]

MAX_NODES = 8_000_000
"""Nodes of the scalar graph; the largest known program has about 110,000."""
_WITH_TEXT = frozenset(("Text", "Equation"))


def compile_style(
    program: tree.StyleProgram, substance: Substance, domain: Domain, seed: int | str = 0
) -> tuple[Problem, list[DiagramWarning]]:
    """The layout problem of a Style program for a Substance program, and all warnings.

    Args:
        program: The parsed Style.
        substance: The checked Substance.
        domain: The checked Domain.
        seed: Of the start values and random constants.

    Raises:
        ProgramErrors: Everything that is wrong with the Style.
    """
    findings = Findings(program.source)
    stages = _stages(program, findings)
    fields = gather_fields(program, domain, substance, findings)
    findings.raise_if_any()
    canvas = _canvas(program, fields, findings)
    findings.raise_if_any()
    compiler = _Compiler(fields, canvas, stages, findings, seed)
    compiler.run()
    findings.raise_if_any()
    problem, warnings = compiler.problem()
    return problem, [*findings.warnings, *warnings]


def _stages(program: tree.StyleProgram, findings: Findings) -> tuple[str, ...]:
    for extra in program.layouts[1:]:
        findings.error(
            "MultipleLayoutError", "the layout stages are declared a second time", extra.span
        )
    if not program.layouts:
        return ("",)
    return tuple(dict.fromkeys(name.text for name in program.layouts[0].stages))


def _canvas(program: tree.StyleProgram, fields: Fields, findings: Findings) -> Canvas:
    sizes: dict[str, float] = {}
    found = fields.namespaces.get("canvas", {})
    last = Span(max(len(program.source.text.rstrip()) - 1, 0), len(program.source.text))
    for name in ("width", "height"):
        source = found.get(name)
        if source is None:
            findings.error(
                "CanvasNonexistentDimsError",
                f"the canvas has no {name}",
                Span(last.start, last.start + len(name)),
                hint="Add to the Style: canvas { width = 800 ⏎ height = 700 }",
            )
        elif isinstance(source, Source) and isinstance(source.value, tree.Number):
            sizes[name] = source.value.value
            if not 0 < sizes[name] <= 1e6:
                findings.error(
                    "CanvasNonexistentDimsError",
                    f"the canvas {name} must be between 0 and 1,000,000 pixels",
                    source.value.span,
                )
        else:
            span = source.span if isinstance(source, ShapeSource) else source.value.span
            findings.error(
                "CanvasNonexistentDimsError", f"the canvas {name} must be a number literal", span
            )
    return Canvas(sizes.get("width", 800.0), sizes.get("height", 700.0))


@dataclass(slots=True)
class _Measuring:
    """The virtual node that measures a Text or Equation once its strings are known."""

    shape: ShapeSource


_Work = Source | ShapeSource | _Measuring


@dataclass
class _Result:
    objectives: list[Term] = field(default_factory=list[Term])
    constraints: list[Term] = field(default_factory=list[Term])
    layering: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class _Compiler:
    def __init__(
        self,
        fields: Fields,
        canvas: Canvas,
        stages: Sequence[str],
        findings: Findings,
        seed: int | str,
    ) -> None:
        self.fields = fields
        self.findings = findings
        self.stages = tuple(stages)
        self.context = Context(Graph(), canvas, random.Random(seed), warn=self._approximated)
        self.evaluator = Evaluator(self.context, stages, self._lookup, self._names_in)
        self.values: dict[str, Argument] = {}
        self.defaults: dict[str, dict[str, Value]] = {}
        self.failed: set[str] = set()
        self.result = _Result()
        self.span = Span(-1, -1)
        self.work: dict[str, _Work] = {}
        self._paths: dict[int, list[tree.Path | tree.ListOf]] = {}

    def run(self) -> None:
        """Evaluate every field, each after what it depends on."""
        for key, source in self.fields.items():
            self.work[key] = source
            if isinstance(source, ShapeSource):
                self.defaults[key] = make_defaults(source.kind, self.context)
                for name, expression in source.properties.items():
                    self.work[f"{key}.{name}"] = expression
                if source.kind in _WITH_TEXT:
                    self.work[f"{key}.$measure"] = _Measuring(source)
        for key in self._sorted():
            self._do(key)
            if len(self.context.graph) > MAX_NODES:
                self.findings.error(
                    "TooLarge",
                    f"the program needs more than {MAX_NODES} nodes; {key} went over",
                    self.span,
                )
                return

    # Order.

    def _sorted(self) -> Iterator[str]:
        """Keys after those that they depend on; a cycle is named once and broken."""
        done: set[str] = set()
        for start in list(self.work):
            if start in done:
                continue
            path = {start: None}
            stack = [(start, iter(self._dependencies(start)))]
            while stack:
                key, rest = stack[-1]
                following = next(rest, None)
                if following is None:
                    stack.pop()
                    del path[key]
                    done.add(key)
                    yield key
                elif following in path:
                    self._cycle([*path], following)
                elif following not in done:
                    path[following] = None
                    stack.append((following, iter(self._dependencies(following))))

    def _cycle(self, path: list[str], again: str) -> None:
        loop = [*path[path.index(again) :], again]
        if not self.failed.isdisjoint(loop):
            return
        self.failed.update(loop)
        source = next((s for key in loop if isinstance(s := self.work[key], Source)), None)
        self.findings.error(
            "CyclicAssignmentError",
            f"these fields depend on each other in a circle: {loop_text(loop, ' <- ')}",
            source.value.span if source else Span(-1, -1),
        )

    def _dependencies(self, key: str) -> list[str]:
        source = self.work[key]
        if isinstance(source, ShapeSource):
            found = [f"{key}.{name}" for name in source.properties]
            return [*found, f"{key}.$measure"] if source.kind in _WITH_TEXT else found
        if isinstance(source, _Measuring):
            stem = key.removesuffix(".$measure")
            return [f"{stem}.{name}" for name in TEXT_PROPERTIES if name in source.shape.properties]
        paths = self._paths.get(id(source.value))
        if paths is None:
            paths = self._paths[id(source.value)] = list(paths_in(source.value))
        found = []
        for path in paths:
            found.extend(key for key in self._keys(path, source) if key in self.work)
        return found

    def _keys(self, path: tree.Path | tree.ListOf, source: Source) -> list[str]:
        try:
            if isinstance(path, tree.ListOf):
                target = locate(path.collection, source.frame)
                if not isinstance(target, CollectionTarget):
                    return []
                return [f"`{name}`.{path.field.text}" for name in target.collection.objects]
            target = locate(path, source.frame)
        except CompileProblem:
            return []
        if not isinstance(target, FieldTarget):
            return []
        if target.part in MEASURED:
            return [target.key, f"{target.scope}.{target.field}.$measure"]
        return [target.key]

    # Evaluation.

    def _do(self, key: str) -> None:
        if key in self.failed:
            return
        source = self.work[key]
        try:
            self._evaluate(key, source)
        except CompileProblem as problem:
            self.failed.add(key)
            if problem.tag:
                self.findings.error(
                    problem.tag, problem.message, problem.span, word=problem.word,
                    known=problem.known, hint=problem.hint,
                )  # fmt: skip
        except RecursionError:
            self.failed.add(key)
            self.findings.error("TooDeep", "this expression is nested too deep", self.span)

    def _evaluate(self, key: str, source: _Work) -> None:
        match source:
            case ShapeSource():
                self.values[key] = self._shape(key, source)
            case _Measuring():
                self._measure(key.removesuffix(".$measure"), source.shape)
            case Source(tree.Term() as term, _):
                self.span = term.span
                self._term(term, source)
            case Source(tree.Layering() as layering, _):
                self._layer(layering, source)
            case Source(value, frame):
                self.span = value.span
                self.values[key] = self.evaluator.evaluate(value, frame)

    def _lookup(self, target: FieldTarget) -> Argument | None:
        key = target.key
        if key in self.failed:
            raise CompileProblem("")
        found = self.values.get(key)
        if found is not None or not target.part:
            return found
        stem = f"{target.scope}.{target.field}"
        if target.part in MEASURED and f"{stem}.$measure" in self.failed:
            raise CompileProblem("")
        return self.defaults.get(stem, {}).get(target.part)

    def _names_in(self, target: FieldTarget) -> tuple[str, ...]:
        if target.part:
            stem = f"{target.scope}.{target.field}"
            shape = self.work.get(stem)
            own = tuple(shape.properties) if isinstance(shape, ShapeSource) else ()
            return tuple(dict.fromkeys((*self.defaults.get(stem, {}), *own)))
        scopes = (self.fields.objects, self.fields.locals, self.fields.namespaces)
        names = next((s[target.scope] for s in scopes if target.scope in s), {})
        return tuple(name for name in names if not name.startswith("$"))

    def _shape(self, key: str, source: ShapeSource) -> Shape:
        properties = self.defaults[key]
        passed: dict[str, FloatV | StrV] = {}
        for name, expression in source.properties.items():
            path = f"{key}.{name}"
            if path in self.failed:
                raise CompileProblem("")
            given = self.values[path]
            span = expression.value.span
            if name in properties:
                properties[name] = fit_property(source.kind, name, given, properties[name], span)
            else:
                passed[name] = pass_through(name, given, span)
        if source.kind in _WITH_TEXT and f"{key}.$measure" in self.failed:
            raise CompileProblem("")
        properties["name"] = StrV(key)
        return Shape(source.kind, key, properties, passed)

    def _measure(self, key: str, shape: ShapeSource) -> None:
        defaults = self.defaults[key]
        strings: dict[str, str] = {}
        for name in TEXT_PROPERTIES:
            if name not in defaults:
                continue
            scope, _, field_name = key.rpartition(".")
            given = self._lookup(FieldTarget(scope, field_name, name))
            source = shape.properties.get(name)
            span = source.value.span if source else shape.span
            if not isinstance(given, StrV):
                given = fit_property(shape.kind, name, given or FloatV(0.0), StrV(""), span)
            strings[name] = str(given.contents)
        source = shape.properties.get("string")
        sizes = measure(shape.kind, strings, source.value.span if source else shape.span)
        for name in MEASURED:
            placeholder = defaults[name]
            size = float(getattr(sizes, name))
            if isinstance(placeholder, FloatV) and isinstance(placeholder.contents, Node):
                graph = self.context.graph
                graph.inputs[graph.left[placeholder.contents.index]].start = size
            defaults[name] = FloatV(size)

    def _term(self, term: tree.Term, source: Source) -> None:
        registry = LIBRARY.constraints if term.is_constraint else LIBRARY.objectives
        what = "constraint" if term.is_constraint else "objective"
        row = registry.get(term.name.text)
        if row is None:
            raise CompileProblem(
                f"Invalid{what.capitalize()}NameError",
                f"there is no {what} {term.name.text}",
                term.name.span,
                word=term.name.text,
                known=tuple(registry),
                hint="All are listed by: kuaibao draw --library",
            )
        self._check_stages(term.staging)
        value, arguments = self.evaluator.apply(row, term.arguments, source.frame, term.span)
        names = tuple(one.name for one in arguments if isinstance(one, Shape))
        made = Term(value, stages_of(term.staging, self.stages), self._origin(term, source), names)
        (self.result.constraints if term.is_constraint else self.result.objectives).append(made)

    def _check_stages(self, staging: tree.Staging | None) -> None:
        for name in staging.stages if staging else ():
            if name.text not in self.stages:
                self.findings.warn(
                    "UnknownStageWarning",
                    f"there is no layout stage {name.text}; this term counts in no stage by it",
                    name.span,
                )

    def _origin(self, term: tree.Term, source: Source) -> str:
        text = " ".join(self.findings.source.text[term.span.start : term.span.end].split())
        objects = ", ".join(f"{key} = {name}" for key, name in source.frame.objects.items())
        return f"{text} [{objects}]" if objects else text

    def _layer(self, layering: tree.Layering, source: Source) -> None:
        keys: list[str] = []
        for path in (layering.left, *layering.right):
            found = self.evaluator.evaluate(path, source.frame)
            if not isinstance(found, Shape):
                raise CompileProblem(
                    "LayerOnNonShapesError", "only shapes lie above or below", path.span
                )
            keys.append(found.name)
        for other in keys[1:]:
            pair = (other, keys[0]) if layering.is_above else (keys[0], other)
            self.result.layering.append(pair)

    def _approximated(self, tag: str, shapes: Sequence[Shape]) -> None:
        names = ", ".join(shape.name for shape in shapes)
        self.findings.warn(
            f"{tag}Warning", f"bounding boxes stand for the shapes here ({names})", self.span
        )

    # The whole.

    def problem(self) -> tuple[Problem, list[DiagramWarning]]:
        """The layout problem and what there is to say about groups and layers."""
        shapes = [one for key in self.defaults if isinstance(one := self.values[key], Shape)]
        in_order, roots, warnings = arrange(shapes, self.result.layering)
        problem = Problem(
            self.context.graph,
            self.context.canvas,
            roots,
            self.result.objectives,
            [*self.result.constraints, *self._on_canvas(in_order)],
            self.stages,
        )
        return problem, warnings

    def _on_canvas(self, shapes: Sequence[Shape]) -> Iterator[Term]:
        row = LIBRARY.constraints["onCanvas"]
        canvas = self.context.canvas
        sizes = (FloatV(canvas.width), FloatV(canvas.height))
        for shape in shapes:
            wanted = shape.properties["ensureOnCanvas"]
            if isinstance(wanted, BoolV) and wanted.contents:
                value: Scalar = evaluate(row, self.context, [shape, *sizes])
                yield Term(value, None, f"onCanvas({shape.name})", (shape.name,))
