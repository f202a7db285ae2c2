"""Advice: each a cure with the speed-up that the measured times let one expect.

Only what the verdict's class, or another class with an excess of its own, calls for is advised;
a healthy loop gets none. Remarks on hidden dangers (seeds, open files, shared memory) are warnings
and carry no speed-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kuaibao.doctor.accounts import Accounts
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.memory import fit, forecast
from kuaibao.doctor.rates import predicted_step_s
from kuaibao.doctor.statistics import Interval, interval
from kuaibao.doctor.verdict import ILL, Diagnosis, memory_growth, oversubscription

__all__ = ["Advice", "advise", "warnings_of"]

_WORTH = 1.12
"""A cure must promise at least an eighth, else it is noise."""


@dataclass
class Advice:
    """One cure."""

    cure: str
    """Name, as `--apply` knows it."""
    cause: str
    """The class of work that it makes cheaper."""
    what: str
    """What to do, in one sentence."""
    why: str
    predicted_speedup: Interval
    is_automatic: bool = False
    """Whether `--apply` can try it on the unmodified script."""
    is_exact: bool = True
    """Whether samples, order and loss stay the same bit for bit."""
    options: dict[str, Any] = field(default_factory=dict)
    achieved_speedup: Interval | None = None
    checks: dict[str, Any] = field(default_factory=dict)
    patch: str = ""
    """A unified diff that makes the cure permanent, where one could be written."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        achieved = self.achieved_speedup
        return {
            "cure": self.cure,
            "cause": self.cause,
            "what": self.what,
            "why": self.why,
            "predicted_speedup": self.predicted_speedup.to_json(),
            "achieved_speedup": achieved.to_json() if achieved else None,
            "is_automatic": self.is_automatic,
            "is_exact": self.is_exact,
            "options": self.options,
            "checks": self.checks,
            "patch": self.patch,
        }


@dataclass(frozen=True)
class _Case:
    """All that a rule may look at."""

    seen: Observation
    diagnosis: Diagnosis
    accounts: Accounts

    def ill(self, *classes: str) -> bool:
        """Whether the verdict, or an excess worth a cure, is one of these classes."""
        if self.diagnosis.verdict in classes:
            return True
        if self.diagnosis.verdict in ("healthy", "undecided"):
            return False
        return any(self.diagnosis.excess.get(name, {}).get("mid", 0.0) > ILL for name in classes)

    def probe(self, of: Callable[[Any], float | None]) -> list[float]:
        """One figure of all probes, where it is known."""
        return [value for value in (of(p) for p in self.seen.probes) if value is not None]

    def speedup(self, new_steps: list[float]) -> Interval:
        """Step time over predicted step times, cycle by cycle."""
        real = self.accounts.real_s
        ratios = [
            step / max(1e-9, new) for step in real for new in new_steps[: max(1, len(new_steps))]
        ]
        return _widened(interval(ratios))

    def without(self, share: float) -> Interval:
        """Speed-up when this share of the step goes away."""
        rest = max(0.02, 1.0 - share)
        return _widened(Interval(1.0 / (rest * 1.05), 1.0 / rest, 1.0 / max(0.02, rest * 0.93)))


def _widened(found: Interval) -> Interval:
    """Predictions rest on sums of medians: give them a few per cent of doubt."""
    return Interval(max(0.5, found.low * 0.95), found.mid, found.high * 1.05)


def advise(seen: Observation, diagnosis: Diagnosis) -> list[Advice]:
    """All cures worth their work, best first; none for the healthy or the undecided."""
    if diagnosis.accounts is None or diagnosis.verdict in ("healthy", "undecided"):
        return []
    case = _Case(seen, diagnosis, diagnosis.accounts)
    found = [advice for rule in _RULES for advice in rule(case)]
    worth = [a for a in found if a.predicted_speedup.mid >= _WORTH or a.cause == "memory"]
    return sorted(worth, key=lambda a: a.predicted_speedup.mid, reverse=True)


_DATA = ("disk", "decode", "transform", "collate", "transfer")


