"""The data path taken apart on one batch's indices: rungs S2 to S5 of the ladder.

    S5  files evicted from the page cache         S5 - S4   the disk
    S4  files warm                                S4 - S3   opening and reading
    S3  the same bytes from RAM                   S3        decoding and transforming
    S2  stored samples, collated                  S2        collating

Seconds are wall time less the time this thread waited for a core, so that neighbours on a busy
machine are not counted.
"""

from __future__ import annotations

import gc
import os
import pickle
import random
import resource
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np
import torch

from kuaibao.doctor.ablations import OPENED, ResizeLog, drafted_jpegs, large_arena, ram_files
from kuaibao.doctor.batches import batch_bytes, same_values
from kuaibao.doctor.fetching import FIELDS, METER
from kuaibao.doctor.measured import ProbeRecord
from kuaibao.doctor.page_cache import evict, resident_fraction
from kuaibao.doctor.processes import run_delay_s
from kuaibao.doctor.transport import NarrowSamples, narrowing_of, shared, widened

__all__ = ["probe_batch", "read_items"]


@contextmanager
def _random_states_kept() -> Generator[None]:
    state = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    try:
        yield
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.random.set_rng_state(state[2])


def _seed(value: int) -> None:
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)


def _seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    delay, start = run_delay_s(), perf_counter()
    result = function()
    wall = perf_counter() - start
    return max(1e-9, wall - (run_delay_s() - delay)), result


def read_items(dataset: Any, indices: list[Any]) -> list[Any]:
    """The samples, as the fetcher would read them."""
    if hasattr(dataset, "__getitems__") and dataset.__getitems__:
        return list(dataset.__getitems__(indices))
    return [dataset[index] for index in indices]


def probe_batch(loader: Any, indices: list[Any], *, max_items: int, n_workers: int) -> ProbeRecord:
    """Climb the rungs once over these indices; figures are scaled to the whole batch.

    Args:
        loader: A map-style DataLoader with automatic batching.
        indices: What its batch sampler gave for one batch.
        max_items: Read at most so many samples.
        n_workers: Of the loader; its workers run with one thread, and their batches are sent.

    Raises:
        Exception: whatever the data set raises when it is read in this process.
    """
    chosen = indices[:max_items]
    threads = torch.get_num_threads()
    METER.muted = True
    try:
        with _random_states_kept():
            if n_workers:
                torch.set_num_threads(1)
            return _climb(loader, chosen, len(indices) / len(chosen), len(indices), n_workers)
    finally:
        METER.muted = False
        METER.sink, METER.active = METER.sink, False
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


def _climb(
    loader: Any, chosen: list[Any], scale: float, n_samples: int, n_workers: int
) -> ProbeRecord:
    dataset = loader.dataset
    collate: Any = getattr(loader.collate_fn, "original", loader.collate_fn)
    resizes = ResizeLog()
    _seed(1)
    with OPENED.collecting() as opened, resizes.watching():
        read_items(dataset, chosen)  # untimed: fills caches, names the files
    files = [path for path in opened if os.path.isfile(path)]
    data_bytes = sum(os.path.getsize(path) for path in files)
    before = resident_fraction(files[:64])
    warm, items, decode = _warm(dataset, chosen)
    deterministic = _is_deterministic(dataset, chosen)
    cold, evicted = warm, before
    if files and data_bytes < 4 << 30:
        evict(files)
        evicted = resident_fraction(files[:64])
        cold, _ = _seconds(lambda: read_items(dataset, chosen))
    memory = _from_memory(dataset, chosen, files)
    draft = _drafted(dataset, chosen, resizes) if resizes.is_safe else None
    # In a worker the default collate writes into shared memory: no arena would help there.
    has_arena = not (n_workers and _is_default(collate))
    collate_s, collate_large, faults, batch = _collate(collate, items, with_arena=has_arena)
    in_tensors, others = batch_bytes(batch)
    share_s, narrow_worker_s, narrow_loop_s = None, None, None
    if n_workers and in_tensors + others > 1 << 20:
        share_s = _sharing(batch)
        if _is_default(collate):
            narrow_worker_s, narrow_loop_s = _narrowing(collate, items)
    return ProbeRecord(
        cold_s=cold * scale,
        warm_s=warm * scale,
        memory_s=None if memory is None else memory * scale,
        collate_s=collate_s * scale,
        collate_large_arena_s=None if collate_large is None else collate_large * scale,
        gather_s=_gather(collate, items, scale),
        draft_s=None if draft is None else draft * scale,
        decode_s=decode * scale,
        pickle_s=_pickling(batch, scale) if others > 1 << 16 else None,
        deterministic=deterministic,
        n_files=len(files),
        file_bytes=int(data_bytes * scale),
        sample_bytes=sum(sum(batch_bytes(item)) for item in items) // max(1, len(items)),
        batch_bytes=int((in_tensors + others) * scale),
        n_samples=n_samples,
        faults_collate=faults * scale,
        residency_before=before,
        residency_evicted=evicted,
        share_s=None if share_s is None else share_s * scale,
        narrow_worker_s=None if narrow_worker_s is None else narrow_worker_s * scale,
        narrow_loop_s=None if narrow_loop_s is None else narrow_loop_s * scale,
    )


