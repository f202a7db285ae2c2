"""Cures for the making and sending of batches."""

from __future__ import annotations

from kuaibao.doctor.case import DATA_VERDICTS, Advice, Case
from kuaibao.doctor.memory import fit, forecast
from kuaibao.doctor.sentences import say
from kuaibao.doctor.statistics import Interval

__all__ = ["DATA_RULES"]


def _cache(case: Case) -> list[Advice]:
    """Decoded samples in RAM, taken batch by batch; workers are tuned after that, zero first."""
    seen, accounts = case.seen, case.accounts
    if not case.ill(*DATA_VERDICTS) or seen.loader.iterable or not _is_repeatable(case):
        return []
    if not case.probe(lambda p: p.gather_s):
        return []
    sample, encoded = case.usual(lambda p: p.sample_bytes), case.usual(_bytes_a_file)
    budget = int(0.5 * seen.environment.get("memory_free_bytes", 0))
    fits = fit(max(seen.loader.n_dataset, 0), encoded, sample, budget)
    part = fits.decoded_fraction
    repeats = accounts.repeat_s or [accounts.compute_s]
    added = case.usual(lambda p: p.gather_s) + (1.0 - part) * accounts.data_s
    return [
        Advice(
            cure="ram_cache",
            cause=_data_cause(case),
            what=say(
                "ram_cache.what",
                share="100%" if part >= 1 else f"{part:.0%}",
                gb=fits.decoded_bytes / 1e9,
            ),
            why=say("ram_cache.why"),
            predicted_speedup=case.speedup([compute + added for compute in repeats]),
            is_automatic=part > 0.05,
            options={"n_workers": 0, "budget_bytes": budget, "fit": fits.to_json()},
        )
    ]


def _is_repeatable(case: Case) -> bool:
    """Augmentation draws anew for each epoch: storing its result would change the training."""
    return bool(case.seen.probes) and all(p.deterministic for p in case.seen.probes)


def _bytes_a_file(probe: object) -> float:
    return getattr(probe, "file_bytes", 0) / max(1, getattr(probe, "n_samples", 1))


def _data_cause(case: Case) -> str:
    verdict = case.diagnosis.verdict
    return verdict if verdict in DATA_VERDICTS else "decode"


def _preprocess(case: Case) -> list[Advice]:
    """Augmented data can't be cached whole; resize and decode once, offline, and keep the rest."""
    if case.seen.loader.iterable:
        return _preprocess_stream(case)
    if not case.ill("decode", "disk") or not case.seen.probes:
        return []
    if _is_repeatable(case):
        return []
    rest = max(0.0, case.accounts.data_s - case.usual(lambda p: p.decode_s))
    return [
        Advice(
            cure="preprocess",
            cause="decode",
            what=say("preprocess.what"),
            why=say("preprocess.why"),
            predicted_speedup=case.speedup([case.bound(rest, case.seen.loader.n_workers)]),
        )
    ]


def _preprocess_stream(case: Case) -> list[Advice]:
    """An iterable data set can't be cached by index; its samples can be made once."""
    made = ("decode", "transform")
    if not case.ill(*made):
        return []
    share = sum(case.share(name) for name in made)
    return [
        Advice(
            cure="preprocess",
            cause=_data_cause(case),
            what=say("preprocess.once"),
            why=say("preprocess.streamed"),
            predicted_speedup=case.without(0.9 * share),
            is_exact=False,
        )
    ]


