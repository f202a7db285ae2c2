"""One process or several: `torchrun` starts them, this joins them and shares the work out."""

from __future__ import annotations

import contextlib
import copy
import gc
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Self

import torch

# Before a group is joined: these functions' default arguments bind the group there is, and DDP and
# FSDP import them. Bound, a group outlives `destroy_process_group`, and its threads with it.
import torch.distributed.nn.functional  # pyright: ignore[reportUnusedImport]
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor, distribute_tensor

__all__ = ["World", "end_process", "fill_model", "local", "placed_like", "whole"]


@dataclass(frozen=True)
class World:
    """The processes of a run; alone where `torchrun` did not start it."""

    rank: int
    size: int
    device: torch.device
    is_sharded: bool = False
    """Weights, gradients and optimiser are spread over the processes (FSDP2), not copied (DDP)."""
    owns_group: bool = False
    """Whether it was joined here, and is left at the end."""

    @classmethod
    def join(cls, parallel: str = "ddp") -> Self:
        """Join the group that `torchrun` names by its variables: nccl on GPUs, gloo on the CPU."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        has_gpu = torch.cuda.is_available()
        device = torch.device("cuda", local_rank) if has_gpu else torch.device("cpu")
        if has_gpu:
            torch.cuda.set_device(device)
        owns_group = size > 1 and not distributed.is_initialized()
        if owns_group:
            distributed.init_process_group("nccl" if has_gpu else "gloo")
        rank = int(os.environ.get("RANK", "0"))
        return cls(rank, size, device, size > 1 and parallel == "fsdp", owns_group)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the group; its threads end with it if nothing holds it any more."""
        if self.owns_group:
            gc.collect()
            distributed.destroy_process_group()

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with its gradients averaged over all processes."""
        if self.size == 1:
            return model
        if not self.is_sharded:
            return nn.parallel.DistributedDataParallel(model)
        from torch.distributed.fsdp import fully_shard

        for module in list(model.modules()):
            if isinstance(module, nn.ModuleList):
                for block in module:
                    fully_shard(block)
        fully_shard(model)
        return model

    def no_sync(self, model: nn.Module, wanted: bool) -> Any:
        """Put off averaging while parts of a batch are accumulated."""
        if self.size == 1 or not wanted:
            return contextlib.nullcontext()
        if self.is_sharded:
            return _unsynchronised(model)
        return model.no_sync()  # pyright: ignore[reportCallIssue]

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a number over all processes."""
        if self.size > 1:
            distributed.all_reduce(value)
            value = value / self.size
        return value

    def agreed(self, choose: Callable[[], str]) -> str:
        """What the first process chooses, in all of them: their looks at the disk may differ."""
        if self.size == 1:
            return choose()
        chosen = [choose() if self.rank == 0 else ""]
        distributed.broadcast_object_list(chosen, src=0, device=self.device)
        return chosen[0]

    def outline(self, model: nn.Module) -> nn.Module | None:
        """The model without weights, to be filled for saving; needed only where they are spread."""
        return copy.deepcopy(model).to("meta") if self.is_sharded else None


@contextlib.contextmanager
def _unsynchronised(model: Any) -> Any:
    model.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        model.set_requires_gradient_sync(True)


def end_process(code: int = 0) -> NoReturn:
    """End a worker that `torchrun` started, its work done, without torch's own last steps.

    A sharded model keeps its group, and so gloo's threads, until the interpreter is taken down. A
    thread that then still lets go of its last tensor wants an interpreter that is gone, and aborts
    the process ("terminate called without an active exception"): work well done would be reported
    as failed. Seen under load with torch 2.13; pytorch/pytorch#179291 tells of the same.
    """
    if distributed.is_initialized():
        distributed.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that may be spread; every process must ask at once."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def local(tensor: Tensor) -> Tensor:
    """This process's part of a tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def placed_like(tensor: Tensor, example: Tensor) -> Tensor:
    """A whole tensor where the example lies, and spread as that is."""
    if isinstance(example, DTensor) and tensor.shape == example.shape:
        return distribute_tensor(
            tensor.to(example.device), example.device_mesh, list(example.placements)
        )
    return tensor.to(example.device)


def fill_model(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load whole tensors into a model that may be spread."""
    own = model.state_dict()
    # In one order in every process: to spread a tensor is a step that all take together.
    placed = {name: placed_like(t, own[name]) for name, t in sorted(tensors.items())}
    model.load_state_dict(placed)