def _cache(case: _Case) -> list[Advice]:
    """Decoded samples in RAM, taken batch by batch; workers are tuned after that, zero first."""
    seen, accounts = case.seen, case.accounts
    if not case.ill(*_DATA) or not seen.probes or seen.loader.iterable:
        return []
    gathers = case.probe(lambda p: p.gather_s)
    if not gathers:
        return []
    deterministic = all(p.deterministic for p in seen.probes)
    sample = float(np.median([p.sample_bytes for p in seen.probes]))
    files = float(np.median([p.file_bytes / p.n_samples for p in seen.probes]))
    n = max(seen.loader.n_dataset, 0)
    budget = int(0.5 * seen.environment.get("memory_free_bytes", 0))
    fits = fit(n, files, sample, budget)
    if not deterministic:
        return []  # augmentation draws anew for each epoch: storing its result would change it
    fraction = fits.decoded_fraction
    repeats = accounts.repeat_s or [accounts.compute_s]
    gather = float(np.median(gathers)) + 6e-5  # and the loader's own turn
    miss = (1.0 - fraction) * accounts.data_s
    steps = [compute + gather + miss for compute in repeats]
    how = "all of it" if fraction >= 1 else f"{fraction:.0%} of it"
    return [
        Advice(
            cure="ram_cache",
            cause=case.diagnosis.verdict if case.diagnosis.verdict in _DATA else "decode",
            what=(
                f"keep decoded samples in RAM ({how}: {fits.decoded_bytes / 1e9:.3g} GB): "
                "kuaibao.loading.RamCache(dataset), with 0 workers"
            ),
            why="each sample comes out the same every epoch, yet is made anew each time",
            predicted_speedup=case.speedup(steps),
            is_automatic=fraction > 0.05,
            options={"n_workers": 0, "budget_bytes": budget, "fit": fits.to_json()},
        )
    ]


def _preprocess(case: _Case) -> list[Advice]:
    """Augmented data can't be cached whole; resize and decode once, offline, and keep the rest."""
    seen = case.seen
    if not case.ill("decode", "disk") or not seen.probes or seen.loader.iterable:
        return []
    if all(p.deterministic for p in seen.probes):
        return []
    decode = case.probe(lambda p: p.decode_s)
    rest = case.accounts.compute_s + max(0.0, case.accounts.data_s - float(np.median(decode)))
    return [
        Advice(
            cure="preprocess",
            cause="decode",
            what="decode and resize once, offline: kuaibao.loading.build_store, augment on reading",
            why="decoding gives the same pixels each epoch; only the augmentation differs",
            predicted_speedup=case.speedup([rest]),
        )
    ]


def _draft(case: _Case) -> list[Advice]:
    """Decode JPEG at the least sufficient size."""
    drafts = case.probe(lambda p: p.draft_s)
    if not case.ill("decode", "transform") or not drafts:
        return []
    accounts = case.accounts
    warm = float(np.median(case.probe(lambda p: p.warm_s)))
    saved = [max(0.0, warm - draft) / warm for draft in drafts]
    data = [accounts.data_s * (1.0 - s) for s in saved]
    steps = [_step(case, d) for d in data]
    return [
        Advice(
            cure="jpeg_draft",
            cause="decode",
            what="call image.draft('RGB', size) after Image.open: JPEG decodes at 1/2, 1/4 or 1/8",
            why="pictures are decoded at full size and then made small",
            predicted_speedup=case.speedup(steps),
            is_automatic=True,
            is_exact=False,
        )
    ]


def _step(case: _Case, data_s: float) -> float:
    loader = case.seen.loader
    compute = case.accounts.compute_s
    return predicted_step_s(compute, data_s, loader.n_workers, max(1.0, case.seen.cores))


