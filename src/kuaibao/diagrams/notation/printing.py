"""Substance trees as text: what is parsed again gives the same tree."""

from __future__ import annotations

from collections.abc import Iterable

from kuaibao.diagrams.checking.objects import number_text
from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.names import Name

__all__ = ["print_expression", "print_statement", "print_substance"]


def print_substance(statements: Iterable[tree.Statement]) -> str:
    """One statement a line."""
    return "".join(f"{print_statement(one)}\n" for one in statements)


def print_statement(statement: tree.Statement) -> str:
    """A statement as a person would write it."""
    match statement:
        case tree.Declaration(kind, names):
            return f"{kind.text} {_names(names)}"
        case tree.Bind(variable, value):
            return f"{variable.text} := {print_expression(value)}"
        case tree.DeclareBind(kind, variable, value):
            return f"{kind.text} {variable.text} := {print_expression(value)}"
        case tree.Predicate(name, arguments):
            return f"{name.text}({', '.join(map(_argument, arguments))})"
        case tree.AutoLabel(names):
            return "AutoLabel All" if names is None else f"AutoLabel {_names(names)}"
        case tree.Label(variable, text, is_math):
            return f"Label {variable.text} " + (f"${text}$" if is_math else f'"{text}"')
        case tree.NoLabel(names):
            return f"NoLabel {_names(names)}"
        case tree.Indexed(inner, ranges, condition):
            spans = ", ".join(
                f"{one.variable.text} in [{_argument(one.low)}, {_argument(one.high)}]"
                for one in ranges
            )
            where = f" where {_condition(condition)}" if condition is not None else ""
            return f"{print_statement(inner)} for {spans}{where}"


def print_expression(value: tree.SubstanceExpression) -> str:
    """The right side of a binding."""
    if isinstance(value, tree.Call):
        return f"{value.name.text}({', '.join(map(_argument, value.arguments))})"
    return _argument(value)


def _names(names: Iterable[Name]) -> str:
    return ", ".join(name.text for name in names)


def _argument(argument: tree.SubstanceArgument) -> str:
    if isinstance(argument, Name):
        return argument.text
    value = argument.value
    return f'"{value}"' if isinstance(value, str) else number_text(value)


def _condition(condition: tree.Condition) -> str:
    match condition:
        case tree.Truth(value):
            return "true" if value else "false"
        case tree.Comparison(operator, left, right):
            return f"{_index(left)} {operator} {_index(right)}"
        case tree.Logic("not", parts):
            return f"!{_claim(parts[0])}"
        case tree.Logic(operator, parts):
            return f" {'&&' if operator == 'and' else '||'} ".join(map(_claim, parts))


def _claim(condition: tree.Condition) -> str:
    return (
        f"({_condition(condition)})" if isinstance(condition, tree.Logic) else _condition(condition)
    )


def _index(expression: tree.IndexExpression) -> str:
    match expression:
        case tree.Arithmetic(operator, left, right):
            return f"({_index(left)} {operator} {_index(right)})"
        case _:
            return _argument(expression)
