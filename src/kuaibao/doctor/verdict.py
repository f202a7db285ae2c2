"""From shares to one word: which class of work, if made cheaper, would make the loop faster.

A step of a healthy loop is mostly forward and backward; a class is ill by its *excess* over what
a good loop needs. The word is only said where the spread over the cycles allows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kuaibao.doctor.accounts import CLASSES, DATA_CLASSES, Accounts, build_accounts
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.sentences import Sentence, named, say
from kuaibao.doctor.statistics import Interval, bootstrap, log_ratio_interval

__all__ = ["VERDICTS", "Diagnosis", "diagnose"]

VERDICTS = (
    "healthy",
    *("disk", "decode", "transform", "collate", "transfer", "host_to_device", "forward", "loss"),
    *("backward", "optimizer", "synchronization", "python", "memory", "startup", "undecided"),
)

ILL = 0.20
"""An excess of a fifth of the step: a cure would give 1.25x, which is worth somebody's work."""
SURE = 0.90
"""Share of the resamplings in which the first class must lead the second."""

_MANY_CALLS = 200


@dataclass(frozen=True)
class Diagnosis:
    """The verdict with what speaks for it."""

    verdict: str
    evidence: list[str]
    stalls: dict[str, dict[str, float]]
    """Share of the step's time by class: low, mid, high."""
    excess: dict[str, dict[str, float]] = field(default_factory=dict)
    accounts: Accounts | None = None


def diagnose(seen: Observation) -> Diagnosis:
    """Judge one observation."""
    accounts = build_accounts(seen)
    if accounts is None:
        return _too_little(seen)
    rows = np.array([[row[name] for name in CLASSES] for row in accounts.cycles])
    rows[:, CLASSES.index("startup")] = accounts.startup_share
    scale = 1.0 - accounts.startup_share
    rows[:, : CLASSES.index("startup")] *= scale
    excess_rows = np.array([_excess(row, seen, accounts) for row in rows])
    draws = bootstrap(excess_rows, lambda sample: np.median(sample, axis=0))
    shares = bootstrap(rows, lambda sample: np.median(sample, axis=0), seed=1)
    middle = np.median(excess_rows, axis=0)
    verdict, tied_with = _decide(middle, draws, len(rows))
    if verdict == "healthy" and _threads_are_open(seen):
        verdict = "undecided"
    stalls = {
        name: _interval_of(shares[:, i], float(np.median(rows[:, i])))
        for i, name in enumerate(CLASSES)
    }
    excess = {name: _interval_of(draws[:, i], middle[i]) for i, name in enumerate(CLASSES)}
    return Diagnosis(
        verdict=verdict,
        evidence=_evidence(verdict, tied_with, seen, accounts, stalls),
        stalls=stalls,
        excess=excess,
        accounts=accounts,
    )


def _interval_of(draws: Any, middle: float) -> dict[str, float]:
    low, high = np.quantile(draws, [0.05, 0.95])
    return Interval(float(min(low, middle)), float(middle), float(max(high, middle))).to_json()


_STARTUP = CLASSES.index("startup")


def _without_light_startup(middle: Any) -> bool:
    """Whether starting is only what short epochs make of it, beside a true disease.

    Every loader with workers starts them; on a small data set that is a large share without
    anybody's fault, so a disease within the epoch goes first until starting takes over.
    """
    share = middle[_STARTUP]
    others = np.delete(middle, _STARTUP).max()
    return 0 < share < 0.65 and others / max(0.05, 1.0 - share) > 1.5 * ILL


_MAKING = [CLASSES.index(name) for name in ("disk", "decode", "transform", "collate")]


def _making_leads(draws: Any) -> bool:
    """Whether the making of batches as a whole is surely what holds the loop back.

    Its parts have their cures in common, so that which of two equal ones is named matters little.
    """
    others = [i for i in range(len(CLASSES)) if i not in _MAKING]
    making = draws[:, _MAKING].sum(axis=1)
    leads = float((making > draws[:, others].max(axis=1)).mean())
    return leads >= SURE and float(np.quantile(making, 0.05)) > 2 * ILL


