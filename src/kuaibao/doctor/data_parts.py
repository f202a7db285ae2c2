"""What the making of a batch consists of: from the fetches' records and the probes to shares."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from kuaibao.doctor.measured import Observation, ProbeRecord, StepRecord
from kuaibao.doctor.statistics import middle

__all__ = [
    "Sending",
    "Waiting",
    "data_parts",
    "explained_stall_s",
    "sending_of",
    "sending_seconds",
    "undelayed",
    "waiting_in",
]


@dataclass(frozen=True)
class Waiting:
    """Seconds of a batch's making in which its process sleeps and needs no core."""

    seconds: float = 0.0
    disk_s: float = 0.0
    """Seconds in which the disk gives what a batch reads of it, however many ask at once."""


_COPIED_A_SECOND = 2.5e9
"""Bytes that a read call copies from the page cache in a second, at best."""


def data_parts(seen: Observation, real: list[StepRecord]) -> dict[str, float]:
    """What a batch's making consists of; shares that sum to one."""
    rows = seen.workers if seen.loader.n_workers else [s.fetch for s in real if s.fetch]
    if not rows:
        return {"transfer": 1.0} if seen.loader.n_workers else {"collate": 1.0}
    parts = _from_records(rows)
    _refine(parts, seen.probes)
    if seen.loader.n_workers:
        _add_transfer(parts, seen, real)
    if sum(p.stored for p in seen.probes) * 2 > len(seen.probes):
        # Rows that lie in memory are fetched one by one to make a batch: nothing is transformed.
        parts["collate"] += parts["transform"]
        parts["transform"] = 0.0
    total = sum(parts.values()) or 1.0
    return {name: value / total for name, value in parts.items()}


def _from_records(rows: list[dict[str, float]]) -> dict[str, float]:
    """Seconds a batch by class, from the fetches' records."""

    def mean(name: str) -> float:
        return float(np.mean([row[name] for row in rows]))

    delayed = [row for row in rows if row["run_delay"] >= 0]
    blocked = float(
        np.mean(
            [max(0.0, r["items_wall"] - r["items_cpu"] - r["run_delay"]) for r in delayed] or [0.0]
        )
    )
    blocked = blocked if blocked > 0.05 * mean("items_wall") else 0.0
    slept, slept_decode = mean("slept_transform"), mean("slept_decode")
    asked = [r["bytes_read"] for r in rows if r["bytes_read"] >= 0]
    copying = float(np.mean(asked)) / _COPIED_A_SECOND if asked else 0.0
    rest = max(0.0, mean("items_cpu") - mean("decode_cpu") - mean("read_cpu"))
    reading = max(0.0, min(rest, copying - mean("read_cpu")))
    return {
        "disk": mean("read_cpu") + reading + max(0.0, blocked - slept - slept_decode),
        "decode": mean("decode_cpu") + slept_decode,
        "transform": rest - reading + slept,
        "collate": mean("collate_wall"),
        "transfer": 0.0,
        "memory": 0.0,
    }


@dataclass(frozen=True)
class Sending:
    """CPU seconds a batch for its way from a worker to the loop."""

    worker_s: float = 0.0
    loop_s: float = 0.0
    n_tensors: int = 0
    """For each the loop asks the worker, which answers between two stretches of its own work."""


