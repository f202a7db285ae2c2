"""The text that stands for a picture: what the Substance says, in sentences."""

from __future__ import annotations

from kuaibao.diagrams.checking.objects import is_literal, literal_value, number_text
from kuaibao.diagrams.checking.substance import Application, Substance

__all__ = ["describe"]

_MOST = 40
"""Sentences of one kind that are told; of the rest only the number."""


def describe(substance: Substance) -> str:
    """Objects by their types, then bindings, then facts, one sentence each.

    Example: `Set A, B. B := f(A). Subset(A, B).`
    """
    by_type: dict[str, list[str]] = {}
    for name, kind in substance.objects.items():
        by_type.setdefault(kind, []).append(_named(name, substance))
    parts = [f"{kind} {_listed(names)}." for kind, names in by_type.items()]
    bindings = [f"{one.variable} := {_applied(one.value)}." for one in substance.bindings]
    facts = [
        f"{one.predicate}({', '.join(map(_shown, one.arguments))})." for one in substance.facts
    ]
    for sentences in (bindings, facts):
        parts += sentences[:_MOST]
        if len(sentences) > _MOST:
            parts.append(f"And {len(sentences) - _MOST} more.")
    return " ".join(parts)


def _named(name: str, substance: Substance) -> str:
    label = substance.labels[name].text
    return f"{name} ({label})" if label and label != name else name


def _listed(names: list[str]) -> str:
    if len(names) <= _MOST:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST])} and {len(names) - _MOST} more"


def _applied(value: Application | str) -> str:
    if isinstance(value, str):
        return _shown(value)
    return f"{value.name}({', '.join(map(_shown, value.arguments))})"


def _shown(name: str) -> str:
    if not is_literal(name):
        return name
    value = literal_value(name)
    return f'"{value}"' if isinstance(value, str) else number_text(value)
