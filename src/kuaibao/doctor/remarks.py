"""Dangers that cost no time yet: seeds, open files, shared memory, threads, the page cache."""

from __future__ import annotations

import numpy as np

from kuaibao.doctor.cures_data import shuffled_files_gb
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.memory import forecast
from kuaibao.doctor.sentences import Sentence, say

__all__ = ["warnings_of"]

_MANY_OBJECTS = 200_000


def warnings_of(seen: Observation) -> list[Sentence]:
    """What the user should know, whatever the verdict."""
    rules = (
        _twin_generators, _python_objects, _data_parallel, _shared_memory, _open_files,
        _growing_files, _threads, _page_cache, _first_batch,
    )  # fmt: skip
    return [remark for rule in rules for remark in rule(seen)]


def _twin_generators(seen: Observation) -> list[Sentence]:
    return [say("warn.seeds")] if seen.loader.duplicate_seeds and seen.loader.n_workers > 1 else []


def _python_objects(seen: Observation) -> list[Sentence]:
    n = seen.loader.python_objects
    return [say("warn.objects", n=n)] if n > _MANY_OBJECTS and seen.loader.n_workers else []


def _data_parallel(seen: Observation) -> list[Sentence]:
    if not seen.settings.get("data_parallel"):
        return []
    return [say("warn.data_parallel", mb=seen.settings.get("gathered_bytes", 0) / 1e6)]


def _shared_memory(seen: Observation) -> list[Sentence]:
    loader = seen.loader
    held = forecast(loader.batch_bytes, loader.n_workers, max(1, loader.prefetch_factor))
    shm = float(seen.environment.get("shared_memory_free_bytes", 0))
    if not loader.n_workers or not shm or held.queued_bytes <= 0.8 * shm:
        return []
    n, mb = held.n_batches_held, held.queued_bytes / 1e6
    return [say("warn.shared_memory", held=n, mb=mb, shm=shm / 1e6)]


def _open_files(seen: Observation) -> list[Sentence]:
    loader, limit = seen.loader, int(seen.settings.get("open_files_limit", 0))
    if not loader.n_workers or not limit:
        return []
    held = forecast(loader.batch_bytes, loader.n_workers, max(1, loader.prefetch_factor))
    n = held.n_batches_held * max(1, len(loader.tensors))
    return [say("warn.open_files", n=n, limit=limit)] if n * 2 > 0.8 * limit else []


def _growing_files(seen: Observation) -> list[Sentence]:
    """Batches from workers that are kept: each of their tensors holds a file open."""
    rows = [row for row in seen.memory if "open_files" in row]
    limit = int(seen.settings.get("open_files_limit", 0))
    if len(rows) < 8 or not limit:
        return []
    quarters = [part[-1]["open_files"] for part in np.array_split(np.array(rows, object), 4)]
    growth = np.diff([rows[0]["open_files"], *quarters])
    a_step = float(growth.sum()) / max(1.0, rows[-1]["steps"] - rows[0]["steps"])
    if growth.min() <= 0 or a_step < 0.2:
        return []
    return [say("warn.growing_files", a_step=a_step, n=int(quarters[-1]), limit=limit)]


def _threads(seen: Observation) -> list[Sentence]:
    threads = seen.environment.get("threads_setting", {}).get("OMP_NUM_THREADS", "")
    n_workers = seen.loader.n_workers
    cores = seen.environment.get("cores_named", 1)
    if not threads.isdigit() or int(threads) * max(1, n_workers) <= 2 * cores:
        return []
    return [say("warn.threads", threads=threads, workers=n_workers)]


def _page_cache(seen: Observation) -> list[Sentence]:
    gb, free = shuffled_files_gb(seen), float(seen.environment.get("memory_free_bytes", 0)) / 1e9
    return [say("warn.page_cache", gb=gb, free=free)] if free and gb > 0.8 * free else []


def _first_batch(seen: Observation) -> list[Sentence]:
    """The first batch of the first epoch, when it is far from what follows."""
    waits = [s.regions["wait"] for s in seen.steps if s.mode == "real" and not s.discard]
    wanted = seen.settings.get("loader")
    first = next((e for e in seen.epochs if wanted is None or e.loader == wanted), None)
    if first is None or len(waits) < 3:
        return []
    usual, seconds = float(np.median(waits)), first.iter_s + first.first_wait_s
    if seconds < 2.0 or seconds < 20 * max(usual, 1e-3):
        return []
    return [say("warn.first_batch", seconds=seconds, times=seconds / max(usual, 1e-3))]
