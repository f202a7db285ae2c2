"""From steps to shares: what part of a step each class of work takes, cycle by cycle.

The data stall comes from the ablation, `1 - repeated / real`, so that it holds what workers take
from the loop's cores as well as what the loop waits for. Inside the stall, the fetches' own
records say what the time went on; inside the rest, the repeated steps do.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kuaibao.doctor.measured import Observation, ProbeRecord, StepRecord

__all__ = ["CLASSES", "DATA_CLASSES", "Accounts", "build_accounts", "sending_seconds"]

DATA_CLASSES = ("disk", "decode", "transform", "collate", "transfer", "memory")
BODY_CLASSES = (
    "host_to_device",
    "forward",
    "loss",
    "backward",
    "optimizer",
    "synchronization",
    "python",
)
CLASSES = (*DATA_CLASSES, *BODY_CLASSES, "startup")


_COPIED_A_SECOND = 2.5e9
"""Bytes that a read call copies from the page cache in a second, at best."""


@dataclass(frozen=True)
class Accounts:
    """Shares of a step's time; they sum to one over `CLASSES` less `startup`."""

    cycles: list[dict[str, float]]
    """One row of shares a cycle."""
    step_s: float
    """Seconds of a real step."""
    compute_s: float
    """Seconds of a step whose batch costs nothing."""
    real_s: list[float]
    repeat_s: list[float]
    """Mean seconds of real and repeated steps, cycle by cycle."""
    wait_s: float
    startup_s: float
    startup_share: float
    data_s: float
    """Seconds to make one batch without workers."""
    data_parts: dict[str, float] = field(default_factory=dict)
    detail: dict[str, float] = field(default_factory=dict)
    n_real: int = 0
    is_training: bool = True

    def share(self, name: str) -> float:
        """Median share of a class over the cycles."""
        return float(np.median([row[name] for row in self.cycles])) if self.cycles else 0.0


