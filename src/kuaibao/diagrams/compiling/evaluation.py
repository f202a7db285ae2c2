"""Second pass: expressions of Style to values over the scalar graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kuaibao.diagrams.checking.objects import is_literal, literal_value, number_text
from kuaibao.diagrams.compiling.operators import OperandError, binary, negative, transpose
from kuaibao.diagrams.compiling.paths import (
    CollectionTarget,
    CompileProblem,
    FieldTarget,
    Frame,
    NamespaceTarget,
    ObjectTarget,
    locate,
)
from kuaibao.diagrams.graph import Node
from kuaibao.diagrams.language import style_tree as tree
from kuaibao.diagrams.language.source import Span
from kuaibao.diagrams.library import (
    LIBRARY,
    Argument,
    ArgumentProblem,
    BodyProblem,
    Context,
    Row,
    evaluate,
)
from kuaibao.diagrams.values import (
    BoolV,
    ColorV,
    FloatV,
    ListV,
    LListV,
    MatrixV,
    PathDataListV,
    PathDataV,
    PtListV,
    Shape,
    ShapeListV,
    StrV,
    TupV,
    Value,
    VectorV,
)

__all__ = ["Evaluator", "stages_of"]


def stages_of(staging: tree.Staging | None, stages: Sequence[str]) -> frozenset[str] | None:
    """The stages that `in` or `except` leaves; None for all."""
    if staging is None:
        return None
    named = frozenset(name.text for name in staging.stages)
    return frozenset(stages) - named if staging.is_exclusion else named


class Evaluator:
    """Evaluates expressions in a frame; values of fields come from `lookup`.

    Args:
        context: Graph, canvas and random draws.
        stages: Names of the layout stages.
        lookup: The value of a field, or None if there is none; raises `CompileProblem` with an
            empty tag if there is one but it is wrong.
        names_in: The fields of a scope, for suggestions.
    """

    def __init__(
        self,
        context: Context,
        stages: Sequence[str],
        lookup: Callable[[FieldTarget], Argument | None],
        names_in: Callable[[FieldTarget], tuple[str, ...]],
    ) -> None:
        self.context = context
        self.stages = stages
        self.lookup = lookup
        self.names_in = names_in
        self._evaluators: dict[type[Any], Callable[[Any, Frame], Argument]] = {
            tree.Number: self._number,
            tree.Text: self._text,
            tree.Boolean: self._boolean,
            tree.Color: self._color,
            tree.Unknown: self._unknown,
            tree.ListLiteral: self._list,
            tree.VectorLiteral: self._vector,
            tree.TupleLiteral: self._tuple,
            tree.Call: self._call,
            tree.Path: self._path,
            tree.Binary: self._binary,
            tree.Negative: self._negative,
            tree.Transpose: self._transpose,
            tree.ListOf: self._list_of,
            tree.NumberOf: self._number_of,
            tree.NameOf: self._name_of,
        }

    def evaluate(self, expression: tree.Value, frame: Frame) -> Argument:
        """The value or shape of an expression.

        Raises:
            CompileProblem: With the tag and place of what is wrong.
        """
        return self._evaluators[expression.__class__](expression, frame)

    def value(self, expression: tree.Expression, frame: Frame) -> Value:
        """The value of an expression that must not be a shape."""
        found = self.evaluate(expression, frame)
        if isinstance(found, Shape):
            raise CompileProblem(
                "NotValueError", "expected a value here, this is a shape", expression.span
            )
        return found

    def apply(
        self, row: Row, arguments: Sequence[tree.Expression], frame: Frame, span: Span
    ) -> tuple[Any, list[Argument]]:
        """What a row of the library gives for these arguments, and their values."""
        values = [self.evaluate(one, frame) for one in arguments]
        try:
            return evaluate(row, self.context, values), values
        except ArgumentProblem as problem:
            place = arguments[problem.index].span if problem.index < len(arguments) else span
            raise CompileProblem(
                f"{problem.tag}Error", problem.message, place, hint=f"It is {row.signature}."
            ) from problem
        except (BodyProblem, ArithmeticError, ValueError, IndexError) as problem:
            raise CompileProblem(
                "FunctionInternalError", f"{row.name}: {problem}", span
            ) from problem

    # Literals.

    def _number(self, one: tree.Number, _: Frame) -> Value:
        return FloatV(one.value)

    def _text(self, one: tree.Text, _: Frame) -> Value:
        return StrV(one.value)

    def _boolean(self, one: tree.Boolean, _: Frame) -> Value:
        return BoolV(one.value)

    def _color(self, one: tree.Color, _: Frame) -> Value:
        digits = one.text[1:]
        if len(digits) in (3, 4):
            digits = "".join(digit * 2 for digit in digits)
        if len(digits) not in (6, 8):
            raise CompileProblem(
                "InvalidColorLiteral",
                f"{one.text} is not a colour",
                one.span,
                hint="Colours have 3, 4, 6 or 8 digits: #rgb, #rgba, #rrggbb, #rrggbbaa.",
            )
        digits = digits.ljust(8, "f")
        return ColorV("rgba", [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4, 6)])

    def _unknown(self, one: tree.Unknown, _: Frame) -> Value:
        stages = stages_of(one.staging, self.stages)
        if one.start is not None:
            return FloatV(self.context.graph.input(one.start, stages=stages))
        return FloatV(self.context.unknown(*self.context.canvas.x_range, stages))

    # Collections.

    def _list(self, one: tree.ListLiteral, frame: Frame) -> Value:
        items = [self.evaluate(item, frame) for item in one.items]
        return self._gather(items, one.span, ListV, LListV)

    def _vector(self, one: tree.VectorLiteral, frame: Frame) -> Value:
        items = [self.evaluate(item, frame) for item in one.items]
        return self._gather(items, one.span, VectorV, MatrixV)

    def _tuple(self, one: tree.TupleLiteral, frame: Frame) -> Value:
        pair = [self.value(item, frame) for item in one.items]
        for index, item in enumerate(pair):
            if not isinstance(item, FloatV):
                raise CompileProblem(
                    "BadElementError", "a tuple holds two numbers", one.items[index].span
                )
        return TupV([item.contents for item in pair if isinstance(item, FloatV)])

    def _gather(
        self,
        items: Sequence[Argument],
        span: Span,
        of_numbers: type[ListV] | type[VectorV],
        of_rows: type[LListV] | type[MatrixV] | type[PtListV],
    ) -> Value:
        """Items of one kind as one value; the first item decides which kind."""
        if not items:
            return of_numbers([])
        match items[0]:
            case Shape():
                return ShapeListV(_contents(items, span, lambda x: x, Shape))
            case FloatV():
                return of_numbers(_contents(items, span, _inner, FloatV))
            case VectorV() | ListV() | TupV():
                return of_rows(_contents(items, span, _inner, (VectorV, ListV, TupV)))
            case PathDataV():
                return PathDataListV(_contents(items, span, _inner, PathDataV))
            case other:
                raise CompileProblem(
                    "BadElementError",
                    f"{type(other).__name__} cannot be an element of a list or vector",
                    span,
                )

    def _list_of(self, one: tree.ListOf, frame: Frame) -> Value:
        target = self._collection(one.collection, frame)
        items: list[Argument] = []
        for name in target.collection.objects:
            found = self.lookup(FieldTarget(f"`{name}`", one.field.text, ""))
            if found is not None:
                items.append(found)
        rows: type[LListV] | type[MatrixV] | type[PtListV] = MatrixV
        if items and isinstance(items[0], ListV):
            rows = LListV
        elif items and isinstance(items[0], TupV):
            rows = PtListV
        return self._gather(items, one.span, VectorV, rows)

    def _collection(self, path: tree.Path, frame: Frame) -> CollectionTarget:
        target = locate(path, frame)
        if not isinstance(target, CollectionTarget):
            raise CompileProblem(
                "NotSubstanceCollectionError", "this is not a collection", path.span
            )
        return target

    def _number_of(self, one: tree.NumberOf, frame: Frame) -> Value:
        return FloatV(float(len(self._collection(one.collection, frame).collection.objects)))

    def _name_of(self, one: tree.NameOf, frame: Frame) -> Value:
        target = locate(one.variable, frame)
        if not isinstance(target, ObjectTarget):
            raise CompileProblem(
                "NotStyleVariableError", "this is not a variable of the header", one.span
            )
        if not is_literal(target.name):
            return StrV(target.name)
        value = literal_value(target.name)
        return StrV(value if isinstance(value, str) else number_text(value))

    # Paths.

    def _path(self, one: tree.Path, frame: Frame) -> Argument:
        target = locate(one, frame)
        match target:
            case FieldTarget():
                found = self.lookup(target)
                if found is None:
                    raise CompileProblem(
                        "MissingPathError",
                        f"there is no {_shown(one)}",
                        one.span,
                        word=target.part or target.field,
                        known=self.names_in(target),
                    )
            case ObjectTarget(name):
                if not is_literal(name):
                    raise CompileProblem(
                        "PathToSubstanceError",
                        f"{one.root.key} is a Substance object ({name}), not a value",
                        one.span,
                        hint=f"Name one of its fields, as in '{one.root.key}.icon'.",
                    )
                found = _literal(name)
            case CollectionTarget(collection):
                found = self._literals(one, collection.objects)
            case NamespaceTarget(name):
                raise CompileProblem(
                    "PathToNamespaceError",
                    f"{name} is a namespace, not a value",
                    one.span,
                    hint=f"Name one of its fields, as in '{name}.field'.",
                )
        return self._indexed(one, found, frame) if one.indices else found

    def _literals(self, one: tree.Path, names: Sequence[str]) -> Value:
        values = [literal_value(name) for name in names if is_literal(name)]
        numbers = [value for value in values if isinstance(value, float)]
        if len(numbers) != len(names):
            raise CompileProblem(
                "PathToCollectionError",
                f"{one.root.key} is a collection of objects, not a value",
                one.span,
                hint=f"Write 'listof field from {one.root.key}' or 'numberof {one.root.key}'.",
            )
        return VectorV(numbers)

    def _indexed(self, one: tree.Path, found: Argument, frame: Frame) -> Value:
        indices = [self._index(index, frame) for index in one.indices]
        if isinstance(found, ListV | TupV | VectorV | PathDataListV):
            if len(indices) != 1:
                raise CompileProblem("BadIndexError", "one index is enough here", one.span)
            item: Any = _at(found.contents, indices[0], one.span)
            return PathDataV(item) if isinstance(found, PathDataListV) else FloatV(item)
        if isinstance(found, LListV | MatrixV | PtListV):
            row = _at(found.contents, indices[0], one.span)
            if len(indices) == 1:
                return VectorV(row)
            if len(indices) == 2:
                return FloatV(_at(row, indices[1], one.span))
            raise CompileProblem("BadIndexError", "two indices are enough here", one.span)
        kind = found.kind if isinstance(found, Shape) else type(found).__name__
        raise CompileProblem("UnindexableItemError", f"{kind} has no elements", one.span)

    def _index(self, index: tree.Expression, frame: Frame) -> int:
        value = self.value(index, frame)
        if isinstance(value, FloatV) and not isinstance(value.contents, Node):
            number = value.contents
            return int(number) if number == int(number) else -1
        raise CompileProblem(
            "BadIndexError", "an index must be a number that is known before the layout", index.span
        )

    # Operators and calls.

    def _binary(self, one: tree.Binary, frame: Frame) -> Value:
        chain = [one]  # a long sum leans to the left: no recursion along it
        while isinstance(chain[-1].left, tree.Binary):
            chain.append(chain[-1].left)
        value = self.value(chain[-1].left, frame)
        for part in reversed(chain):
            right = self.value(part.right, frame)
            try:
                value = binary(part.operator, value, right)
            except OperandError as error:
                raise CompileProblem("BinOpTypeError", str(error), part.span) from error
        return value

    def _negative(self, one: tree.Negative, frame: Frame) -> Value:
        try:
            return negative(self.value(one.operand, frame))
        except OperandError as error:
            raise CompileProblem("UOpTypeError", str(error), one.span) from error

    def _transpose(self, one: tree.Transpose, frame: Frame) -> Value:
        try:
            return transpose(self.value(one.operand, frame))
        except OperandError as error:
            raise CompileProblem("UOpTypeError", str(error), one.span) from error

    def _call(self, one: tree.Call, frame: Frame) -> Argument:
        row = LIBRARY.functions.get(one.name.text)
        if row is None:
            raise CompileProblem(
                "InvalidFunctionNameError",
                f"there is no function {one.name.text}",
                one.name.span,
                word=one.name.text,
                known=tuple(LIBRARY.functions),
                hint=f"All {len(LIBRARY.functions)} are listed by: kuaibao draw --library",
            )
        return self.apply(row, one.arguments, frame, one.span)[0]


def _inner(value: Any) -> Any:
    return value.contents


def _contents(
    items: Sequence[Argument],
    span: Span,
    take: Callable[[Any], Any],
    kinds: type[Any] | tuple[type[Any], ...],
) -> list[Any]:
    for index, item in enumerate(items):
        if not isinstance(item, kinds):
            raise CompileProblem(
                "BadElementError",
                f"element {index} is of another kind than the first: {_kind(item)} "
                f"after {_kind(items[0])}",
                span,
            )
    return [take(item) for item in items]


def _kind(item: Argument) -> str:
    return item.kind if isinstance(item, Shape) else type(item).__name__


def _literal(name: str) -> Value:
    value = literal_value(name)
    return StrV(value) if isinstance(value, str) else FloatV(value)


def _at(items: Sequence[Any], index: int, span: Span) -> Any:
    if 0 <= index < len(items):
        return items[index]
    raise CompileProblem(
        "OutOfBoundsError", f"index {index} is out of bounds: there are {len(items)}", span
    )


def _shown(path: tree.Path) -> str:
    return ".".join((path.root.key, *(member.text for member in path.members)))
