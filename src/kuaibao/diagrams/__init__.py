"""Diagrams: mathematics typed as text becomes pictures (Penrose's three languages).

from kuaibao import diagrams

program = diagrams.compile(substance, style, domain)
layout = program.layouts(16, seed="s")[0]
layout.svg()
"""

from kuaibao.diagrams.builder import Builder
from kuaibao.diagrams.domains import DOMAINS
from kuaibao.diagrams.drawing import draw
from kuaibao.diagrams.errors import DiagramError, DiagramWarning, LayoutError, ProgramErrors
from kuaibao.diagrams.gallery import Gallery, gallery
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
