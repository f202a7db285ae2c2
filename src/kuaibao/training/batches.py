"""Batches on the host: each a function of seed, step and part alone; made ahead if wished."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from torch import Tensor

from kuaibao.training.distributed import World
from kuaibao.training.order import sample_order
from kuaibao.training.recipe import Recipe
from kuaibao.training.task import Batch, Task

__all__ = ["HostBatches"]


class HostBatches:
    """The parts of each step's batch that fall to this process."""

    def __init__(self, task: Task, recipe: Recipe, world: World) -> None:
        self.task, self.recipe, self.world = task, recipe, world
        self._pool = ThreadPoolExecutor(1) if recipe.run.prefetch else None
        self._ahead: dict[tuple[int, int], Future[Batch]] = {}

    def get(self, step: int, part: int) -> Batch:
        """The batch; the next one is begun meanwhile if the recipe wants it."""
        if self._pool is None:
            return self._make(step, part)
        ready = self._ahead.pop((step, part), None)
        following = (step, part + 1) if part + 1 < self.recipe.run.accumulate else (step + 1, 0)
        batch = self._make(step, part) if ready is None else ready.result()
        self._ahead = {following: self._pool.submit(self._make, *following)}
        return batch

    def seed(self, step: int, part: int) -> int:
        """What dropout is drawn by."""
        return hash((self.recipe.seed, step, self._place(part))) % 2**63

    def _place(self, part: int) -> int:
        return part * self.world.size + self.world.rank

    def _make(self, step: int, part: int) -> Batch:
        run, place = self.recipe.run, self._place(part)
        order = sample_order(
            self.task.n_sample, self.recipe.seed, step * run.batch_size, run.batch_size,
            getattr(self.task, "epoch_order", None),
        )  # fmt: skip
        own = np.array_split(order, run.accumulate * self.world.size)[place]
        batch = self.task.batch(own, np.random.default_rng([self.recipe.seed, 2, step, place]))
        if self.world.device.type == "cpu":
            return batch
        return {name: _pinned(tensor) for name, tensor in batch.items()}


def _pinned(tensor: Tensor) -> Tensor:
    return tensor.pin_memory()
