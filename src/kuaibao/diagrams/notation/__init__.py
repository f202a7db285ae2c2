"""Notation: a Domain says how its people write, and Substance is read that way.

    notation "a ⊂ b", "a subset b" ~ "Subset(a, b)" precedence 40 chain

A line that is plain Substance stays as it is; any other line is read by the notations of the Domain
and becomes plain Substance (`Desugared.text`), with the places of what the person wrote.
"""

from kuaibao.diagrams.notation.desugar import Desugared, desugar
from kuaibao.diagrams.notation.printing import print_statement, print_substance

__all__ = ["Desugared", "desugar", "print_statement", "print_substance"]