def build_accounts(seen: Observation) -> Accounts | None:
    """The accounts of the examined loader's steps; None when there are too few."""
    steps = _steps_of_loader(seen)
    real = [s for s in steps if s.mode == "real" and not s.discard]
    if len(real) < 3:
        real = [s for s in steps if s.mode == "real"][1:]
    if len(real) < 3:
        return None
    repeat = [s for s in steps if s.mode == "repeat" and not s.discard]
    detail = _detail(real)
    undisturbed = [s for s in real if not s.detail]  # the glass slows a step with many calls
    if len(undisturbed) >= max(3, len(real) // 3):
        real = undisturbed
    parts = _data_parts(seen, real)
    pairs = _pairs(real, repeat)
    rows = [
        _shares(cycle_real, cycle_repeat, parts if seen.loader.n_workers else None, seen, detail)
        for cycle_real, cycle_repeat in pairs
    ]
    step_s = _middle([_mean_wall(r) for r, _ in pairs])
    compute_s = _middle(
        [_mean_wall(rep) if rep else _mean_wall(r) - _mean_wait(r) for r, rep in pairs]
    )
    startup_s = _startup_seconds(seen, real)
    n_batches = _batches_an_iteration(seen)
    return Accounts(
        cycles=rows,
        step_s=step_s,
        compute_s=min(compute_s, step_s),
        real_s=[_mean_wall(r) for r, _ in pairs],
        repeat_s=[_mean_wall(rep) for _, rep in pairs if rep],
        wait_s=_middle([_mean_wait(r) for r, _ in pairs]),
        startup_s=startup_s,
        startup_share=max(
            startup_s / (startup_s + n_batches * step_s), _script_share(seen, step_s, startup_s)
        ),
        data_s=_data_seconds(seen, real, parts),
        data_parts=parts,
        detail=detail,
        n_real=len(real),
        is_training=sum(s.has_backward for s in real) > len(real) / 2,
    )


def _steps_of_loader(seen: Observation) -> list[StepRecord]:
    loaders = seen.settings.get("step_loader", [])
    wanted = seen.settings.get("loader")
    if wanted is None or len(loaders) != len(seen.steps):
        return seen.steps
    return [step for step, loader in zip(seen.steps, loaders, strict=True) if loader == wanted]


def _pairs(
    real: list[StepRecord], repeat: list[StepRecord]
) -> list[tuple[list[StepRecord], list[StepRecord]]]:
    """Real and repeated steps that stand next to each other."""
    cycles = sorted({s.cycle for s in real})
    pairs = [
        ([s for s in real if s.cycle == c], [s for s in repeat if s.cycle == c]) for c in cycles
    ]
    whole = [(r, rep) for r, rep in pairs if rep]
    if len(whole) >= 2:
        return whole
    if repeat:
        return [(real, repeat)]
    # Nothing was repeated: split the steps into groups, so that there is a spread to see.
    n_group = max(1, min(8, len(real) // 3))
    return [([*group], []) for group in np.array_split(np.array(real, dtype=object), n_group)]


def _middle(values: list[float]) -> float:
    return float(np.median(values)) if values else 0.0


def _mean_wall(steps: list[StepRecord]) -> float:
    return float(np.mean([s.wall for s in steps]))


def _mean_wait(steps: list[StepRecord]) -> float:
    return float(np.mean([s.regions["wait"] for s in steps]))


def _detail(real: list[StepRecord]) -> dict[str, float]:
    """What the looked-at steps say, as medians."""
    looked = [s.detail for s in real if s.detail]
    if not looked:
        return {}

    def middle(of: Any) -> float:
        return _middle([of(d) for d in looked])

    found = {name: middle(lambda d, n=name: d[n]) for name in _COUNTS}
    for region in ("python", "between", "forward", "loss"):
        for kind in ("loss", "optimizer", "synchronization", "host_to_device"):
            found[f"{region}>{kind}"] = middle(
                lambda d, r=region, k=kind: d["moved"].get(r, {}).get(k, 0.0)
            )
    return found


_COUNTS = ("n_calls", "n_forward_calls", "n_loss_calls", "n_synchronizations")


def _shares(
    real: list[StepRecord], repeat: list[StepRecord], parts: dict[str, float] | None,
    seen: Observation, detail: dict[str, float],
) -> dict[str, float]:  # fmt: skip
    wall = _mean_wall(real)
    stall = 1.0 - _mean_wall(repeat) / wall if repeat else _mean_wait(real) / wall
    stall = min(1.0, max(0.0, stall, 0.0))
    own_parts = parts if parts is not None else _data_parts(seen, real)
    row = {name: stall * own_parts.get(name, 0.0) for name in DATA_CLASSES}
    body = _body(repeat or real, detail)
    total = sum(body.values()) or 1.0
    row.update({name: (1.0 - stall) * body[name] / total for name in BODY_CLASSES})
    row["startup"] = 0.0
    return row


def _body(steps: list[StepRecord], detail: dict[str, float]) -> dict[str, float]:
    """Seconds by class of a step without data work."""
    mean = {name: float(np.mean([s.regions[name] for s in steps])) for name in steps[0].regions}
    found = {name: mean[name] for name in BODY_CLASSES}
    if not detail:
        found["loss"] += mean["between"]
        return found
    few = detail["n_synchronizations"] <= 12
    for region in ("python", "between", "forward", "loss"):
        left = mean[region]
        for kind in ("loss", "optimizer", "synchronization", "host_to_device"):
            moved = mean[region] * detail[f"{region}>{kind}"]
            if kind == region:
                continue
            if kind == "synchronization" and few and moved < 0.1 * sum(mean.values()):
                continue  # one `.item()` waits for the device: that is the device's time
            found[kind] += moved
            left -= moved
        if region == "between":
            found["python"] += max(0.0, left)
        else:
            found[region] -= mean[region] - left
    if mean["forward"] <= 0:
        found["forward"] += found["loss"]  # no module ran: the model is written out in the loop
        found["loss"] = 0.0
    return found


def _data_parts(seen: Observation, real: list[StepRecord]) -> dict[str, float]:
    """What a batch's making consists of; shares that sum to one."""
    rows = seen.workers if seen.loader.n_workers else [s.fetch for s in real if s.fetch]
    if not rows:
        return {"transfer": 1.0} if seen.loader.n_workers else {"collate": 1.0}
    parts = _from_records(rows)
    _refine(parts, seen.probes)
    if seen.loader.n_workers:
        _add_transfer(parts, seen, real)
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


def _refine(parts: dict[str, float], probes: list[ProbeRecord]) -> None:
    """Let the probes move time between classes where an ablation proves it."""
    if not probes:
        return
    read = _middle(
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
        saved = _middle([max(0.0, p.warm_s - (p.draft_s or 0.0)) / p.warm_s for p in drafted])
        missing = saved * items - parts["decode"]
        moved = max(0.0, min(parts["transform"], missing))
        parts["transform"] -= moved
        parts["decode"] += moved
    large = [p for p in probes if p.collate_large_arena_s is not None]
    if large and len(large) * 2 >= len(probes):
        faulting = _middle(
            [max(0.0, 1.0 - (p.collate_large_arena_s or 0.0) / p.collate_s) for p in large]
        )
        parts["memory"] += parts["collate"] * faulting
        parts["collate"] *= 1.0 - faulting


def _add_transfer(parts: dict[str, float], seen: Observation, real: list[StepRecord]) -> None:
    """Workers' own cost of sending, the loop's of receiving, and what workers take from it."""
    sending = sending_seconds(seen.workers)
    n_workers = max(1, min(seen.loader.n_workers, round(seen.cores)))
    receiving = float(np.mean([s.cpu["wait"] for s in real]))
    parts["transfer"] += sending + receiving * n_workers
    probes = seen.probes
    if not probes:
        return
    alone = _middle([p.warm_s + p.collate_s for p in probes])
    repeat = [s.wall for s in seen.steps if s.mode == "repeat" and not s.discard]
    if not repeat:
        return
    # Neighbours on the machine slow the workers too: that is no fault of having workers.
    without_workers = _middle(repeat) + alone * _worker_delay(seen.workers)
    step = _mean_wall(real)
    if step > 1.25 * without_workers:
        # The loop would be faster without any worker: that part of the stall is theirs.
        harm = (step - without_workers) / max(1e-9, step - _middle(repeat))
        others = sum(value for name, value in parts.items() if name != "transfer")
        wanted = others * harm / max(0.02, 1.0 - harm)
        parts["transfer"] = max(parts["transfer"], wanted)


def _worker_delay(rows: list[dict[str, float]]) -> float:
    """How many times longer the workers took because they had no core."""
    delayed = [row for row in rows if row["run_delay"] >= 0]
    wall = sum(row["end"] - row["start"] for row in delayed)
    running = wall - sum(row["run_delay"] for row in delayed)
    return max(1.0, wall / running) if running > 0 else 1.0


def sending_seconds(rows: list[dict[str, float]]) -> float:
    """CPU seconds a batch that a worker spends outside its fetches (pickling, sending)."""
    by_worker: dict[float, list[dict[str, float]]] = {}
    for row in rows:
        by_worker.setdefault(row["pid"], []).append(row)
    costs: list[float] = []
    for found in by_worker.values():
        for before, after in itertools.pairwise(found):
            own = after["items_cpu"] + after["collate_cpu"]
            costs.append(max(0.0, after["process_cpu"] - before["process_cpu"] - own))
    return _middle(costs)


def _data_seconds(seen: Observation, real: list[StepRecord], parts: dict[str, float]) -> float:
    """Seconds to make one batch in one process that has a core for itself."""
    if not seen.loader.n_workers:
        return _middle([s.regions["wait"] for s in real])
    if seen.probes:
        return _middle([p.warm_s + p.collate_s for p in seen.probes])
    cpu = [row["items_cpu"] + row["collate_cpu"] for row in seen.workers]
    return _middle(cpu)


def _startup_seconds(seen: Observation, real: list[StepRecord]) -> float:
    """Seconds that each new iteration over the loader costs before its first batch."""
    loader = seen.settings.get("loader")
    epochs = [e for e in seen.epochs if loader is None or e.loader == loader]
    if not epochs:
        return 0.0
    later = epochs[1:] or epochs
    if len(epochs) == 1 and seen.loader.persistent_workers:
        return 0.0
    usual = _middle([s.regions["wait"] for s in real])
    one_batch = max(usual, _batch_seconds(seen))
    costs = [max(0.0, e.iter_s + e.first_wait_s - one_batch) + e.end_s for e in later]
    return _middle(costs)


def _batches_an_iteration(seen: Observation) -> float:
    """Batches over which an iteration's start is spread; a loop may leave its loader early."""
    loader = seen.settings.get("loader")
    taken = [e.n_batches for e in seen.epochs if loader is None or e.loader == loader]
    named = seen.loader.n_batches if seen.loader.n_batches > 0 else 10**9
    return min(named, _middle([float(n) for n in taken[:-1]])) if len(taken) > 3 else named


def _script_share(seen: Observation, step_s: float, startup_s: float) -> float:
    """Share of a short training that goes before its second batch: the script's own set-up.

    How long the user means to train isn't known: three epochs are supposed, or what was seen when
    the script came to its end, and at least twelve seconds.
    """
    loader = seen.settings.get("loader")
    first = next((e for e in seen.epochs if loader is None or e.loader == loader), None)
    lazy = first.iter_s + first.first_wait_s - startup_s - step_s if first else 0.0
    own = float(seen.settings.get("own_setup_s", 0.0))
    spent = max(0.0, own + max(0.0, lazy - 0.5) - 1.0)
    n_batches = max(0, seen.loader.n_batches)
    training = seen.seconds if seen.ended == "script" else 3 * n_batches * step_s
    return spent / (spent + max(12.0, training)) if spent else 0.0


def _batch_seconds(seen: Observation) -> float:
    return _middle([row["end"] - row["start"] for row in seen.workers])