def _workers(case: _Case) -> list[Advice]:
    """The best number of workers by the bound, within a memory budget; zero is always tried."""
    seen, accounts = case.seen, case.accounts
    loader = seen.loader
    if not case.ill(*_DATA, "startup") or loader.iterable:
        return []
    budget = 0.5 * float(seen.environment.get("memory_free_bytes", 0))
    shm = float(seen.environment.get("shared_memory_free_bytes", 0)) or budget
    sent = _transfer_seconds(case)
    named = int(seen.environment.get("cores_named", 1))
    best, best_step = loader.n_workers, accounts.step_s
    for n in range(min(named * 2, 16) + 1):
        held = forecast(loader.batch_bytes, n, loader.prefetch_factor)
        if held.total_bytes > budget or held.queued_bytes > shm:
            continue
        step = predicted_step_s(
            accounts.compute_s, accounts.data_s, n, max(0.5, seen.cores), transfer_s=sent
        )
        if step < 0.95 * best_step:
            best, best_step = n, step
    if best == loader.n_workers:
        return []
    held = forecast(loader.batch_bytes, best, loader.prefetch_factor)
    return [
        Advice(
            cure="workers",
            cause=case.diagnosis.verdict,
            what=f"num_workers={best} instead of {loader.n_workers}",
            why=(
                f"{seen.cores:.2g} cores can really be had; a batch costs "
                f"{accounts.data_s * 1e3:.3g} ms and the rest of a step "
                f"{accounts.compute_s * 1e3:.3g} ms; {held.n_batches_held} batches will be held "
                f"({held.queued_bytes / 1e6:.3g} MB)"
            ),
            predicted_speedup=case.speedup([best_step]),
            is_automatic=True,
            options={"n_workers": best, "forecast": held.to_json()},
        )
    ]


def _transfer_seconds(case: _Case) -> float:
    """CPU seconds a batch between processes: measured, or by the bytes at 0.56 GB/s."""
    if case.seen.loader.n_workers:
        from kuaibao.doctor.accounts import _sending_seconds

        return _sending_seconds(case.seen.workers)
    return 5e-4 + case.seen.loader.batch_bytes / 0.56e9


def _persistent(case: _Case) -> list[Advice]:
    """Workers that live on between epochs."""
    loader = case.seen.loader
    if not case.ill("startup") or loader.n_workers == 0:
        return []
    share = case.accounts.startup_share
    found: list[Advice] = []
    if not loader.persistent_workers:
        found.append(
            Advice(
                cure="persistent_workers",
                cause="startup",
                what="persistent_workers=True: start the workers once",
                why=f"each epoch starts {loader.n_workers} processes, {share:.0%} of its time",
                predicted_speedup=case.without(0.95 * share),
                is_automatic=True,
                options={"persistent_workers": True},
            )
        )
    return found


def _narrow(case: _Case) -> list[Advice]:
    """uint8 until the device; normalise whole batches there."""
    tensors = case.seen.loader.tensors
    total = sum(t["bytes"] for t in tensors)
    narrow = sum(t["narrow_bytes"] for t in tensors)
    if not case.ill("transfer", "collate", "memory", "transform") or total < 4e6:
        return []
    if narrow > 0.6 * total:
        return []
    moved = sum(
        case.diagnosis.stalls.get(name, {}).get("mid", 0.0)
        for name in ("transfer", "collate", "memory")
    )
    return [
        Advice(
            cure="narrow_dtypes",
            cause="transfer" if case.seen.loader.n_workers else "collate",
            what=(
                "keep pictures and masks uint8 up to the step, normalise whole batches there: "
                f"{total / 1e6:.4g} MB a batch become {narrow / 1e6:.4g}"
            ),
            why="every value of the batch fits a narrower type without loss",
            predicted_speedup=case.without(moved * (1.0 - narrow / total)),
        )
    ]


def _arena(case: _Case) -> list[Advice]:
    """Batches over glibc's mmap threshold fault on each page, each time."""
    large = case.probe(lambda p: p.collate_large_arena_s)
    if not case.ill("memory", "collate") or not large:
        return []
    plain = case.probe(lambda p: p.collate_s)
    saved = max(0.0, float(np.median(plain)) - float(np.median(large)))
    steps = [max(1e-6, step - saved) for step in case.accounts.real_s]
    faults = float(np.median([p.faults_collate for p in case.seen.probes]))
    return [
        Advice(
            cure="malloc_arena",
            cause="memory",
            what=(
                "set MALLOC_MMAP_THRESHOLD_=1073741824 and MALLOC_TRIM_THRESHOLD_=2147483647 "
                "in the environment"
            ),
            why=f"a batch over 32 MiB is mapped anew each time: {faults:.0f} page faults a batch",
            predicted_speedup=case.speedup(steps),
            is_automatic=case.seen.loader.n_workers == 0,
        )
    ]


