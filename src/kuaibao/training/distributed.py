"""One process or several: `torchrun` starts them, this joins them."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, distributed, nn

__all__ = ["World"]


@dataclass(frozen=True)
class World:
    """The processes of a run; alone where `torchrun` did not start it."""

    rank: int
    size: int
    device: torch.device

    @classmethod
    def join(cls) -> Self:
        """Join the group that `torchrun` names by its variables: nccl on GPUs, gloo on the CPU."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        has_gpu = torch.cuda.is_available()
        device = torch.device("cuda", local) if has_gpu else torch.device("cpu")
        if size > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if has_gpu else "gloo")
        return cls(int(os.environ.get("RANK", "0")), size, device)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the group."""
        if self.size > 1:
            distributed.destroy_process_group()

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with its gradients averaged over all processes."""
        if self.size == 1:
            return model
        return nn.parallel.DistributedDataParallel(model)

    def no_sync(self, model: nn.Module, wanted: bool) -> Any:
        """Put off averaging while parts of a batch are accumulated."""
        if self.size > 1 and wanted:
            return model.no_sync()  # pyright: ignore[reportCallIssue]
        return contextlib.nullcontext()

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a number over all processes."""
        if self.size > 1:
            distributed.all_reduce(value)
            value = value / self.size
        return value
