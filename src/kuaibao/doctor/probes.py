"""The data path taken apart on one batch's indices: rungs S2 to S5 of the ladder.

    S5  files evicted from the page cache         S5 - S4   the disk
    S4  files warm                                S4 - S3   opening and reading
    S3  the same bytes from RAM                   S3        decoding and transforming
    S2  stored samples, collated                  S2        collating

Seconds are wall time less the time this thread waited for a core, so that neighbours on a busy
machine are not counted.
"""

from __future__ import annotations

import builtins
import ctypes
import gc
import io
import os
import pickle
import random
import resource
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

import numpy as np
import torch

from kuaibao.doctor.batches import batch_bytes, leaves, same_values
from kuaibao.doctor.fetching import METER
from kuaibao.doctor.measured import ProbeRecord
from kuaibao.doctor.page_cache import evict, resident_fraction
from kuaibao.doctor.processes import run_delay_s

__all__ = ["OpenedFiles", "drafted_jpegs", "large_arena", "probe_batch", "ram_files"]

_MAX_RAM_BYTES = 1 << 30
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


class OpenedFiles:
    """Paths of files opened for reading while `collect` is on (an audit hook; it can't leave)."""

    def __init__(self) -> None:
        self.paths: dict[str, None] = {}
        self.collect = False
        self._installed = False

    def install(self) -> None:
        """Add the audit hook, once."""
        if not self._installed:
            self._installed = True
            sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.collect and event == "open":
            path, mode, flags = (*arguments, None, None, None)[:3]
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            if isinstance(path, str | bytes) and not writes and "w" not in str(mode or ""):
                name = os.fsdecode(path)
                if not name.startswith(("/proc", "/sys", "/dev")):
                    self.paths[os.path.abspath(name)] = None

    @contextmanager
    def collecting(self) -> Generator[dict[str, None]]:
        """Collect the paths opened inside the block."""
        self.install()
        self.paths = {}
        self.collect = True
        try:
            yield self.paths
        finally:
            self.collect = False


OPENED = OpenedFiles()


