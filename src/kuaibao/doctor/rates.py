"""Rates and bounds: how fast the loop could go if only one thing held it back.

    step >= max(t_G, t_P / w, (c_G + c_P) / A, d_P)

t_G is the step without data work, t_P the making of one batch, c their CPU seconds, w the workers
and A the cores that can really be had; d_P are the seconds in which the disk
gives what a batch reads of it, however many workers ask. Without workers the two simply add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kuaibao.doctor.accounts import Accounts
from kuaibao.doctor.data_parts import Sending, Waiting
from kuaibao.doctor.measured import Observation

__all__ = ["predicted_step_s", "rates"]


def predicted_step_s(
    compute_s: float, data_s: float, n_workers: int, cores: float, *, sending: Sending = Sending(),
    waiting: Waiting = Waiting(),
) -> float:  # fmt: skip
    """Seconds of a step with `n_workers` (0: the loop makes its own batches).

    Args:
        compute_s: The step without data work.
        data_s: Making one batch in one process that has a core.
        n_workers: Worker processes.
        cores: Cores that can really be had.
        sending: What it costs to send a batch, only paid with workers.
        waiting: The part of `data_s` that needs no core.
    """
    if n_workers == 0:
        return compute_s + data_s
    loop_s, worker_s = compute_s + sending.loop_s, data_s + sending.worker_s
    work = loop_s + worker_s - waiting.seconds
    return max(
        loop_s + _ASKING * sending.n_tensors * min(data_s, _SWITCH_S),
        worker_s / n_workers,
        work / cores,
        waiting.disk_s,
    )


_ASKING, _SWITCH_S = 0.08, 6e-3
"""Part of a batch's making that passes until a busy worker hands over one tensor's memory; no more
than about what Python lets a thread run before another's turn (measured with batches of Python work
of 0.5 to 12 ms and 1 to 24 tensors)."""


def rates(seen: Observation, accounts: Accounts | None) -> dict[str, Any]:
    """Samples a second: as it runs, and if only compute, preparation or the disk held it back."""
    if accounts is None:
        return {}
    real = [s for s in seen.steps if s.mode == "real" and not s.discard]
    batch = float(np.median([s.n_samples for s in real])) if real else 0.0
    found: dict[str, Any] = {
        "batch_size": batch,
        "step_s": accounts.step_s,
        "compute_step_s": accounts.compute_s,
        "data_batch_s": accounts.data_s,
        "samples_per_s": batch / max(1e-9, accounts.step_s),
        "compute_samples_per_s": batch / max(1e-9, accounts.compute_s),
        "preparation_samples_per_s": batch / max(1e-9, accounts.data_s),
        "cores": seen.cores,
    }
    if seen.probes:
        cold = float(np.median([p.cold_s + p.collate_s for p in seen.probes]))
        size = float(np.median([p.file_bytes for p in seen.probes]))
        disk_s = float(np.median([max(0.0, p.cold_s - p.warm_s) for p in seen.probes]))
        found["cold_preparation_samples_per_s"] = batch / max(1e-9, cold)
        if size and disk_s > 1e-6:
            found["disk_bytes_per_s"] = size / disk_s
    return found