def _warm(dataset: Any, chosen: list[Any]) -> tuple[float, list[Any], float]:
    """S4, with the part that the decoders take."""
    METER.muted = False
    sink = METER.sink
    kept: list[tuple[float, ...]] = []
    METER.sink = kept.append
    METER.begin()
    seconds, items = _seconds(lambda: read_items(dataset, chosen))
    METER.collate_done(0.0, 0.0, 0.0)
    METER.end(len(chosen), -1)
    METER.sink = sink
    METER.muted = True
    decode = kept[0][FIELDS.index("decode_cpu")] if kept else 0.0
    return seconds, items, decode


def _is_deterministic(dataset: Any, chosen: list[Any]) -> bool:
    """Whether a few samples come out the same under different seeds."""
    few = chosen[:3]
    _seed(11)
    one = read_items(dataset, few)
    _seed(12)
    other = read_items(dataset, few)
    return all(same_values(a, b) for a, b in zip(one, other, strict=True))


def _from_memory(dataset: Any, chosen: list[Any], files: list[str]) -> float | None:
    if not files:
        return None
    try:
        with ram_files(files):
            return _seconds(lambda: read_items(dataset, chosen))[0]
    except Exception:
        return None  # the library needs a real file: this rung can't be stood on


def _drafted(dataset: Any, chosen: list[Any], resizes: ResizeLog) -> float | None:
    try:
        with drafted_jpegs(resizes):
            return _seconds(lambda: read_items(dataset, chosen))[0]
    except Exception:
        return None


def _collate(
    collate: Any, items: list[Any], *, with_arena: bool
) -> tuple[float, float | None, float, Any]:
    for _ in range(3):  # glibc learns the size of the blocks from the first that it frees
        collate(list(items))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    plain, batch = _seconds(lambda: collate(list(items)))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    large: float | None = None
    if faults > 2000 and with_arena:
        with large_arena() as has_arena:
            if has_arena:
                gc.collect()
                for _ in range(8):  # the arena takes some turns until it holds the blocks
                    collate(list(items))
                large = min(_seconds(lambda: collate(list(items)))[0] for _ in range(3))
    return plain, large, float(faults), batch


def _gather(collate: Any, items: list[Any], scale: float) -> float | None:
    """Seconds to take a batch out of the cache that would be applied, collated."""
    from kuaibao.loading import RamCache, UncacheableError

    try:
        cache = RamCache(items, gather=_is_default(collate), check=False)
        cache.fill()
        order = torch.randperm(len(items)).tolist()
        collate(cache.__getitems__(order))
        seconds = [_seconds(lambda: collate(cache.__getitems__(order)))[0] for _ in range(3)]
    except (UncacheableError, TypeError, ValueError, RuntimeError):
        return None
    return sorted(seconds)[1] * scale


def _is_default(collate: Any) -> bool:
    return getattr(collate, "__name__", "") == "default_collate"


def _sharing(batch: Any) -> float:
    """Seconds of the median of three copies into fresh shared memory."""
    return sorted(_seconds(lambda: shared(batch))[0] for _ in range(3))[1]


def _narrowing(collate: Any, items: list[Any]) -> tuple[float | None, float | None]:
    """Seconds in the worker and in the loop when the samples' fields travel narrow."""
    fields = narrowing_of(items[:4])
    if not fields:
        return None, None
    narrow = NarrowSamples(items, fields)
    worker: list[float] = []
    loop: list[float] = []
    for _ in range(3):
        seconds, batch = _seconds(lambda: collate([narrow.narrow(item) for item in items]))
        worker.append(seconds + _seconds(lambda batch=batch: shared(batch))[0])
        loop.append(_seconds(lambda batch=batch: widened(batch, fields))[0])
    return sorted(worker)[1], sorted(loop)[1]


def _pickling(batch: Any, scale: float) -> float | None:
    try:
        return _seconds(lambda: pickle.loads(pickle.dumps(batch)))[0] * scale
    except Exception:
        return None