def _growth(case: _Case) -> list[Advice]:
    """Memory without end."""
    growth = memory_growth(case.seen)
    if growth is None or not case.ill("memory"):
        return []
    where = (
        "lists of Python objects in the data set: pack paths and labels into NumPy arrays"
        if growth.in_workers
        else "what the loop collects each step: store loss.item() or loss.detach(), not the loss"
    )
    return [
        Advice(
            cure="stop_growth",
            cause="memory",
            what=f"look for {where}",
            why=(
                f"{growth.bytes_a_step / 1e6:.2g} MB more a step: memory is full after "
                f"{growth.steps_to_full:.0f} steps"
            ),
            predicted_speedup=Interval(1.0, 1.0, 1.0),
        )
    ]


def _pickled(case: _Case) -> list[Advice]:
    """Arrays that go through a pipe as pickles."""
    loader = case.seen.loader
    if not case.ill("transfer") or loader.n_workers == 0 or loader.non_tensor_bytes < 1 << 20:
        return []
    share = case.diagnosis.stalls["transfer"]["mid"]
    return [
        Advice(
            cure="tensors_not_arrays",
            cause="transfer",
            what="let collate give tensors (torch.from_numpy), which travel in shared memory",
            why=f"{loader.non_tensor_bytes / 1e6:.3g} MB a batch are pickled through a pipe",
            predicted_speedup=case.without(0.7 * share),
        )
    ]


def _optimizer(case: _Case) -> list[Advice]:
    """The fused form of the same optimiser, measured on copies."""
    if not case.ill("optimizer"):
        return []
    share = case.diagnosis.stalls["optimizer"]["mid"]
    found: list[Advice] = []
    for name, probe in case.seen.optimizer.items():
        gains = [1.0 - fused / as_is for as_is, fused in probe["runs"] if as_is > 0]
        if not gains or probe["is_fused"]:
            continue
        found.append(
            Advice(
                cure="fused_optimizer",
                cause="optimizer",
                what=f"{name}(…, fused=True)",
                why=f"{probe['n_tensors']} parameter tensors are updated one by one",
                predicted_speedup=case.without(share * max(0.0, float(np.median(gains)))),
                is_automatic=True,
                is_exact=False,
            )
        )
    return found


def _loss(case: _Case) -> list[Advice]:
    """Control flow in a loss."""
    if not case.ill("loss"):
        return []
    excess = case.diagnosis.excess["loss"]["mid"]
    n_calls = case.accounts.detail.get("n_loss_calls", 0.0)
    return [
        Advice(
            cure="vectorize_loss",
            cause="loss",
            what="write the loss as operations on whole tensors; `kuaibao doctor loss` checks it",
            why=f"the loss makes {n_calls:.0f} calls on small tensors a step",
            predicted_speedup=case.without(0.95 * excess),
        )
    ]


def _synchronization(case: _Case) -> list[Advice]:
    """Values asked for one by one."""
    if not case.ill("synchronization"):
        return []
    n = case.accounts.detail.get("n_synchronizations", 0.0)
    return [
        Advice(
            cure="fewer_synchronizations",
            cause="synchronization",
            what="sum on tensors with detach(), ask for the value once in 50 steps; print seldom",
            why=f"{n:.0f} values a step are brought to Python one at a time"
            if n > 2
            else "printing stands in the loop's way",
            predicted_speedup=case.without(0.95 * case.diagnosis.excess["synchronization"]["mid"]),
        )
    ]


def _threads(case: _Case) -> list[Advice]:
    """More threads than cores."""
    gain = oversubscription(case.seen)
    if gain is None or gain.low < _WORTH or not case.ill("forward", "backward"):
        return []
    n = max(1, round(case.seen.cores))
    return [
        Advice(
            cure="threads",
            cause="forward",
            what=f"torch.set_num_threads({n}) or OMP_NUM_THREADS={n}",
            why=f"{case.seen.settings.get('threads')} threads share {case.seen.cores:.2g} cores",
            predicted_speedup=case.speedup([case.accounts.step_s / gain.mid]),
            is_automatic=True,
            is_exact=False,
            options={"threads": n},
        )
    ]