def _decide(middle: Any, draws: Any, n_cycles: int) -> tuple[str, str]:
    """The verdict, and the class that takes about as much."""
    if _without_light_startup(middle):
        rest = max(0.05, 1.0 - middle[_STARTUP])
        middle, draws = middle / rest, draws / rest
        middle[_STARTUP], draws[:, _STARTUP] = 0.0, 0.0
    order = np.argsort(middle)[::-1]
    first, second = order[0], order[1]
    if middle[first] < ILL:
        ever_ill = float((draws.max(axis=1) >= 1.5 * ILL).mean())
        return "healthy" if ever_ill < 1.0 - SURE or n_cycles < 2 else "undecided", ""
    if np.quantile(draws[:, first], 0.05) < ILL / 2:
        return "undecided", ""
    leads = float((draws[:, first] > draws[:, second]).mean())
    if leads >= SURE and middle[first] > 1.1 * middle[second] + 0.01:
        return CLASSES[first], ""
    if first in _MAKING and second in _MAKING and _making_leads(draws):
        return CLASSES[first], CLASSES[second]
    return "undecided", ""


def _excess(row: Any, seen: Observation, accounts: Accounts) -> list[float]:
    """How much of the step each class takes beyond what a good loop needs."""
    share = dict(zip(CLASSES, (float(v) for v in row), strict=True))
    excess = dict.fromkeys(CLASSES, 0.0)
    for name in (*DATA_CLASSES, "host_to_device", "startup"):
        excess[name] = share[name]
    made = share["transform"] + share["collate"]
    if made > 0:
        plain = min(made, _plain_batch_s(seen) / accounts.step_s)
        for name in ("transform", "collate"):
            excess[name] -= plain * share[name] / made
    # A step of any loop has some Python: what a hundred calls cost is nobody's disease.
    unit = float(seen.settings.get("plain_sample_s", 0.0)) / accounts.step_s
    excess["synchronization"] = max(0.0, share["synchronization"] - 0.02)
    excess["python"] = max(0.0, share["python"] - 0.08 - 60 * unit)
    share["optimizer"] = max(0.0, share["optimizer"] - 40 * unit)
    in_loop = _loss_share_of_backward(accounts.detail)
    excess["loss"] = max(0.0, share["loss"] - 0.06)
    if excess["loss"] > 0.05:
        excess["loss"] += share["backward"] * in_loop
    backward = share["backward"] * (1.0 - in_loop)
    excess["optimizer"] = _optimizer_excess(share["optimizer"], seen, accounts.step_s)
    excess["forward"] = _forward_excess(share["forward"], backward, seen, accounts)
    excess["backward"] = _backward_excess(backward, share["forward"] + share["loss"], seen)
    excess["memory"] = max(excess["memory"], _growth_excess(seen))
    return [excess[name] for name in CLASSES]


def _plain_batch_s(seen: Observation) -> float:
    """Seconds that a batch of this size costs where samples are rows of tensors in memory."""
    real = [s.n_samples for s in seen.steps if s.mode == "real"]
    n = float(np.median(real)) if real else 0.0
    a_sample = float(seen.settings.get("plain_sample_s", 0.0))
    copied_a_second = float(seen.settings.get("plain_bytes_a_second", 0.0)) or 4e9
    return 2.5 * n * a_sample + 60 * a_sample + 2 * seen.loader.batch_bytes / copied_a_second


def _loss_share_of_backward(detail: dict[str, float]) -> float:
    """A loss of many tiny calls makes as many tiny backward nodes."""
    loss, forward = detail.get("n_loss_calls", 0.0), detail.get("n_forward_calls", 0.0)
    return loss / (loss + forward) if loss > 50 else 0.0


def _optimizer_excess(share: float, seen: Observation, step_s: float) -> float:
    own = seen.settings.get("fused_adam_s")
    if own and share > 0.3:  # an update written by hand, against the same tensors' fused Adam
        return share - min(share, float(np.median(own)) / step_s)
    gains = [
        max(0.0, 1.0 - fused / as_is)
        for found in seen.optimizer.values()
        for as_is, fused in found["runs"]
        if as_is > 0
    ]
    curable = share * float(np.median(gains)) if gains else 0.0
    # Half of a step may well go into plain Adam: only what lies far beyond is an illness.
    return max(share - 0.35, curable if share > 0.45 else 0.0)