def _draft(case: Case) -> list[Advice]:
    """Decode JPEG at the least sufficient size."""
    drafts = case.probe(lambda p: p.draft_s)
    if not case.ill("decode", "transform") or not drafts:
        return []
    pairs = [(p.draft_s, p.warm_s) for p in case.seen.probes if p.draft_s is not None]
    left = sorted(min(1.0, draft / warm) for draft, warm in pairs)
    data = case.accounts.data_s
    n = case.seen.loader.n_workers
    before, share = case.bound(data, n), left[len(left) // 2]
    return [
        Advice(
            cure="jpeg_draft",
            cause="decode",
            what=say("jpeg_draft.what"),
            why=say("jpeg_draft.why"),
            predicted_speedup=case.by_model(before, case.bound(data * share, n)),
            is_automatic=True,
            is_exact=False,
            options={"n_workers": n},
        )
    ]


def _workers(case: Case) -> list[Advice]:
    """The best number of workers by the bound, within a memory budget; zero is always tried."""
    seen, accounts = case.seen, case.accounts
    loader = seen.loader
    if not case.ill(*DATA_VERDICTS, "startup") or loader.iterable:
        return []
    budget = 0.5 * float(seen.environment.get("memory_free_bytes", 0))
    shm = float(seen.environment.get("shared_memory_free_bytes", 0)) or budget
    most = min(_MOST_WORKERS, 2 * int(seen.environment.get("cores_named", 1)))
    if accounts.waiting.seconds > 0.5 * accounts.data_s:
        most = _MOST_WORKERS  # they sleep most of the time
    best, best_step = loader.n_workers, accounts.step_s
    for n in range(int(loader.n_workers > 0 and loader.needs_workers), most + 1):
        held = forecast(loader.batch_bytes, n, loader.prefetch_factor)
        if held.total_bytes > budget or held.queued_bytes > shm:
            continue
        step = case.bound(accounts.data_s, n) + (_TURN_S if n == 0 else 0.0)
        if step < 0.95 * best_step:
            best, best_step = n, step
    at_start = case.diagnosis.verdict == "startup"
    if best == loader.n_workers or (at_start and best):
        return []  # other workers would have to be started as well
    held = forecast(loader.batch_bytes, best, loader.prefetch_factor)
    return [
        Advice(
            cure="workers",
            cause=case.diagnosis.verdict,
            what=say("workers.what", best=best, now=loader.n_workers),
            why=say(
                "workers.why",
                cores=seen.cores,
                data=accounts.data_s * 1e3,
                compute=accounts.compute_s * 1e3,
                held=held.n_batches_held,
                mb=held.queued_bytes / 1e6,
            ),
            predicted_speedup=(
                _without_starts(case, best_step / accounts.step_s)
                if at_start
                else case.speedup([best_step])
            ),
            is_automatic=True,
            options={"n_workers": best, "forecast": held.to_json(), "whole_runs": at_start},
        )
    ]


_MOST_WORKERS = 16
_TURN_S = 6e-5
"""A loader's own turn without workers, beside making the batch."""


def _persistent(case: Case) -> list[Advice]:
    """Workers that live on between epochs."""
    loader = case.seen.loader
    if not case.ill("startup") or loader.n_workers == 0 or loader.persistent_workers:
        return []
    share = case.accounts.startup_share
    return [
        Advice(
            cure="persistent_workers",
            cause="startup",
            what=say("persistent_workers.what"),
            why=say("persistent_workers.why", n=loader.n_workers, share=share),
            predicted_speedup=_without_starts(case, n_living=loader.n_workers),
            is_automatic=True,
            options={"persistent_workers": True},
        )
    ]


_LIVING_START_S = (4e-3, 5e-4, 2e-4)
"""What an epoch's start costs for each worker that lives on, at worst, usually and at best: a
message to it and back, and the first batches, which all of them make at once."""


def _without_starts(case: Case, faster: float = 1.0, n_living: int = 0) -> Interval:
    """Speed-up when no workers are started.

    Args:
        case: What was seen.
        faster: Seconds of a step over what they are now.
        n_living: Workers that live on.
    """
    start_s, share = case.accounts.startup_s, case.accounts.startup_share
    steps_s = start_s * (1.0 - share) / max(1e-9, share)
    low, mid, high = (
        max(1.0, (start_s + steps_s) / max(1e-9, faster * steps_s + n_living * living_s))
        for living_s in _LIVING_START_S
    )
    return Interval(low, mid, high)


def _narrow(case: Case) -> list[Advice]:
    """uint8 until the device; normalise whole batches there."""
    tensors = case.seen.loader.tensors
    total = sum(t["bytes"] for t in tensors)
    narrow = sum(t["narrow_bytes"] for t in tensors)
    if not case.ill("transfer", "collate", "memory", "transform") or total < 4e6:
        return []
    if narrow > 0.6 * total:
        return []
    moved = sum(case.share(name) for name in ("transfer", "collate", "memory"))
    in_worker = case.usual(lambda p: p.narrow_worker_s)
    if case.seen.loader.n_workers and in_worker:
        received = case.usual(lambda p: p.share_s) * narrow / total / 4
        after = _sent_step(case, in_worker, case.usual(lambda p: p.narrow_loop_s) + received)
        predicted = case.speedup([after])
    else:
        predicted = case.without(moved * (1.0 - narrow / total))
    return [
        Advice(
            cure="narrow_dtypes",
            cause="transfer" if case.seen.loader.n_workers else "collate",
            what=say("narrow_dtypes.what", before=total / 1e6, after=narrow / 1e6),
            why=say("narrow_dtypes.why"),
            predicted_speedup=predicted,
            is_automatic=bool(in_worker) and not case.seen.loader.iterable,
            options={"n_workers": case.seen.loader.n_workers},
        )
    ]


def _sent_step(case: Case, after_items_s: float, in_loop_s: float = 0.0) -> float:
    """Seconds of a step whose workers take so long once the samples are there.

    Args:
        case: What was seen.
        after_items_s: Collating and sending, in the worker.
        in_loop_s: What the loop's process does to each batch it receives.
    """
    n = max(1, case.seen.loader.n_workers)
    worker = case.accounts.items_s + after_items_s
    loop = case.accounts.compute_s + in_loop_s
    return max(loop, worker / n, (worker + loop) / max(1.0, case.seen.cores))


def _pickled(case: Case) -> list[Advice]:
    """Arrays and objects that go through a pipe as pickles."""
    loader = case.seen.loader
    if not case.ill("transfer") or loader.n_workers == 0 or loader.non_tensor_bytes < 1 << 20:
        return []
    mostly_arrays = loader.array_bytes > 0.8 * loader.non_tensor_bytes
    pickled, share = case.usual(lambda p: p.pickle_s), case.usual(lambda p: p.share_s)
    if mostly_arrays and pickled and share:
        after = _sent_step(case, case.usual(lambda p: p.collate_s) + share, share / 4)
        predicted = case.speedup([after])
    else:
        predicted = case.without(0.7 * case.share("transfer"))
    name = "tensors_not_arrays" if mostly_arrays else "fewer_objects"
    return [
        Advice(
            cure=name,
            cause="transfer",
            what=say(f"{name}.what"),
            why=say("tensors_not_arrays.why", mb=loader.non_tensor_bytes / 1e6),
            predicted_speedup=predicted,
            is_automatic=mostly_arrays and not loader.iterable,
            options={"n_workers": loader.n_workers},
        )
    ]


def _gather(case: Case) -> list[Advice]:
    """Samples that lie in memory, fetched and stacked one by one."""
    loader, probes = case.seen.loader, case.seen.probes
    if not case.ill("transform", "collate") or loader.iterable or loader.has_getitems:
        return []
    in_memory = bool(probes) and all(p.n_files == 0 for p in probes)
    gather = case.usual(lambda p: p.gather_s)
    light = case.usual(lambda p: p.warm_s) < 60e-6 * case.n_batch
    if not in_memory or not gather or not light or not _is_repeatable(case):
        return []
    repeats = case.accounts.repeat_s or [case.accounts.compute_s]
    return [
        Advice(
            cure="batch_gather",
            cause=_data_cause(case),
            what=say("batch_gather.what"),
            why=say("batch_gather.why"),
            predicted_speedup=case.speedup([c + gather for c in repeats]),
        )
    ]


def _arena(case: Case) -> list[Advice]:
    """Batches over glibc's mmap threshold fault on each page, each time."""
    with_arena = [p for p in case.seen.probes if p.collate_large_arena_s is not None]
    if not case.ill("memory", "collate") or not with_arena:
        return []
    rest = case.accounts.compute_s + case.usual(lambda p: p.warm_s)
    faulting = case.usual(lambda p: p.collate_faulting_s)
    in_arena = case.usual(lambda p: p.collate_large_arena_s)
    return [
        Advice(
            cure="malloc_arena",
            cause="memory",
            what=say("malloc_arena.what"),
            why=say("malloc_arena.why", faults=case.usual(lambda p: p.faults_collate)),
            predicted_speedup=case.by_model(rest + faulting, rest + in_arena),
            is_automatic=case.seen.loader.n_workers == 0,
        )
    ]


def _sequential(case: Case) -> list[Advice]:
    """A shuffle over more files than the page cache holds."""
    gb, free = shuffled_files_gb(case.seen), case.seen.environment.get("memory_free_bytes", 0) / 1e9
    if not case.ill("disk") or gb <= 0.8 * free:
        return []
    return [
        Advice(
            cure="sequential_reads",
            cause="disk",
            what=say("sequential_reads.what"),
            why=say("sequential_reads.why", gb=gb, free=free),
            predicted_speedup=case.without(0.6 * case.share("disk")),
        )
    ]


def shuffled_files_gb(seen: object) -> float:
    """Size of a data set's files that are read in random order; 0 when they are not."""
    probes, loader = getattr(seen, "probes", []), getattr(seen, "loader", None)
    if loader is None or not loader.shuffled or loader.n_dataset <= 0:
        return 0.0
    sizes = sorted(_bytes_a_file(p) for p in probes if p.n_files)
    return sizes[len(sizes) // 2] * loader.n_dataset / 1e9 if sizes else 0.0


DATA_RULES = (
    _cache,
    _preprocess,
    _draft,
    _workers,
    _persistent,
    _narrow,
    _pickled,
    _gather,
    _arena,
    _sequential,
)
