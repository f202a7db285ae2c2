"""Domains that people can use at once, each with two or more Styles.

`kuaibao:sets/euler.style` names one of their files in a trio or on the command line; in Python
`domain="sets", style="euler"` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kuaibao.diagrams.errors import DiagramError
from kuaibao.errors import did_you_mean

__all__ = ["DOMAINS", "ShippedDomain", "shipped_domain", "shipped_path"]

_PREFIX = "kuaibao:"
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ShippedDomain:
    """A field with its Styles; the first is the usual one."""

    name: str
    title: str
    styles: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The Domain file."""
        return _FOLDER / self.name / f"{self.name}.domain"

    def style_path(self, style: str = "") -> Path:
        """The file of a Style, the usual one by default.

        Raises:
            DiagramError: `FileError`: the domain has no such Style.
        """
        chosen = style or self.styles[0]
        if chosen not in self.styles:
            raise DiagramError(
                "FileError",
                f"the domain {self.name} has no style '{chosen}'",
                hint=did_you_mean(chosen, self.styles),
            )
        return _FOLDER / self.name / f"{chosen}.style"


DOMAINS = {
    name: ShippedDomain(name, title, styles)
    for name, title, styles in (
        ("sets", "Sets", ("euler", "tree")),
        ("functions", "Functions and relations", ("ovals", "columns")),
        ("linear_algebra", "Linear algebra", ("plane", "bare")),
        ("geometry", "Euclidean geometry", ("euclid", "byrne", "board")),
        ("graphs", "Graphs", ("circles", "dots")),
        ("trees", "Trees", ("syntax", "pills")),
        ("categories", "Commutative diagrams", ("classic", "tinted")),
        ("probability", "Probability and graphical models", ("bayes", "cards")),
        ("neural", "Neural networks and tensors", ("blocks", "flow")),
        ("plots", "Number lines and plots", ("paper", "soft")),
    )
}


def shipped_domain(name: str) -> ShippedDomain:
    """A domain by its name.

    Raises:
        DiagramError: `FileError`: there is none of that name.
    """
    if name not in DOMAINS:
        raise DiagramError(
            "FileError", f"no domain '{name}' is shipped", hint=did_you_mean(name, DOMAINS)
        )
    return DOMAINS[name]


def shipped_path(name: str) -> Path | None:
    """The file behind `kuaibao:sets/euler.style`, or None for another name.

    Raises:
        DiagramError: `FileError`: the package holds no such file.
    """
    if not name.startswith(_PREFIX):
        return None
    folder, _, file = name.removeprefix(_PREFIX).partition("/")
    domain = shipped_domain(folder)
    known = [f"{folder}.domain", *(f"{style}.style" for style in domain.styles)]
    if file not in known:
        raise DiagramError(
            "FileError", f"{_PREFIX}{folder} has no file '{file}'", hint=did_you_mean(file, known)
        )
    return _FOLDER / folder / file