def sending_of(seen: Observation, real: list[StepRecord]) -> Sending:
    """What sending costs: measured with workers, else estimated from the batch.

    A message, and each tensor in it, costs both sides the opening and mapping of a piece of shared
    memory: some tens of times what a plain sample costs (measured: 0.15 and 0.1 ms against 2.3 us).
    Bytes are written into pages that are new to the worker and then read from pages that are new to
    the loop, which takes about a quarter of that.
    """
    if seen.loader.n_workers:
        received = [max(0.0, s.cpu["wait"] - s.drawn_s) for s in real]
        n = len(seen.loader.tensors)
        return Sending(sending_seconds(seen.workers), float(np.mean(received)), n)
    unit = float(seen.settings.get("plain_sample_s", 0.0)) or 2.3e-6
    message = (_A_MESSAGE + _A_TENSOR * max(1, len(seen.loader.tensors))) * unit
    shared = middle([p.share_s for p in seen.probes if p.share_s is not None])
    shared = shared or seen.loader.batch_bytes / 2e9
    pickled = middle([p.pickle_s for p in seen.probes if p.pickle_s is not None]) / 2
    piped = seen.loader.non_tensor_bytes / _PIPED_A_SECOND
    in_loop = message + shared / 4 + pickled + piped
    return Sending(message + shared + pickled + piped, in_loop, len(seen.loader.tensors))


_A_MESSAGE, _A_TENSOR = 65, 45
_PIPED_A_SECOND = 1.8e9
"""Bytes a second that a pipe takes or gives."""

_BLOCK_BYTES = 512


def waiting_in(rows: list[dict[str, float]], data_s: float, probes: list[ProbeRecord]) -> Waiting:
    """How much of a batch's making is sleeping, and on what, by the fetches' records.

    Args:
        rows: One record a batch.
        data_s: Seconds to make a batch in one process.
        probes: They know the disk's pace.
    """
    delayed = [row for row in rows if row["run_delay"] >= 0]
    if not delayed:
        return Waiting()
    made = [max(1e-9, r["items_wall"] + r["collate_wall"] - r["run_delay"]) for r in delayed]
    blocked = [max(0.0, r["items_wall"] - r["items_cpu"] - r["run_delay"]) for r in delayed]
    share = sum(blocked) / sum(made)
    if share < 0.05:
        return Waiting()
    waited_s = min(1.0, share) * data_s
    n_bytes = _BLOCK_BYTES * middle([row["blocks_read"] for row in delayed])
    a_second = middle([p.disk_bytes_a_second for p in probes if p.disk_bytes_a_second is not None])
    # Not probed: eight readers get about twice from a disk what one gets.
    return Waiting(waited_s, n_bytes / a_second if a_second else waited_s / 2 * (n_bytes > 0))


def undelayed(rows: list[dict[str, float]], *names: str) -> float:
    """Median seconds a batch of these parts of its making, had there been a core all the time."""
    return middle(
        [
            max(0.0, sum(row[name] for name in names) - row["run_delay"])
            for row in rows
            if row["run_delay"] >= 0
        ]
    )


def _refine(parts: dict[str, float], probes: list[ProbeRecord]) -> None:
    """Let the probes move time between classes where an ablation proves it."""
    if not probes:
        return
    read = middle(
        [max(0.0, p.warm_s - p.memory_s) / p.warm_s for p in probes if p.memory_s is not None]
    )
    items = parts["disk"] + parts["decode"] + parts["transform"]
    missing = read * items - parts["disk"]
    if read > 0.25 and missing > 0:
        moved = min(parts["transform"], missing)
        parts["transform"] -= moved
        parts["disk"] += moved
    drafted = [p for p in probes if p.draft_s is not None]
    if drafted:
        # What a decode at the right size saves is decoding, also where the resize paid for it.
        saved = middle([max(0.0, p.warm_s - (p.draft_s or 0.0)) / p.warm_s for p in drafted])
        missing = saved * items - parts["decode"]
        moved = max(0.0, min(parts["transform"], missing))
        parts["transform"] -= moved
        parts["decode"] += moved
    large = [p for p in probes if p.collate_large_arena_s is not None]
    if large and len(large) * 2 >= len(probes):
        faulting = middle(
            [
                max(
                    0.0,
                    1.0 - (p.collate_large_arena_s or 0.0) / (p.collate_faulting_s or p.collate_s),
                )
                for p in large
            ]
        )
        parts["memory"] += parts["collate"] * faulting
        parts["collate"] *= 1.0 - faulting


