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

from kuaibao.doctor.batches import same_values
from kuaibao.doctor.fetching import METER
from kuaibao.doctor.measured import StepRecord

__all__ = ["STEP_CURES", "Treatment", "outcome"]

STEP_CURES = (
    "ram_cache",
    "workers",
    "jpeg_draft",
    "threads",
    "fused_optimizer",
    "anomaly_off",
)
"""Cures that can be switched on and off between two steps of one run."""
_MAX_CHECKED = 3


class Treatment:
    """One cure, switched on for the treated steps of a session."""

    def __init__(self, session: Any, cure: str, options: dict[str, Any]) -> None:
        self.session = session
        self.cure = cure
        self.options = options
        self.is_filling = False
        self.checks: dict[str, Any] = {}
        self._cache: Any = None
        self._inner: Any = None
        self._inner_loader: Any = None
        self._chosen: list[Any] = []
        self._turns = 0
        self._open: contextlib.ExitStack | None = None

    def lag(self) -> int:
        """Treated steps to leave out at each change: batches that lie ready in the cure's queue."""
        if self.cure != "workers":
            return 1
        return int(self.options["n_workers"]) * 2 + 1 if self.options["n_workers"] else 1

    def prepare(self, loader: Any, indices: list[list[Any]]) -> None:
        """What a treated step needs before its clock starts."""
        self._open = contextlib.ExitStack()
        if self.cure == "ram_cache":
            self._fill(loader, indices)
        elif self.cure == "workers":
            self._start_inner(loader)
        elif self.cure == "jpeg_draft":
            self._draft(loader, indices)
        else:
            self._switch(self._open)

    def take(self, loader: Any) -> tuple[bool, Any]:
        """The treated step's batch; (False, None) when the loader itself shall give it."""
        if self.cure == "ram_cache":
            return True, loader.collate_fn(self._cache.__getitems__(self._chosen))
        if self.cure == "workers":
            try:
                return True, next(self._inner)
            except StopIteration:
                self._inner = iter(self._inner_loader)
                return True, next(self._inner)
        if self.cure == "jpeg_draft":
            from kuaibao.doctor.probes import read_items

            return True, loader.collate_fn(read_items(loader.dataset, self._chosen))
        return False, None

    def leave(self) -> None:
        """The treated step is over."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _fill(self, loader: Any, indices: list[list[Any]]) -> None:
        from kuaibao.loading import RamCache

        METER.muted = True
        try:
            if self._cache is None:
                budget = int(self.options.get("budget_bytes", 0))
                self._cache = RamCache(loader.dataset, budget_bytes=budget, check=False)
                collate = getattr(loader.collate_fn, "original", loader.collate_fn)
                self._cache.gather = getattr(collate, "__name__", "") == "default_collate"
            self._chosen = indices[self._turns % len(indices)]
            self._turns += 1
            self._cache.fill(self._chosen)
            if self.checks.get("same_batches", 0) < _MAX_CHECKED:
                self._check(loader)
        finally:
            METER.muted = False

    def _check(self, loader: Any) -> None:
        """Whether the cache's batch is the loader's, bit for bit."""
        from kuaibao.doctor.probes import read_items

        mine = loader.collate_fn(self._cache.__getitems__(self._chosen))
        theirs = loader.collate_fn(read_items(loader.dataset, self._chosen))
        key = "same_batches" if same_values(mine, theirs) else "other_batches"
        self.checks[key] = self.checks.get(key, 0) + 1

    def _start_inner(self, loader: Any) -> None:
        if self._inner is not None:
            return
        n = int(self.options["n_workers"])
        self._inner_loader = torch.utils.data.DataLoader(
            loader.dataset,
            batch_sampler=loader.batch_sampler,
            collate_fn=getattr(loader.collate_fn, "original", loader.collate_fn),
            num_workers=n,
            prefetch_factor=loader.prefetch_factor if n else None,
            persistent_workers=n > 0,
            worker_init_fn=loader.worker_init_fn,
            multiprocessing_context=loader.multiprocessing_context if n else None,
            pin_memory=loader.pin_memory,
        )
        METER.muted = True  # forked workers inherit it: their batches are not the loop's
        try:
            self._inner = iter(self._inner_loader)
        finally:
            METER.muted = False

    def _draft(self, loader: Any, indices: list[list[Any]]) -> None:
        from kuaibao.doctor.probes import ResizeLog, drafted_jpegs, read_items

        self._chosen = indices[self._turns % len(indices)]
        self._turns += 1
        if not hasattr(self, "_resizes"):
            self._resizes = ResizeLog()
            with self._resizes.watching():
                read_items(loader.dataset, self._chosen[:2])
        if self._open is not None:
            self._open.enter_context(drafted_jpegs(self._resizes))

    def _switch(self, stack: contextlib.ExitStack) -> None:
        """Set what the cure sets, and put it back when the stack is closed."""
        if self.cure == "threads":
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(int(self.options["threads"]))
        elif self.cure == "anomaly_off":
            stack.callback(torch.autograd.set_detect_anomaly, torch.is_anomaly_enabled())
            torch.autograd.set_detect_anomaly(False)
        elif self.cure == "fused_optimizer":
            for optimizer in self.session.hooks.optimizers:
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


def outcome(steps: list[StepRecord], cure: str, checks: dict[str, Any]) -> dict[str, Any] | None:
    """Seconds of untreated and treated steps, cycle by cycle; None when there are too few."""
    pairs: list[tuple[float, float]] = []
    for cycle in sorted({s.cycle for s in steps}):
        seconds: list[float] = []
        for mode in ("real", "treated"):
            walls = [s.wall for s in steps if s.cycle == cycle and s.mode == mode and not s.discard]
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