def _forward_excess(
    forward: float, backward: float, seen: Observation, accounts: Accounts
) -> float:
    if seen.settings.get("anomaly_detection"):
        return 0.0  # it slows forward too, but is turned on for backward
    found = 0.0
    n_calls = accounts.detail.get("n_forward_calls", 0.0)
    if accounts.is_training and backward > 0:
        found = max(0.0, forward - 1.6 * backward)
    if n_calls > _MANY_CALLS and _calls_a_parameter(n_calls, seen) > 12:
        # The same few layers called over and over: a Python loop in forward, and in its gradient.
        found = max(found, 0.8 * (forward + backward))
    threads = oversubscription(seen)
    if threads is not None and threads.low > 1.3:
        found = max(found, (1.0 - 1.0 / threads.mid) * (forward + backward))
    if "float64" in seen.settings.get("dtypes", []):
        found = max(found, 0.45 * (forward + backward))
    return found


def _calls_a_parameter(n_calls: float, seen: Observation) -> float:
    n_tensors = max((o["n_tensors"] for o in seen.optimizer.values()), default=0)
    n_tensors = max(n_tensors, int(seen.settings.get("n_parameter_tensors", 0)))
    return n_calls / n_tensors if n_tensors else 0.0


def _backward_excess(backward: float, forward: float, seen: Observation) -> float:
    if seen.settings.get("anomaly_detection"):
        gain = ablated(seen, "unchecked")
        share = 0.5 if gain is None else max(0.0, 1.0 - 1.0 / gain.mid)
        return share * (forward + backward)
    return max(0.0, backward - 3.5 * forward)


def oversubscription(seen: Observation) -> Interval | None:
    """How much faster repeated steps are with as many threads as there are cores."""
    return ablated(seen, "threads")


def _threads_are_open(seen: Observation) -> bool:
    """Whether far more threads are set than there are cores, and their harm could not be ruled out.

    On a machine whose cores others use, few threads may be as slow as many.
    """
    threads, cores = seen.settings.get("threads", 1), seen.environment.get("cores_named", 1)
    gain = oversubscription(seen)
    return threads > 2 * cores and (gain is None or gain.high > 1.05)


def ablated(seen: Observation, mode: str) -> Interval | None:
    """How much faster repeated steps are under a mode's setting; None when too few were made."""
    fewer = [s.wall for s in seen.steps if s.mode == mode and not s.discard]
    as_is = [s.wall for s in seen.steps if s.mode == "repeat" and not s.discard]
    if len(fewer) < 3 or len(as_is) < 3:
        return None
    n = min(len(fewer), len(as_is))
    return log_ratio_interval(as_is[:n], fewer[:n])


@dataclass(frozen=True)
class Growth:
    """Memory that keeps growing."""

    bytes_a_step: float
    total_bytes: float
    steps_to_full: float
    in_workers: bool