@contextmanager
def ram_files(paths: list[str]) -> Generator[None]:
    """Let `open` serve these files from RAM (Python's own `open`; C libraries go round it)."""
    contents: dict[str, bytes] = {}
    total = 0
    for path in paths:
        with suppress(OSError):
            total += os.path.getsize(path)
            if total > _MAX_RAM_BYTES:
                break
            with open(path, "rb") as file:
                contents[path] = file.read()
    original = builtins.open

    def open_(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        with suppress(TypeError):
            data = contents.get(os.path.abspath(os.fsdecode(os.fspath(file))))
            if data is not None and mode in ("rb", "r", "rt", "br"):
                raw = io.BytesIO(data)
                if "b" in mode:
                    return raw
                return io.TextIOWrapper(raw, *args[1:2], **_text_options(kwargs))
        return original(file, mode, *args, **kwargs)

    builtins.open = open_  # type: ignore[assignment]
    io.open = open_  # type: ignore[assignment]
    try:
        yield
    finally:
        builtins.open = original
        io.open = original


def _text_options(options: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if k in ("encoding", "errors", "newline")}


@contextmanager
def large_arena() -> Generator[bool]:
    """Keep big blocks in glibc's arena: no page faults on batches over 32 MiB; False elsewhere."""
    set_option = _mallopt()
    if set_option is None:
        yield False
        return
    set_option(_M_TOP_PAD, 256 << 20)
    set_option(_M_MMAP_MAX, 0)  # the threshold itself can't be raised in a running process
    set_option(_M_TRIM_THRESHOLD, (1 << 31) - 1)
    try:
        yield True
    finally:
        set_option(_M_MMAP_MAX, 65536)
        set_option(_M_TOP_PAD, 128 << 10)
        set_option(_M_TRIM_THRESHOLD, 64 << 20)


def _mallopt() -> Callable[[int, int], int] | None:
    try:
        return ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return None


@contextmanager
def drafted_jpegs(resizes: ResizeLog) -> Generator[None]:
    """Open JPEGs at the least of their 1/1, 1/2, 1/4, 1/8 sizes that covers the later resize."""
    from PIL import Image

    original: Any = Image.open

    def open_(*args: Any, **kwargs: Any) -> Any:
        image: Any = original(*args, **kwargs)
        if image.format == "JPEG" and resizes.target is not None:
            image.draft(None, resizes.target)
        return image

    Image.open = open_
    try:
        yield
    finally:
        Image.open = original


class ResizeLog:
    """The largest size that images of at least twice that size are resized to."""

    def __init__(self) -> None:
        self.target: tuple[int, int] | None = None
        self.n_resize = 0
        self.n_other_use = 0

    @contextmanager
    def watching(self) -> Generator[None]:
        """Note every whole-image resize inside the block; crops first make it unsafe."""
        if "PIL.Image" not in sys.modules:
            yield
            return
        from PIL import Image

        kind: Any = Image.Image
        resize, crop, log = kind.resize, kind.crop, self

        def resized(image: Any, size: Any, *args: Any, **kwargs: Any) -> Any:
            width, height = int(size[0]), int(size[1])
            box = kwargs.get("box") or (args[1] if len(args) > 1 else None)
            if box is None and image.width >= 2 * width and image.height >= 2 * height:
                log.n_resize += 1
                old = log.target or (0, 0)
                log.target = (max(old[0], width), max(old[1], height))
            else:
                log.n_other_use += 1
            return resize(image, size, *args, **kwargs)

        def cropped(image: Any, *args: Any, **kwargs: Any) -> Any:
            if log.n_resize == 0:
                log.n_other_use += 1
            return crop(image, *args, **kwargs)

        kind.resize, kind.crop = resized, cropped
        try:
            yield
        finally:
            kind.resize, kind.crop = resize, crop

    @property
    def is_safe(self) -> bool:
        """Whether every image went through such a resize first."""
        return self.n_resize > 0 and self.n_other_use == 0


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


def probe_batch(
    loader: Any, indices: list[Any], *, max_items: int, single_thread: bool
) -> ProbeRecord:
    """Climb the rungs once over these indices; figures are scaled to the whole batch.

    Args:
        loader: A map-style DataLoader with automatic batching.
        indices: What its batch sampler gave for one batch.
        max_items: Read at most so many samples.
        single_thread: Whether the loader's own workers would run with one thread.

    Raises:
        Exception: whatever the data set raises when it is read in this process.
    """
    chosen = indices[:max_items]
    threads = torch.get_num_threads()
    METER.muted = True
    try:
        with _random_states_kept():
            if single_thread:
                torch.set_num_threads(1)
            return _climb(loader, chosen, len(indices) / len(chosen), len(indices))
    finally:
        METER.muted = False
        METER.sink, METER.active = METER.sink, False
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


def _climb(loader: Any, chosen: list[Any], scale: float, n_samples: int) -> ProbeRecord:
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
    collate_s, collate_large, faults, batch = _collate(collate, items)
    in_tensors, others = batch_bytes(batch)
    return ProbeRecord(
        cold_s=cold * scale,
        warm_s=warm * scale,
        memory_s=None if memory is None else memory * scale,
        collate_s=collate_s * scale,
        collate_large_arena_s=None if collate_large is None else collate_large * scale,
        gather_s=_gather(items, scale),
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
    from kuaibao.doctor.fetching import FIELDS

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


def _collate(collate: Any, items: list[Any]) -> tuple[float, float | None, float, Any]:
    collate(list(items))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    plain, batch = _seconds(lambda: collate(list(items)))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    large: float | None = None
    if faults > 2000:
        with large_arena() as has_arena:
            if has_arena:
                gc.collect()
                for _ in range(8):  # the arena takes some turns until it holds the blocks
                    collate(list(items))
                large = min(_seconds(lambda: collate(list(items)))[0] for _ in range(3))
    return plain, large, float(faults), batch


def _gather(items: list[Any], scale: float) -> float | None:
    """Seconds to take a batch out of stored arrays with one call a field."""
    columns = list(zip(*(list(leaves(item)) for item in items), strict=False))
    arrays: list[torch.Tensor] = []
    for column in columns:
        try:
            arrays.append(torch.stack([torch.as_tensor(np.asarray(value)) for value in column]))
        except (TypeError, ValueError, RuntimeError):
            return None
    order = torch.randperm(len(items))
    for array in arrays:
        array.index_select(0, order)
    seconds, _ = _seconds(lambda: [array.index_select(0, order) for array in arrays])
    return seconds * scale


def _pickling(batch: Any, scale: float) -> float | None:
    try:
        return _seconds(lambda: pickle.loads(pickle.dumps(batch)))[0] * scale
    except Exception:
        return None
