"""Layout: many candidates of a compiled program optimised at once by a tape machine."""

from kuaibao.diagrams.layout.optimizer import Optimizer
from kuaibao.diagrams.layout.settings import LayoutResult, Settings, draw_inputs
from kuaibao.diagrams.layout.tape import Evaluator

__all__ = [
    "Evaluator",
    "LayoutResult",
    "Optimizer",
    "Settings",
    "draw_inputs",
]