def memory_growth(seen: Observation) -> Growth | None:
    """Steady growth of the loop's process or of its workers; None when there is none."""
    rows = seen.memory
    rows = rows[max(2, len(rows) // 5) :]
    if len(rows) < 6:
        return None
    found = [_steady(rows, name) for name in ("main_bytes", "worker_bytes")]
    free = float(seen.environment.get("memory_free_bytes", 0)) or 1.0
    growths = [
        Growth(slope, total, free / slope, name == "worker_bytes")
        for name, (slope, total) in zip(("main_bytes", "worker_bytes"), found, strict=True)
        if slope > 0
    ]
    return max(growths, key=lambda g: g.bytes_a_step, default=None)


def _steady(rows: list[dict[str, float]], name: str) -> tuple[float, float]:
    """Bytes a step and in all of a growth that does not tire; zeros for any other course."""
    if name == "worker_bytes":
        rows = [row for row in rows if row["n_workers"] == rows[-1]["n_workers"]]
        # They are read more rarely than the rows are written.
        rows = [row for i, row in enumerate(rows) if not i or row[name] != rows[i - 1][name]]
    if len(rows) < 5:
        return 0.0, 0.0
    values = np.array([row[name] for row in rows])
    total = float(values[-1] - values[0])
    slope = total / max(1.0, rows[-1]["steps"] - rows[0]["steps"])
    # Warming up ends and an allocator grows by leaps; a leak grows all the time.
    parts = np.array_split(values, min(8, len(values) - 1))
    growth = np.diff([float(values[0]), *(float(part[-1]) for part in parts)])
    n_growing = int((growth > 0.25 * total / len(growth)).sum())
    if total > 10e6 and slope > 5e4 and n_growing >= len(growth) - 1:
        return slope, total
    return 0.0, 0.0


def _growth_excess(seen: Observation) -> float:
    growth = memory_growth(seen)
    if growth is None:
        return 0.0
    return 0.5 if growth.steps_to_full < 100_000 else 0.0


def _too_little(seen: Observation) -> Diagnosis:
    n = len([s for s in seen.steps if s.mode == "real"])
    why = say("too_few_steps", n=n) if n else say("no_loader")
    return Diagnosis("undecided", [why, *_notes(seen)], {})


def _evidence(
    verdict: str, tied_with: str, seen: Observation, accounts: Accounts,
    stalls: dict[str, dict[str, float]],
) -> list[str]:  # fmt: skip
    """Sentences with the figures that the verdict rests on."""
    lines = [
        say(
            "step" if accounts.repeat_s else "watched",
            step=accounts.step_s * 1e3,
            compute=accounts.compute_s * 1e3,
            cycles=len(accounts.cycles),
            steps=accounts.n_real,
        )
    ]
    if verdict in CLASSES:
        lines.append(say("share", verdict=named(verdict), **stalls[verdict]))
    if tied_with:
        share = stalls[tied_with]["mid"]
        lines.append(say("tied", verdict=named(verdict), other=named(tied_with), share=share))
    if verdict == "undecided" and _threads_are_open(seen):
        threads, cores = seen.settings["threads"], seen.environment["cores_named"]
        lines.append(say("threads_open", threads=threads, cores=cores))
    lines += _ladder_lines(seen)
    lines += _detail_lines(verdict, accounts, seen)
    lines += _hot_line(verdict, seen)
    growth = memory_growth(seen)
    if growth is not None:
        where = "workers" if growth.in_workers else "main"
        lines.append(say(f"growth_{where}", mb=growth.bytes_a_step / 1e6))
    return [*lines, *_notes(seen)]


def _notes(seen: Observation) -> list[Sentence]:
    found: list[Sentence] = []
    for note in seen.notes:
        values = {key: value for key, value in note.items() if key != "says"}
        found.append(say(note["says"], **values))
    return found


def _ladder_lines(seen: Observation) -> list[Sentence]:
    probes = seen.probes
    if not probes:
        return []

    def ms(values: list[float]) -> str:
        return f"{float(np.median(values)) * 1e3:.3g}" if values else "-"

    line = say(
        "ladder",
        cold=ms([p.cold_s for p in probes]),
        warm=ms([p.warm_s for p in probes]),
        memory=ms([p.memory_s for p in probes if p.memory_s is not None]),
        decode=ms([p.decode_s for p in probes]),
        collate=ms([p.collate_s for p in probes]),
    )
    gathers = [p.gather_s for p in probes if p.gather_s is not None]
    return [line, say("ladder_gather", gather=ms(gathers))] if gathers else [line]


def _detail_lines(verdict: str, accounts: Accounts, seen: Observation) -> list[Sentence]:
    detail = accounts.detail
    model = detail.get("n_forward_calls", 0.0)
    if verdict == "synchronization" and detail.get("n_synchronizations"):
        return [say("waits", n=detail["n_synchronizations"])]
    if verdict == "loss" and detail.get("n_loss_calls"):
        return [say("loss_calls", loss=detail["n_loss_calls"], model=model)]
    if verdict == "forward" and model:
        return [say("forward_calls", model=model)]
    if verdict == "startup":
        return [say("startup", seconds=accounts.startup_s, batches=seen.loader.n_batches)]
    return []


def _hot_line(verdict: str, seen: Observation) -> list[Sentence]:
    wanted = {
        **dict.fromkeys(("disk", "decode", "transform", "collate"), ("wait", "probe")),
        "loss": ("between", "loss"),
        "python": ("python", "between"),
        "synchronization": ("python", "between", "synchronization"),
        "startup": ("setup",),
    }.get(verdict, (verdict,))
    for row in seen.hot_lines:
        if row["region"] in wanted:
            place = f"{row['file'].rsplit('/', 1)[-1]}:{row['line']}"
            return [say("hot_line", place=place, function=row["function"])]
    return []
