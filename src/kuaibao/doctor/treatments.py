"""Cures tried on the unmodified script: treated steps alternate with untreated ones in one run.

A treated step is a real training step whose batch came another way, or that ran under another
setting. What slows the machine slows both kinds, so their ratio stands.
"""

from __future__ import annotations

import contextlib
import gc
import math
from typing import Any

import torch

from kuaibao.doctor.ablations import DraftedPictures
from kuaibao.doctor.batches import same_values
from kuaibao.doctor.fetching import METER
from kuaibao.doctor.hooks import LoopHooks
from kuaibao.doctor.measured import StepRecord
from kuaibao.doctor.probes import read_items
from kuaibao.doctor.transport import (
    ArraysAsTensors,
    Narrowed,
    NarrowSamples,
    narrowing_of,
    restored,
    widened,
)

__all__ = ["STEP_CURES", "Treatment", "outcome"]

_LOADER_CURES = ("workers", "tensors_not_arrays", "narrow_dtypes", "jpeg_draft")
"""These ask a second loader over the same data set."""
STEP_CURES = (
    "ram_cache", "threads", "fused_optimizer", "anomaly_off", *_LOADER_CURES,
)  # fmt: skip
"""Cures that can be switched on and off between two steps of one run."""
_MAX_CHECKED = 3
_NEW_MEMORY = 2
"""Treated steps in a row whose batches lie in memory that the loop has to map first."""
_BLOCK = 8
"""Batches that are cached ahead: a block of treated steps (`schedule`) and those left out."""