def _body(case: _Case) -> list[Advice]:
    """What forward, backward and the loop's own Python can be told."""
    found: list[Advice] = []
    excess = case.diagnosis.excess
    if case.seen.settings.get("anomaly_detection") and case.ill("backward"):
        found.append(
            Advice(
                cure="anomaly_off",
                cause="backward",
                what="torch.autograd.set_detect_anomaly(False)",
                why="anomaly detection keeps a trace of every call and checks every gradient",
                predicted_speedup=case.without(0.7 * excess["backward"]["mid"]),
                is_automatic=True,
            )
        )
    elif case.ill("backward"):
        found.append(
            Advice(
                cure="lighter_backward",
                cause="backward",
                what="call backward once a step on the summed loss; no retain_graph, no checkpoint",
                why="backward takes far longer than twice forward",
                predicted_speedup=case.without(excess["backward"]["mid"]),
            )
        )
    if case.ill("forward") and oversubscription(case.seen) is None:
        wide = "float64" in case.seen.settings.get("dtypes", [])
        found.append(
            Advice(
                cure="float32" if wide else "vectorize_forward",
                cause="forward",
                what="model.float()" if wide else "replace loops in forward by one batched call",
                why="parameters are float64" if wide else "forward makes many small calls",
                predicted_speedup=case.without(0.8 * excess["forward"]["mid"]),
            )
        )
    if case.ill("python"):
        found.append(
            Advice(
                cure="less_python",
                cause="python",
                what="take the busiest line out of the step, or do it once in many steps; "
                "with tiny batches, a larger batch_size shares the cost",
                why="the loop's own Python takes the time",
                predicted_speedup=case.without(0.9 * excess["python"]["mid"]),
            )
        )
    if case.seen.settings.get("data_parallel"):
        found.append(
            Advice(
                cure="distributed_data_parallel",
                cause="host_to_device",
                what="start the rewritten script by torchrun --nproc-per-node N (see the patch); "
                "or compute the loss inside forward, so that only losses are gathered",
                why="DataParallel gathers all outputs on the first device, every step",
                predicted_speedup=Interval(1.0, 1.2, 1.4),
            )
        )
    return found


_RULES: tuple[Callable[[_Case], list[Advice]], ...] = (
    _cache,
    _preprocess,
    _draft,
    _workers,
    _persistent,
    _narrow,
    _arena,
    _growth,
    _pickled,
    _optimizer,
    _loss,
    _synchronization,
    _threads,
    _body,
)


def warnings_of(seen: Observation) -> list[str]:
    """Dangers that cost no time yet."""
    loader, found = seen.loader, []
    if loader.duplicate_seeds and loader.n_workers > 1:
        found.append(
            "the data set carries its own random generator: every worker starts with the same "
            "state and draws the same augmentations; seed it from worker_init_fn"
        )
    if loader.python_objects > 200_000 and loader.n_workers:
        found.append(
            f"{loader.python_objects} Python objects in the data set's lists: reading them writes "
            "reference counts, so each worker slowly gets its own copy; pack them into arrays"
        )
    if seen.settings.get("data_parallel"):
        gathered = seen.settings.get("gathered_bytes", 0) / 1e6
        found.append(
            f"DataParallel gathers {gathered:.3g} MB of outputs on the first device each step and "
            "computes the loss there: one process a device (torchrun) needs neither"
        )
    held = forecast(loader.batch_bytes, loader.n_workers, loader.prefetch_factor)
    shm = float(seen.environment.get("shared_memory_free_bytes", 0))
    if loader.n_workers and shm and held.queued_bytes > 0.8 * shm:
        found.append(
            f"{held.n_batches_held} queued batches need {held.queued_bytes / 1e6:.3g} MB of "
            f"/dev/shm, which has {shm / 1e6:.3g} MB: a bus error is near"
        )
    limit = seen.settings.get("open_files_limit", 0)
    n_tensors = max(1, len(loader.tensors))
    if loader.n_workers and limit and held.n_batches_held * n_tensors * 2 > 0.8 * limit:
        found.append(f"queued batches hold about {held.n_batches_held * n_tensors} open files")
    threads = seen.environment.get("threads_setting", {}).get("OMP_NUM_THREADS", "")
    if threads.isdigit() and int(threads) * max(1, loader.n_workers) > 2 * seen.environment.get(
        "cores_named", 1
    ):
        found.append(
            f"OMP_NUM_THREADS={threads} times {loader.n_workers} workers is more than the cores"
        )
    return found
