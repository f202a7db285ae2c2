"""Diagrams: mathematics typed as text becomes pictures (Penrose's three languages).

from kuaibao import diagrams

program = diagrams.compile(substance, style, domain)
layout = program.layouts(16, seed="s")[0]
layout.svg()
"""

from kuaibao.diagrams.errors import DiagramError, DiagramWarning, LayoutError, ProgramErrors
from kuaibao.diagrams.layout import Settings
from kuaibao.diagrams.program import Layout, Program, compile, compile_files, desugar_files
from kuaibao.diagrams.trio import ProgramFiles, read_files, read_trio

__all__ = [
    "DiagramError",
    "DiagramWarning",
    "Layout",
    "LayoutError",
    "Program",
    "ProgramErrors",
    "ProgramFiles",
    "Settings",
    "compile",
    "compile_files",
    "desugar_files",
    "read_files",
    "read_trio",
]
