"""Illustrate a text: statements that the shipped domains understand are drawn beside it."""

from kuaibao.diagrams.illustrating.documents import KINDS
from kuaibao.diagrams.illustrating.endpoint import EndpointError, EndpointProposer
from kuaibao.diagrams.illustrating.illustrate import (
    Figure,
    Illustrated,
    NotDrawn,
    Proposer,
    illustrate,
)

__all__ = [
    "KINDS",
    "EndpointError",
    "EndpointProposer",
    "Figure",
    "Illustrated",
    "NotDrawn",
    "Proposer",
    "illustrate",
]
