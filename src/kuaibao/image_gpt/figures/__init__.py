"""An item's pictures, sorted: kinds, near-identical ones, the lead picture and why."""

from kuaibao.image_gpt.figures.choices import add_choice, read_choices
from kuaibao.image_gpt.figures.kinds import (
    KINDS,
    FigureProbe,
    figure_features,
    load_probe,
    save_probe,
)
from kuaibao.image_gpt.figures.sorter import FigureSorter, configured_sorter
from kuaibao.image_gpt.figures.sorting import (
    Figure,
    SortedFigures,
    sort_figures,
    sort_pictures,
)

__all__ = [
    "KINDS",
    "Figure",
    "FigureProbe",
    "FigureSorter",
    "SortedFigures",
    "add_choice",
    "configured_sorter",
    "figure_features",
    "load_probe",
    "read_choices",
    "save_probe",
    "sort_figures",
    "sort_pictures",
]
