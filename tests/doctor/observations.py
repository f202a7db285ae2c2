"""Observations made by hand: no process is started and no clock read."""

from __future__ import annotations

from typing import Any

from kuaibao.doctor.measured import LoaderFacts, Observation, ProbeRecord, StepRecord
from kuaibao.doctor.timeline import REGIONS

FETCH = {
    "pid": 1.0, "worker": -1.0, "start": 0.0, "end": 0.0, "items_wall": 0.08, "items_cpu": 0.08,
    "collate_wall": 0.002, "collate_cpu": 0.002, "decode_wall": 0.07, "decode_cpu": 0.07,
    "read_wall": 0.001, "read_cpu": 0.001, "run_delay": 0.0, "faults_items": 0.0,
    "faults_collate": 0.0, "major_faults": 0.0, "blocks_read": 0.0, "process_cpu": 0.0,
    "samples": 16.0, "system_cpu": 0.0, "slept_transform": 0.0, "slept_decode": 0.0,
    "bytes_read": 0.0, "delay_before": 0.0,
}  # fmt: skip


def step(mode: str, cycle: int, **regions: Any) -> StepRecord:
    """One step with these seconds by region."""
    seconds = {name: regions.get(name, 0.0) for name in REGIONS}
    fetch = {**FETCH, **regions.get("fetch", {})} if mode == "real" else None
    return StepRecord(
        mode=mode, cycle=cycle, wall=sum(seconds.values()), regions=seconds, cpu=dict(seconds),
        n_samples=16, start=0.0, fetch=fetch, has_backward=True,
    )  # fmt: skip


def observed(
    n_cycles: int = 6, fetch: dict[str, float] | None = None, jitter: float = 0.0, **body: float
) -> Observation:
    """Real and repeated steps in turn; `jitter` makes every other cycle slower."""
    steps = []
    for cycle in range(n_cycles):
        drift = 1.0 + jitter * (-1) ** cycle
        scaled = {k: v * drift for k, v in body.items()}
        rest = {k: v for k, v in scaled.items() if k != "wait"}
        steps += [step("real", cycle, fetch=fetch or {}, **scaled) for _ in range(4)]
        steps += [step("repeat", cycle, **rest) for _ in range(3)]
    return Observation(
        steps=steps, loader=LoaderFacts(batch_size=16, n_batches=1000, n_dataset=16000),
        settings={"plain_sample_s": 3e-6}, environment={"memory_free_bytes": 10**10}, cores=2.0,
        ended="seconds", seconds=20.0,
    )  # fmt: skip


def probe(**values: Any) -> ProbeRecord:
    """A climb over the ladder, with these figures."""
    known = {
        "cold_s": 1.0, "warm_s": 1.0, "memory_s": None, "collate_s": 0.1,
        "collate_large_arena_s": None, "gather_s": None, "draft_s": None, "decode_s": 0.0,
        "pickle_s": None, "deterministic": True, "n_files": 32, "file_bytes": 0, "sample_bytes": 1,
        "batch_bytes": 1, "n_samples": 32, "faults_collate": 0.0, "residency_before": 0.0,
        "residency_evicted": 0.0,
    }  # fmt: skip
    return ProbeRecord(**{**known, **values})
