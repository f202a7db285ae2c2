"""The exponential moving average of a model's weights."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kuaibao.training.distributed import local

__all__ = ["move_average", "swapped"]


@torch.no_grad()
def move_average(average: Mapping[str, Tensor], model: nn.Module, decay: float) -> None:
    """Move each averaged weight towards the model's by 1 - decay."""
    own = model.state_dict()
    names = [name for name, tensor in average.items() if tensor.is_floating_point()]
    torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
        [local(average[n]) for n in names], [local(own[n]) for n in names], 1 - decay
    )


@contextmanager
def swapped(model: nn.Module, weights: Mapping[str, Tensor]) -> Generator[None]:
    """Other weights in a model's place for the length of a block; none change nothing."""
    own = {k: v.detach().clone() for k, v in model.state_dict().items()} if weights else {}
    if weights:
        model.load_state_dict(dict(weights))
    try:
        yield
    finally:
        if own:
            model.load_state_dict(own)