def _add_transfer(parts: dict[str, float], seen: Observation, real: list[StepRecord]) -> None:
    """Workers' own cost of sending, the loop's of receiving, and what workers take from it."""
    _move_shared_memory(parts, seen)
    sending = sending_seconds(seen.workers)
    n_workers = max(1, min(seen.loader.n_workers, round(seen.cores)))
    receiving = float(np.mean([max(0.0, s.cpu["wait"] - s.drawn_s) for s in real]))
    parts["transfer"] += sending + receiving * n_workers
    probes = seen.probes
    if not probes:
        return
    alone = middle([p.warm_s + p.collate_s for p in probes])
    repeat = [s.wall for s in seen.steps if s.mode == "repeat" and not s.discard]
    if not repeat:
        return
    # Neighbours on the machine slow the workers too: that is no fault of having workers.
    without_workers = middle(repeat) + alone * _worker_delay(seen.workers)
    step = _mean_wall(real)
    if step > 1.25 * without_workers:
        # The loop would be faster without any worker: that part of the stall is theirs.
        harm = (step - without_workers) / max(1e-9, step - middle(repeat))
        others = sum(value for name, value in parts.items() if name != "transfer")
        wanted = others * harm / max(0.02, 1.0 - harm)
        parts["transfer"] = max(parts["transfer"], wanted)


def _move_shared_memory(parts: dict[str, float], seen: Observation) -> None:
    """The default collate of a worker writes into fresh shared memory: that is sending.

    Its page faults tell it; what collating costs without them is known from the probes.
    """
    faults = float(np.mean([row["faults_collate"] for row in seen.workers]))
    if not seen.probes or faults < 500:
        return
    alone = middle([p.collate_s for p in seen.probes])
    moved = max(0.0, parts["collate"] - alone)
    parts["collate"] -= moved
    parts["transfer"] += moved


def _worker_delay(rows: list[dict[str, float]]) -> float:
    """How many times longer the workers took because they had no core."""
    delayed = [row for row in rows if row["run_delay"] >= 0]
    wall = sum(row["end"] - row["start"] for row in delayed)
    running = wall - sum(row["run_delay"] for row in delayed)
    return max(1.0, wall / running) if running > 0 else 1.0


def sending_seconds(rows: list[dict[str, float]]) -> float:
    """CPU seconds a batch that a worker spends outside its fetches (pickling, sending)."""
    costs = [
        max(
            0.0,
            after["process_cpu"]
            - before["process_cpu"]
            - after["items_cpu"]
            - after["collate_cpu"],
        )
        for before, after in _consecutive(rows)
    ]
    return middle(costs)


def explained_stall_s(seen: Observation) -> float | None:
    """Seconds a batch that workers, sending and receiving can cost, were there one core for all.

    None without workers, or when too little of them is known.
    """
    if not seen.loader.n_workers or len(seen.workers) < 4:
        return None
    blocked = [
        max(0.0, row["items_wall"] - row["items_cpu"] - row["run_delay"])
        for row in seen.workers
        if row["run_delay"] >= 0
    ]
    working = [
        max(0.0, after["process_cpu"] - before["process_cpu"])
        for before, after in _consecutive(seen.workers)
    ]
    received = [s.cpu["wait"] for s in seen.steps if s.mode == "real" and not s.discard]
    parts = (float(np.mean(values)) for values in (blocked, working, received) if values)
    return sum(parts) if working else None


def _consecutive(
    rows: list[dict[str, float]],
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Batches that one worker made one after the other."""
    by_worker: dict[float, list[dict[str, float]]] = {}
    for row in rows:
        by_worker.setdefault(row["pid"], []).append(row)
    return [pair for found in by_worker.values() for pair in itertools.pairwise(found)]


def _mean_wall(steps: list[StepRecord]) -> float:
    return float(np.mean([s.wall for s in steps]))
