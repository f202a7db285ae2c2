"""The eight arrowheads: their boxes, where the line ends in them, and what is drawn."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ARROWHEADS", "Arrowhead"]


@dataclass(frozen=True, slots=True)
class Arrowhead:
    """A marker in units of the stroke width."""

    width: float
    height: float
    ref_x: float
    ref_y: float
    path: str
    is_filled: bool

    @property
    def overhang(self) -> float:
        """How far the tip lies before the end of the line."""
        return self.width - self.ref_x


# The boxes and reference points are Penrose's: they decide where lines end.
ARROWHEADS = {
    "concave": Arrowhead(8, 8, 2.5, 4, "M0 0Q5 1 8 4Q5 7 0 8L2.5 4Z", True),
    "straight": Arrowhead(9.95, 8.12, 2.36, 4.06, "M0 0L9.95 4.06L0 8.12L2.36 4.06Z", True),
    "perp": Arrowhead(1, 10.15, 0.5, 5.08, "M0.5 0V10.15", False),
    "line": Arrowhead(7.5, 14, 5, 7, "M1 1Q2 6 7 7Q2 8 1 13", False),
    "doubleLine": Arrowhead(
        12.5, 14, 5, 7, "M1 1Q2 6 7 7Q2 8 1 13M6 1Q7 6 12 7Q7 8 6 13M7 7H12", False
    ),
    "loopup": Arrowhead(6, 28, 1, 10, "M1 10A4 4.5 0 0 1 1 19", False),
    "loopdown": Arrowhead(6, 28, 1, 10, "M1 1A4 4.5 0 0 1 1 10", False),
    "loop": Arrowhead(6, 28, 1, 10, "M1 10A4 4.5 0 0 1 1 19M1 1A4 4.5 0 0 1 1 10", False),
}
