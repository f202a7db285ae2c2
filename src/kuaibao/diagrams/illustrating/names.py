"""Names in formulas, and the identifiers and labels that they have in Substance."""

from __future__ import annotations

import re

__all__ = ["CORNERS", "NAME", "identifier", "label_of", "plain_formula"]

_STYLED = r"\\(?:mathbb|mathcal|mathbf|boldsymbol|vec|mathrm)\s*\{?[A-Za-z]\}?"
_GREEK = (
    r"\\(?:alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho"
    r"|sigma|tau|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega)(?![A-Za-z])"
)
_INDEX = r"(?:_\{?[A-Za-z0-9]{1,3}\}?)?"
_LETTER = rf"(?:{_STYLED}|{_GREEK}|[A-Za-zα-ωΑ-Ω]){_INDEX}"
_BARE = r"(?<![A-Za-z0-9_\\⟨'’-])(?![aI](?![_A-Za-z0-9]))" + _LETTER + r"(?![A-Za-z0-9_'’-])"
NAME = rf"(?:⟨\s*{_LETTER}\s*⟩|{_BARE})"
"""A regular expression for the name of one object: a letter, Greek or styled, with an index.

`⟨` and `⟩` stand around what was a formula; outside of formulas `a` and `I` are words.
"""

CORNERS = r"⟨?(?<![A-Za-z])[A-Z]{%d}(?![A-Za-z])⟩?"
"""Points side by side, as `ABC` in `triangle ABC`; `%d` of them."""

_STYLED_NAME = re.compile(_STYLED + r"(?:_\{?[A-Za-z0-9]{1,3}\}?)?")
_GREEK_NAME = re.compile(_GREEK + r"(?:_\{?[A-Za-z0-9]{1,3}\}?)?")
_LATIN_INDEX = re.compile(r"([A-Za-z])_\{([A-Za-z0-9]{1,3})\}")


def identifier(name: str) -> str:
    r"""`\mathbb{R}` becomes `R`, `\alpha_{1}` becomes `alpha_1`."""
    name = name.strip("⟨⟩ ")
    text = re.sub(r"\\(?:mathbb|mathcal|mathbf|boldsymbol|vec|mathrm)\s*", "", name)
    text = re.sub(r"\\([A-Za-z]+)", r"\1", text)
    return re.sub(r"[{}\s]", "", text)


def label_of(name: str) -> str:
    """The TeX of a name."""
    return re.sub(r"_([A-Za-z0-9]{2,})$", r"_{\1}", name.strip("⟨⟩ "))


def plain_formula(formula: str) -> tuple[str, dict[str, str]]:
    """A formula with identifiers for its names, and the TeX of those that are no plain letters."""
    labels: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        name = identifier(match[0])
        labels[name] = label_of(match[0])
        return f" {name} "

    text = re.sub(r"\\(?:left|right|,|;|!|quad|qquad)(?![A-Za-z])", " ", formula)
    text = _GREEK_NAME.sub(named, _STYLED_NAME.sub(named, text))
    text = _LATIN_INDEX.sub(r"\1_\2", text)
    return re.sub(r"\s+", " ", text).strip(), labels
