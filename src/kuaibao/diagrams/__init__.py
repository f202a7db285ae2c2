"""Diagrams: mathematics typed as text becomes pictures (Penrose's three languages).

from kuaibao import diagrams

program = diagrams.compile(substance, style, domain)
layout = program.layouts(16, seed="s")[0]
layout.svg()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kuaibao.diagrams.builder import Builder
    from kuaibao.diagrams.domains import DOMAINS
    from kuaibao.diagrams.drawing import draw
    from kuaibao.diagrams.errors import DiagramError, DiagramWarning, LayoutError, ProgramErrors
    from kuaibao.diagrams.galleries import Gallery, gallery
    from kuaibao.diagrams.layout import Settings
    from kuaibao.diagrams.program import Layout, Program, compile, compile_files, desugar_files
    from kuaibao.diagrams.trio import ProgramFiles, read_files, read_trio

__all__ = [
    "DOMAINS",
    "Builder",
    "DiagramError",
    "DiagramWarning",
    "Gallery",
    "Layout",
    "LayoutError",
    "Program",
    "ProgramErrors",
    "ProgramFiles",
    "Settings",
    "compile",
    "compile_files",
    "desugar_files",
    "draw",
    "gallery",
    "read_files",
    "read_trio",
]

# Loaded when first asked for: drawing one file needs no builder and no gallery.
_HOMES = {
    "builder": ("Builder",),
    "domains": ("DOMAINS",),
    "drawing": ("draw",),
    "errors": ("DiagramError", "DiagramWarning", "LayoutError", "ProgramErrors"),
    "galleries": ("Gallery", "gallery"),
    "layout": ("Settings",),
    "program": ("Layout", "Program", "compile", "compile_files", "desugar_files"),
    "trio": ("ProgramFiles", "read_files", "read_trio"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
