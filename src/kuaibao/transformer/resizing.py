"""A model of small pictures goes on with larger ones: progressive resolution.

Training begins cheaply at low resolution (attention costs the fourth power of a picture's side) and
ends at the wanted one; only the learned positions depend on the side, and they are interpolated.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from math import isqrt
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from kuaibao.errors import InputError

__all__ = ["resize_positions"]


def resize_positions(decoder: Any, side: int) -> Any:
    """A copy for pictures of `side` x `side` tokens in raster order.

    The position table is read as a picture of vectors and resized bilinearly, edges on edges.

    Args:
        decoder: With learned positions of a square picture.
        side: Of the new pictures.

    Raises:
        InputError: Its positions make no square, or are not learned.
    """
    config = decoder.config
    old = isqrt(config.n_positions)
    if config.position != "learned" or old**2 != config.n_positions:
        raise InputError(f"{config.n_positions} {config.position} positions are no square picture")
    if side < 1:
        raise InputError(f"a picture's side must be positive, got {side}")
    resized = copy.deepcopy(decoder)
    table = decoder.positions.weight.detach().float()  # (old · old, n_embd)
    picture = table.T.reshape(1, -1, old, old)
    larger = functional.interpolate(picture, (side, side), mode="bilinear", align_corners=True)
    rows = larger.reshape(config.n_embd, side * side).T.contiguous()
    with torch.no_grad():
        resized.positions = nn.Embedding(side * side, config.n_embd, device=decoder.device)
        resized.positions.weight.copy_(rows)
    resized.config = replace(config, n_positions=side * side)
    return resized
