"""From steps to shares: what part of a step each class of work takes, cycle by cycle.

The data stall comes from the ablation, `1 - repeated / real`, so that it holds what workers take
from the loop's cores as well as what the loop waits for. Inside the stall, the fetches' own
records say what the time went on; inside the rest, the repeated steps do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kuaibao.doctor.data_parts import (
    Sending,
    Waiting,
    data_parts,
    explained_stall_s,
    sending_of,
    undelayed,
    waiting_in,
)
from kuaibao.doctor.measured import Observation, StepRecord
from kuaibao.doctor.statistics import middle

__all__ = ["CLASSES", "DATA_CLASSES", "Accounts", "build_accounts"]

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


@dataclass(frozen=True)
class Accounts:
    """Shares of a step's time; they sum to one over `CLASSES` less `startup`."""

    cycles: list[dict[str, float]]
    """One row of shares a cycle."""
    step_s: float
    """Seconds of a real step."""
    compute_s: float
    """Seconds of a step whose batch costs nothing; drawing its indices still does."""
    real_s: list[float]
    repeat_s: list[float]
    """Mean seconds of real and repeated steps, cycle by cycle."""
    wait_s: float
    startup_s: float
    startup_share: float
    data_s: float
    """Seconds to make one batch without workers."""
    waiting: Waiting
    """The part of them in which nothing runs."""
    sending: Sending
    items_s: float
    """Seconds to read a batch's samples: in a worker, where there are any."""
    worker_s: float
    """Seconds to make one batch in a worker, its memory shared."""
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
    parts = data_parts(seen, real)
    pairs = _pairs(real, repeat)
    most = explained_stall_s(seen)
    rows = [
        _shares(
            cycle_real, cycle_repeat, parts if seen.loader.n_workers else None, seen, detail, most
        )
        for cycle_real, cycle_repeat in pairs
    ]
    step_s = middle([_mean_wall(r) for r, _ in pairs])
    compute_s = middle(
        [
            _mean_drawn(r) + (_mean_wall(rep) if rep else _mean_wall(r) - _mean_wait(r))
            for r, rep in pairs
        ]
    )
    data_s = _data_seconds(seen, real)
    fetched = seen.workers if seen.loader.n_workers else [s.fetch for s in real if s.fetch]
    startup_s = _startup_seconds(seen, real)
    n_batches = _batches_an_iteration(seen)
    return Accounts(
        cycles=rows,
        step_s=step_s,
        compute_s=min(compute_s, step_s),
        real_s=[_mean_wall(r) for r, _ in pairs],
        repeat_s=[_mean_drawn(r) + _mean_wall(rep) for r, rep in pairs if rep],
        wait_s=middle([_mean_wait(r) for r, _ in pairs]),
        startup_s=startup_s,
        startup_share=max(
            startup_s / (startup_s + n_batches * step_s), _script_share(seen, step_s, startup_s)
        ),
        data_s=data_s,
        waiting=waiting_in(fetched, data_s, seen.probes),
        sending=sending_of(seen, real),
        items_s=undelayed(fetched, "items_wall") or _probed_items_s(seen),
        worker_s=undelayed(seen.workers, "items_wall", "collate_wall") or data_s,
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


def _mean_wall(steps: list[StepRecord]) -> float:
    return float(np.mean([s.wall for s in steps]))


def _mean_wait(steps: list[StepRecord]) -> float:
    return float(np.mean([s.regions["wait"] for s in steps]))


def _mean_drawn(steps: list[StepRecord]) -> float:
    return float(np.mean([s.drawn_s for s in steps]))


def _detail(real: list[StepRecord]) -> dict[str, float]:
    """What the looked-at steps say, as medians."""
    looked = [s.detail for s in real if s.detail]
    if not looked:
        return {}

    def usual(of: Any) -> float:
        return middle([of(d) for d in looked])

    found = {name: usual(lambda d, n=name: d[n]) for name in _COUNTS}
    for region in ("python", "between", "forward", "loss"):
        for kind in ("loss", "optimizer", "synchronization", "host_to_device"):
            found[f"{region}>{kind}"] = usual(
                lambda d, r=region, k=kind: d["moved"].get(r, {}).get(k, 0.0)
            )
    return found


_COUNTS = ("n_calls", "n_forward_calls", "n_loss_calls", "n_synchronizations")


def _shares(
    real: list[StepRecord], repeat: list[StepRecord], parts: dict[str, float] | None,
    seen: Observation, detail: dict[str, float], most_s: float | None,
) -> dict[str, float]:  # fmt: skip
    stall = _stall(real, repeat, most_s)
    drawing = min(stall, _mean_drawn(real) / _mean_wall(real))
    own_parts = parts if parts is not None else data_parts(seen, real)
    row = {name: (stall - drawing) * own_parts.get(name, 0.0) for name in DATA_CLASSES}
    body = _body(repeat or real, detail)
    total = sum(body.values()) or 1.0
    row.update({name: (1.0 - stall) * body[name] / total for name in BODY_CLASSES})
    row["python"] += drawing
    row["startup"] = 0.0
    return row


_ROOM = 1.5
"""How far a stall may go beyond the work that explains it: caches that the work displaced."""


def _stall(real: list[StepRecord], repeat: list[StepRecord], most_s: float | None) -> float:
    """Share of a real step that its data takes."""
    wall, wait = _mean_wall(real), _mean_wait(real)
    if not repeat:
        return min(1.0, wait / wall)
    body = _mean_wall(repeat)
    # Work for the data in this process is all within the wait; in workers it is known by its CPU
    # seconds. What a real step takes beyond that is a neighbour's doing.
    limit = _ROOM * (wait if most_s is None else most_s)
    stall_s = min(max(0.0, wall - body), limit)
    return stall_s / (stall_s + body) if stall_s else 0.0


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


def _data_seconds(seen: Observation, real: list[StepRecord]) -> float:
    """Seconds to make one batch in one process that has a core for itself."""
    if not seen.loader.n_workers:
        return middle([max(0.0, s.regions["wait"] - s.drawn_s) for s in real])
    if seen.probes:
        return middle([p.made_s or p.warm_s + p.collate_s for p in seen.probes])
    cpu = [row["items_cpu"] + row["collate_cpu"] for row in seen.workers]
    return middle(cpu)


def _probed_items_s(seen: Observation) -> float:
    return middle([p.warm_s for p in seen.probes])


def _startup_seconds(seen: Observation, real: list[StepRecord]) -> float:
    """Seconds that each new iteration over the loader costs before its first batch."""
    loader = seen.settings.get("loader")
    epochs = [e for e in seen.epochs if loader is None or e.loader == loader]
    if not epochs:
        return 0.0
    later = epochs[1:] or epochs
    if len(epochs) == 1 and seen.loader.persistent_workers:
        return 0.0
    usual = middle([s.regions["wait"] for s in real])
    one_batch = max(usual, _batch_seconds(seen))
    crowded = _crowded_start_s(seen)
    costs = [max(0.0, e.iter_s + e.first_wait_s - crowded - one_batch) + e.end_s for e in later]
    return middle(costs)


def _crowded_start_s(seen: Observation) -> float:
    """Seconds of a worker's start in which it had no core: a neighbour's doing."""
    first: dict[float, float] = {}
    for row in seen.workers:
        first.setdefault(row["pid"], row.get("delay_before", -1.0))
    return middle([delay for delay in first.values() if delay >= 0])


def _batches_an_iteration(seen: Observation) -> float:
    """Batches over which an iteration's start is spread; a loop may leave its loader early."""
    loader = seen.settings.get("loader")
    taken = [e.n_batches for e in seen.epochs if loader is None or e.loader == loader]
    named = seen.loader.n_batches if seen.loader.n_batches > 0 else 10**9
    return min(named, middle([float(n) for n in taken[:-1]])) if len(taken) > 3 else named


def _script_share(seen: Observation, step_s: float, startup_s: float) -> float:
    """Share of a short training that goes before its second batch: the script's own set-up.

    How long the user means to train is known when the script came to its own end; then its length
    counts, at least four seconds, since nobody works on less. Else three epochs are supposed, and
    at least twelve seconds.
    """
    loader = seen.settings.get("loader")
    first = next((e for e in seen.epochs if loader is None or e.loader == loader), None)
    lazy = first.iter_s + first.first_wait_s - startup_s - step_s if first else 0.0
    own = float(seen.settings.get("own_setup_s", 0.0))
    spent = max(0.0, own + max(0.0, lazy - 0.5) - 0.5)
    n_batches = max(0, seen.loader.n_batches)
    is_whole = seen.ended == "script"
    training = max(4.0, seen.seconds) if is_whole else max(12.0, 3 * n_batches * step_s)
    return spent / (spent + training) if spent else 0.0


def _batch_seconds(seen: Observation) -> float:
    return middle([row["end"] - row["start"] for row in seen.workers])