class Treatment:
    """One cure, switched on for the treated steps of a session."""

    def __init__(self, hooks: LoopHooks, cure: str, options: dict[str, Any]) -> None:
        self.hooks = hooks
        self.cure = cure
        self.options = options
        self.is_filling = False
        self.checks: dict[str, Any] = {}
        self._cache: Any = None
        self._inner: Any = None
        self._inner_loader: Any = None
        self._fields: list[Narrowed] = []
        self._ahead: list[list[Any]] = []
        self._drawn = _Drawn()
        self._turns = 0
        self._open: contextlib.ExitStack | None = None

    def lag(self, loader: Any) -> int:
        """Treated steps to leave out at each change: batches that lie ready in the cure's queue.

        Twice as many: while the loop takes them, workers make more.
        """
        n_workers = int(self.options.get("n_workers", 0))
        ready = n_workers * (getattr(loader, "prefetch_factor", None) or 2)
        return max(2 * ready + 1 if self.cure in _LOADER_CURES else 0, _NEW_MEMORY)

    def prepare(self, loader: Any, indices: list[list[Any]]) -> None:
        """What a treated step needs before its clock starts."""
        self._open = contextlib.ExitStack()
        METER.muted = self.is_filling = True
        try:
            if self.cure == "ram_cache":
                self._fill(loader, indices)
            elif self.cure in _LOADER_CURES:
                self._start_inner(loader, indices)
            else:
                self._switch(self._open)
        finally:
            METER.muted = self.is_filling = False

    def take(self) -> tuple[bool, Any]:
        """The treated step's batch; (False, None) when the loader itself shall give it."""
        if self.cure == "ram_cache" or self.cure in _LOADER_CURES:
            return True, self._undone(self._next_inner())
        return False, None

    def _next_inner(self) -> Any:
        try:
            return next(self._inner)
        except StopIteration:
            self._inner = iter(self._inner_loader)
            return next(self._inner)

    def _undone(self, batch: Any) -> Any:
        if self.cure == "tensors_not_arrays":
            return restored(batch)
        return widened(batch, self._fields) if self.cure == "narrow_dtypes" else batch

    def leave(self) -> None:
        """The treated step is over."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _next_indices(self, indices: list[list[Any]]) -> list[Any]:
        self._turns += 1
        return indices[(self._turns - 1) % len(indices)]

    def _fill(self, loader: Any, indices: list[list[Any]]) -> None:
        from kuaibao.loading import RamCache

        collate = _plain(loader.collate_fn)
        if self._cache is None:
            budget = int(self.options.get("budget_bytes", 0))
            self._cache = RamCache(loader.dataset, budget_bytes=budget, check=False)
            self._cache.gather = getattr(collate, "__name__", "") == "default_collate"
            self._drawn.like = loader.batch_sampler or ()
            self._inner_loader = torch.utils.data.DataLoader(
                self._cache,
                batch_sampler=self._drawn,
                collate_fn=loader.collate_fn,
                pin_memory=loader.pin_memory,
            )
            self._inner = iter(self._inner_loader)
        if not self._ahead:
            # Filled before the block: steps of a block follow each other as in a cached training.
            self._ahead = [self._next_indices(indices) for _ in range(_BLOCK)]
            for chosen in self._ahead:
                self._cache.fill(chosen)
            self._compare(
                lambda: (
                    collate(self._cache.__getitems__(self._ahead[-1])),
                    collate(read_items(loader.dataset, self._ahead[-1])),
                )
            )
        self._drawn.indices = self._ahead.pop()

    def _compare(self, make: Any) -> None:
        """Whether the cure's batch is the loader's, bit for bit; looked at a few times."""
        if sum(self.checks.values()) < _MAX_CHECKED:
            mine, theirs = make()
            key = "same_batches" if same_values(mine, theirs) else "other_batches"
            self.checks[key] = self.checks.get(key, 0) + 1

    def _start_inner(self, loader: Any, indices: list[list[Any]]) -> None:
        dataset, collate = loader.dataset, _plain(loader.collate_fn)
        chosen = self._next_indices(indices)
        if self.cure == "narrow_dtypes":
            if not self._fields:
                self._fields = narrowing_of(read_items(dataset, chosen[:4]))
            dataset = NarrowSamples(dataset, self._fields)
        if self.cure == "tensors_not_arrays":
            collate = ArraysAsTensors(collate)
        if self.cure == "jpeg_draft":
            dataset = DraftedPictures(dataset, chosen[:2])
        if self.cure in ("narrow_dtypes", "tensors_not_arrays"):
            self._compare(
                lambda: (
                    self._undone(collate(read_items(dataset, chosen))),
                    _plain(loader.collate_fn)(read_items(loader.dataset, chosen)),
                )
            )
        if self._inner is None:
            self._inner_loader = self._loader_like(loader, dataset, collate)
            self._inner = iter(self._inner_loader)  # muted: its batches are not the loop's

    def _loader_like(self, loader: Any, dataset: Any, collate: Any) -> Any:
        n = int(self.options["n_workers"])
        return torch.utils.data.DataLoader(
            dataset,
            batch_sampler=loader.batch_sampler,
            collate_fn=collate,
            num_workers=n,
            prefetch_factor=loader.prefetch_factor if n else None,
            persistent_workers=n > 0,
            worker_init_fn=loader.worker_init_fn,
            multiprocessing_context=loader.multiprocessing_context if n else None,
            pin_memory=loader.pin_memory,
        )

    def _switch(self, stack: contextlib.ExitStack) -> None:
        """Set what the cure sets, and put it back when the stack is closed."""
        if self.cure == "threads":
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(int(self.options["threads"]))
        elif self.cure == "anomaly_off":
            stack.callback(torch.autograd.set_detect_anomaly, torch.is_anomaly_enabled())
            torch.autograd.set_detect_anomaly(False)
        elif self.cure == "fused_optimizer":
            for optimizer in self.hooks.optimizers:
                for group in optimizer.param_groups:
                    if "fused" in group:
                        stack.callback(group.update, fused=group["fused"], foreach=group["foreach"])
                        group.update(fused=True, foreach=False)

    def close(self) -> None:
        """Stop the cure's own workers."""
        self.leave()
        self._inner = None
        self._inner_loader = None
        gc.collect()


class _Drawn:
    """A batch sampler that gives what is laid into it, at the cost of the loader's own."""

    def __init__(self) -> None:
        self.like: Any = ()
        self.indices: list[Any] = []

    def __iter__(self) -> Any:
        """The indices that were laid in, each time after drawing some for nothing."""
        drawing = iter(self.like)
        while True:
            if next(drawing, None) is None:
                drawing = iter(self.like)
            yield self.indices


def _plain(collate: Any) -> Any:
    """A collate function without the doctor's stop-watch."""
    return getattr(collate, "original", collate)


def outcome(steps: list[StepRecord], cure: str, checks: dict[str, Any]) -> dict[str, Any] | None:
    """Seconds of untreated and treated steps, cycle by cycle; None when there are too few."""
    pairs: list[tuple[float, float]] = []
    for cycle in sorted({s.cycle for s in steps}):
        seconds: list[float] = []
        for mode in ("real", "treated"):
            walls = [
                s.wall
                for s in steps
                if s.cycle == cycle and s.mode == mode and not s.discard and not s.detail
            ]
            seconds.append(math.fsum(walls) / len(walls) if walls else 0.0)
        if all(seconds):
            pairs.append((seconds[0], seconds[1]))
    if len(pairs) < 2:
        return None
    return {
        "cure": cure,
        "untreated_s": [a for a, _ in pairs],
        "treated_s": [b for _, b in pairs],
        "checks": checks,
    }
