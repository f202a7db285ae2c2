"""The data path taken apart on one batch's indices: rungs S2 to S5 of the ladder.

    S5  files evicted from the page cache         S5 - S4   the disk
    S4  files warm                                S4 - S3   opening and reading
    S3  the same bytes from RAM                   S3        decoding and transforming
    S2  stored samples, collated                  S2        collating

Seconds are wall time less the time this thread waited for a core, so that neighbours on a busy
machine are not counted.
"""

from __future__ import annotations

import dataclasses
import gc
import multiprocessing
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

from kuaibao.doctor.ablations import OPENED, ResizeLog, drafted_jpegs, ram_files
from kuaibao.doctor.batches import batch_bytes, leaves, same_values
from kuaibao.doctor.children import measured_in_a_child
from kuaibao.doctor.fetching import FIELDS, METER
from kuaibao.doctor.measured import ProbeRecord
from kuaibao.doctor.page_cache import evict, resident_fraction
from kuaibao.doctor.processes import run_delay_s
from kuaibao.doctor.transport import NarrowSamples, narrowing_of, shared, widened
from kuaibao.loading.arena import large_arena

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

    def climb() -> ProbeRecord:
        return _climb(loader, chosen, len(indices) / len(chosen), len(indices), n_workers)

    try:
        if n_workers and _forks(loader) and not _failed_in_a_child:
            # In a child, as a worker is: this process has made no batch yet, and what glibc would
            # learn here of their size changes what batches cost from then on.
            found = measured_in_a_child(lambda: dataclasses.asdict(climb()))
            if found is not None:
                return ProbeRecord(**found)
            _failed_in_a_child.append(True)
        with _random_states_kept():
            if n_workers:
                torch.set_num_threads(1)
            return climb()
    finally:
        METER.muted = False
        METER.sink, METER.active = METER.sink, False
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


_failed_in_a_child: list[bool] = []


def _forks(loader: Any) -> bool:
    """Whether the loader forks its workers: then this process may be forked."""
    context = loader.multiprocessing_context
    chosen = multiprocessing.get_start_method(allow_none=True)  # asking must not settle it
    default = chosen or multiprocessing.get_all_start_methods()[0]
    method = context.get_start_method() if context else default
    return method == "fork" and not torch.cuda.is_initialized()


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
    deterministic, stored = _is_deterministic(dataset, chosen), _is_stored(dataset, chosen)
    cold, evicted = warm, before
    if files and data_bytes < 4 << 30:
        evict(files)
        evicted = resident_fraction(files[:64])
        cold, _ = _seconds(lambda: read_items(dataset, chosen))
    disk = _disk_bytes_a_second(files) if cold > 1.3 * warm and len(files) > 3 else None
    memory = _from_memory(dataset, chosen, files)
    draft = _drafted(dataset, chosen, resizes) if resizes.is_safe else None
    # Before anything larger is let go of, from which glibc learns.
    gathered = _gather(collate, items, scale)
    made = _turns(lambda: collate(read_items(dataset, chosen)), 3) if n_workers else None
    # In a worker the default collate writes into shared memory: no arena would help there.
    has_arena = not (n_workers and _is_default(collate))
    collate_s, faults, batch = _collate(collate, items)
    faulting, large = (None, None) if faults < 2000 or not has_arena else _arena(collate, items)
    in_tensors, others = batch_bytes(batch)
    share_s, narrow_worker_s, narrow_loop_s = None, None, None
    if in_tensors + others > 1 << 20:
        share_s = _sharing(batch)
        if n_workers and _is_default(collate):
            narrow_worker_s, narrow_loop_s = _narrowing(collate, items)
    return ProbeRecord(
        cold_s=cold * scale,
        warm_s=warm * scale,
        memory_s=None if memory is None else memory * scale,
        collate_s=collate_s * scale,
        collate_large_arena_s=None if large is None else large * scale,
        gather_s=gathered,
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
        collate_faulting_s=None if faulting is None else faulting * scale,
        made_s=None if made is None else made * scale,
        disk_bytes_a_second=disk,
        stored=stored,
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


def _is_stored(dataset: Any, chosen: list[Any]) -> bool:
    """Whether samples are rows of what lies in memory, and nothing is computed for them."""
    few = chosen[:3]
    samples = read_items(dataset, few), read_items(dataset, few)  # both are held: no address twice
    one, other = ([_address(leaf) for leaf in leaves(found)] for found in samples)
    return one == other and any(one)


def _address(leaf: Any) -> int:
    """Where its values lie; 0 for a number."""
    if isinstance(leaf, torch.Tensor):
        return leaf.data_ptr()
    return leaf.ctypes.data if isinstance(leaf, np.ndarray) else 0


def _disk_bytes_a_second(files: list[str]) -> float:
    """The pace of the disk when several readers ask it at once."""
    from concurrent.futures import ThreadPoolExecutor

    evict(files)
    with ThreadPoolExecutor(4) as pool:
        start = perf_counter()
        n_bytes = sum(pool.map(_read, files))
        return n_bytes / (perf_counter() - start)


def _read(path: str) -> int:
    with open(path, "rb") as file:
        return len(file.read())


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


def _collate(collate: Any, items: list[Any]) -> tuple[float, float, Any]:
    for _ in range(3):  # glibc learns the size of the blocks from the first that it frees
        collate(list(items))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    seconds, batch = _seconds(lambda: collate(list(items)))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    return seconds, float(faults), batch


def _arena(collate: Any, items: list[Any]) -> tuple[float | None, float | None]:
    """Seconds of a batch's collating and letting go, as it is and in glibc's arena.

    In a child: memory that the arena has taken would serve the loop's own batches from then on.
    """

    def measure() -> list[float]:
        plain = _turns(lambda: collate(list(items)), 3)
        with large_arena() as has_arena:
            gc.collect()
            # Some turns pass until the arena holds the blocks.
            return [plain, _turns(lambda: collate(list(items)), 11)] if has_arena else []

    if torch.cuda.is_initialized():
        return None, None
    found = measured_in_a_child(measure)
    return (found[0], found[1]) if found else (None, None)


def _turns(make: Callable[[], Any], n: int) -> float:
    """The median of the last three of `n` turns of a loop that keeps its batch until the next."""
    held = [make()]

    def turn() -> None:
        held[0] = make()

    seconds = [_seconds(turn)[0] for _ in range(n)]
    return sorted(seconds[-3:])[1]


def _gather(collate: Any, items: list[Any], scale: float) -> float | None:
    """Seconds for a batch out of the cache that would be applied, by a loader without workers."""
    from torch.utils.data import DataLoader

    from kuaibao.loading import RamCache, UncacheableError

    try:
        cache = RamCache(items, gather=_is_default(collate), check=False)
        cache.fill()
        orders = [torch.randperm(len(items)).tolist() for _ in range(8)]
        batches = iter(DataLoader(cache, batch_sampler=orders, collate_fn=collate))
        return _turns(lambda: next(batches), len(orders) - 1) * scale
    except (UncacheableError, TypeError, ValueError, RuntimeError):
        return None


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
    batch = collate([narrow.narrow(item) for item in items])

    def sent() -> Any:
        return shared(collate([narrow.narrow(item) for item in items]))

    return _turns(sent, 3), _turns(lambda: widened(batch, fields), 3)


def _pickling(batch: Any, scale: float) -> float | None:
    try:
        return _seconds(lambda: pickle.loads(pickle.dumps(batch)))[0] * scale
    except Exception:
        return None
