"""Rates and bounds: how fast the loop could go if only one thing held it back.

    step >= max(t_G, t_P / w, (c_G + c_P) / A)

t_G is the step without data work, t_P the making of one batch, c their CPU seconds, w the workers
and A the cores that can really be had. Without workers the two simply add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kuaibao.doctor.accounts import Accounts
from kuaibao.doctor.measured import Observation

__all__ = ["predicted_step_s", "rates"]


def predicted_step_s(
    compute_s: float, data_s: float, n_workers: int, cores: float, *, transfer_s: float = 0.0
) -> float:
    """Seconds of a step with `n_workers` (0: the loop makes its own batches).

    Args:
        compute_s: The step without data work.
        data_s: Making one batch in one process that has a core.
        n_workers: Worker processes.
        cores: Cores that can really be had.
        transfer_s: CPU seconds a batch for sending and receiving, only paid with workers.
    """
    if n_workers == 0:
        return compute_s + data_s
    work = compute_s + data_s + transfer_s
    return max(compute_s + transfer_s / 2, (data_s + transfer_s) / n_workers, work / cores)


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
