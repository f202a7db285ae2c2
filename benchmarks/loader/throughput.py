"""Loaders on the same JPEGs, in one run, in turn: plain DataLoader, WebDataset, LitData, ours.

    python benchmarks/loader/throughput.py [--small] [--images N] [--rounds R] [--data FOLDER]
                                           [--classes bytes,decode,decoded]

Three classes of work, each with no worker and with two:
    bytes    files read, not decoded
    decode   decoded and resized to 224, uint8 (simplejpeg at the least sufficient size if there is
             one, else Pillow with draft; FFCV brings its own decoder)
    decoded  a store of decoded 224 pictures, batches gathered
CPU time of all processes is the measure (the machine is shared), with the best wall time beside it.
Memory: each loader once more in a process of its own, the most that the process tree grew by over
an epoch (proportional set size, so that shared pages count once): its own pages (anonymous and
shared memory), and pages of mapped files, which the kernel may drop. Batches that wait in workers'
queues are mapped nowhere and not in it, save ours, which lie in slots that stay mapped:
(workers x prefetch + 1) x 4.8 MB.
Peers are used when they are installed: pip install webdataset litdata simplejpeg (FFCV needs
OpenCV's development files).
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, default_collate

ROOT = Path(__file__).resolve().parents[2]
SIDE, BATCH = 224, 32

try:
    import simplejpeg
except ImportError:
    simplejpeg = None


def decode(content: bytes) -> torch.Tensor:
    """JPEG bytes to uint8 [224, 224, 3], decoded at the least size that covers it."""
    if simplejpeg is not None:
        pixels = simplejpeg.decode_jpeg(content, min_height=SIDE, min_width=SIDE)
        image = Image.fromarray(pixels)
    else:
        image = Image.open(io.BytesIO(content))
        image.draft("RGB", (SIDE, SIDE))
    return torch.from_numpy(np.array(image.resize((SIDE, SIDE), Image.BOX)))


class Files(Dataset):
    def __init__(self, paths: list[Path], work: Callable[[bytes], torch.Tensor]) -> None:
        self.paths, self.work = paths, work

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.work(self.paths[i].read_bytes())


class Pixels(Dataset):
    """A plain memory map, sample by sample: what most people write."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, i: int) -> torch.Tensor:
        return torch.from_numpy(self.array[i].copy())


def sizes(content: bytes) -> torch.Tensor:
    return torch.tensor(len(content))


def loader(data, workers: int) -> DataLoader:
    return DataLoader(data, BATCH, num_workers=workers, shuffle=True)


def measure(
    make: Callable[[], object], n: int, at_end: Callable[[], object] = lambda: None
) -> tuple[float, float]:
    """CPU and wall seconds for an epoch of n samples; `at_end` is called before it is let go of."""
    iterable = make()
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    start = time.perf_counter()
    seen = 0
    for batch in iterable:
        seen += len(batch[0] if isinstance(batch, list | tuple) else batch)
    wall = time.perf_counter() - start
    at_end()
    del iterable
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(
        b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime
        for a, b in zip(before, after, strict=True)
    )
    if not n - BATCH < seen <= n:
        raise SystemExit(f"a loader gave {seen} of {n} samples")
    return cpu, wall


def contenders(
    folder: Path, paths: list[Path], classes: list[str]
) -> dict[tuple[str, str, int], Callable]:
    from kuaibao.loading import DecodedFiles, EncodedFiles, RamCache, Store, build_store

    found: dict[tuple[str, str, int], Callable] = {}
    if not (folder / "plain.npy").exists():
        pixels = np.lib.format.open_memmap(
            folder / "plain.npy", "w+", np.uint8, (len(paths), SIDE, SIDE, 3)
        )
        for i, path in enumerate(paths):
            pixels[i] = decode(path.read_bytes()).numpy()
        pixels.flush()
    plain = np.load(folder / "plain.npy", mmap_mode="r")
    build_store(Pixels(plain), folder / "store")

    @functools.cache
    def cache():
        made = RamCache(Pixels(plain), check=False)
        made.fill()
        return made

    @functools.cache
    def held():
        return EncodedFiles([str(p) for p in paths])

    for workers in (0, 2):
        for kind, work in (("bytes", sizes), ("decode", decode)):
            found[kind, "DataLoader", workers] = lambda work=work, w=workers: loader(
                Files(paths, work), w
            )
            name = "ours: DecodedFiles" if work is decode else "ours: EncodedFiles"
            found[kind, name, workers] = lambda work=work, w=workers: loader(
                DecodedFiles(held(), work), w
            )
        found["decoded", "DataLoader", workers] = lambda w=workers: loader(Pixels(plain), w)
        found["decoded", "ours: Store", workers] = lambda w=workers: loader(
            Store(folder / "store"), w
        )
        found["decoded", "ours: RamCache", workers] = lambda w=workers: loader(cache(), w)
    add_webdataset(found, folder, paths)
    add_litdata(found, folder, paths)
    add_ffcv(found, folder, paths, classes)
    return {key: make for key, make in found.items() if key[0] in classes}


def add_webdataset(found: dict, folder: Path, paths: list[Path]) -> None:
    try:
        import webdataset as wds
    except ImportError:
        return
    shards = folder / "wds"
    if not shards.exists():
        shards.mkdir()
        with wds.ShardWriter(
            str(shards / "%04d.tar"), maxcount=max(1, len(paths) // 8), verbose=0
        ) as out:
            for i, path in enumerate(paths):
                out.write({"__key__": f"{i:06d}", "jpg": path.read_bytes()})
    urls = sorted(str(p) for p in shards.glob("*.tar"))
    for workers in (0, 2):
        for kind, work in (("bytes", sizes), ("decode", decode)):

            def make(work=work, w=workers):
                data = wds.WebDataset(urls, shardshuffle=len(urls), empty_check=False)
                data = data.shuffle(200).to_tuple("jpg").map_tuple(work)
                data = data.batched(BATCH, collation_fn=default_collate)
                return DataLoader(data, batch_size=None, num_workers=w)

            found[kind, "WebDataset", workers] = make


def add_litdata(found: dict, folder: Path, paths: list[Path]) -> None:
    try:
        from litdata import StreamingDataLoader, StreamingDataset
        from litdata.streaming.writer import BinaryWriter
    except ImportError:
        return

    def write(target: Path, samples) -> None:
        if target.exists():
            return
        target.mkdir()
        writer = BinaryWriter(str(target), chunk_bytes=32 << 20)
        for i, sample in enumerate(samples):
            writer[i] = sample
        writer.done()
        writer.merge()
        assert json.loads((target / "index.json").read_text())["chunks"]

    write(folder / "lit-jpeg", ({"x": p.read_bytes()} for p in paths))
    write(folder / "lit-pixels", ({"x": decode(p.read_bytes())} for p in paths))

    class Lit(StreamingDataset):
        work = staticmethod(lambda value: value)

        def __getitem__(self, index):
            return type(self).work(super().__getitem__(index)["x"])

    class LitBytes(Lit):
        work = staticmethod(sizes)

    class LitDecode(Lit):
        work = staticmethod(decode)

    for workers in (0, 2):
        for kind, cls, name in (
            ("bytes", LitBytes, "lit-jpeg"), ("decode", LitDecode, "lit-jpeg"),
            ("decoded", Lit, "lit-pixels"),
        ):  # fmt: skip
            found[kind, "LitData", workers] = lambda c=cls, n=name, w=workers: StreamingDataLoader(
                c(str(folder / n), shuffle=True), batch_size=BATCH, num_workers=w
            )


def add_ffcv(found: dict, folder: Path, paths: list[Path], classes: list[str]) -> None:
    try:
        from ffcv.fields import RGBImageField
        from ffcv.fields.rgb_image import CenterCropRGBImageDecoder, SimpleRGBImageDecoder
        from ffcv.loader import Loader, OrderOption
        from ffcv.transforms import ToTensor
        from ffcv.writer import DatasetWriter
    except ImportError:
        return

    class AsTuples:
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, i: int):
            return (Image.open(paths[i]).convert("RGB"),)

    class Small(AsTuples):
        def __getitem__(self, i: int):
            return (decode(paths[i].read_bytes()).numpy(),)

    sources = {"decode": ("jpg", "jpg", AsTuples()), "decoded": ("raw", "raw", Small())}
    for name, mode, data in (sources[kind] for kind in sources if kind in classes):
        if (folder / f"{name}.beton").exists():
            continue
        writer = DatasetWriter(str(folder / f"{name}.beton"), {"x": RGBImageField(write_mode=mode)})
        writer.from_indexed_dataset(data)
    for workers in (1, 2):
        for kind, name, decoder in (
            ("decode", "jpg", CenterCropRGBImageDecoder((SIDE, SIDE), 1.0)),
            ("decoded", "raw", SimpleRGBImageDecoder()),
        ):
            found[kind, f"FFCV ({workers} threads)", 0 if workers == 1 else 2] = (
                lambda n=name, d=decoder, w=workers: Loader(
                    str(folder / f"{n}.beton"), batch_size=BATCH, num_workers=w,
                    order=OrderOption.RANDOM, pipelines={"x": [d, ToTensor()]},
                )
            )  # fmt: skip


class MemoryOfTree(threading.Thread):
    """Watches the proportional set size of this process and all below it, ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = (0, 0)
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopped.wait(0.1):
            self.look()

    def look(self) -> tuple[int, int]:
        """Bytes of own and shared memory, and of mapped files."""
        own = mapped = 0
        for pid in _tree(os.getpid()):
            try:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    kb = {
                        line.split(":")[0]: line.split()[1] for line in file if line[:4] == "Pss_"
                    }
            except (OSError, IndexError):
                continue
            own += 1024 * (int(kb["Pss_Anon"]) + int(kb["Pss_Shmem"]))
            mapped += 1024 * int(kb["Pss_File"])
        self.most = max(own, self.most[0]), max(mapped, self.most[1])
        return own, mapped


def _tree(pid: int) -> list[int]:
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        except OSError:
            continue
        for child in children:
            found += _tree(int(child)) if os.path.exists(f"/proc/{child}/task") else []
    return found


def memory_child(folder: Path, paths: list[Path], key: tuple[str, str, int]) -> None:
    """Print what an epoch of one loader adds to the memory of a fresh process."""
    make = contenders(folder, paths, [key[0]])[key]
    watch = MemoryOfTree()
    before = watch.look()
    watch.start()
    measure(make, len(paths), at_end=watch.look)
    watch.stopped.set()
    print("memory", *(most - first for most, first in zip(watch.most, before, strict=True)))


def memory_of(folder: Path, data: Path, key: tuple[str, str, int]) -> tuple[float, float]:
    """MB of own memory and of mapped files."""
    done = subprocess.run(
        [sys.executable, __file__, "--memory-of", json.dumps([str(folder), str(data), *key])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("memory "):
            own, mapped = line.split()[1:]
            return int(own) / 1e6, int(mapped) / 1e6
    raise SystemExit(f"{key} failed:\n{done.stderr[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--classes", default="bytes,decode,decoded", help="only these")
    parser.add_argument("--data", default="", help="keep the pictures here, and take them again")
    parser.add_argument("--memory-of", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.memory_of:
        torch.set_num_threads(1)
        folder, data, *key = json.loads(chosen.memory_of)
        paths = sorted((Path(data) / "jpegs").glob("*.jpg"))
        return memory_child(Path(folder), paths, tuple(key))
    if chosen.small:
        chosen.images, chosen.rounds = 64, 1
    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = make_data(Path(chosen.data or folder / "data"), n_image=chosen.images)
        paths = sorted((data / "jpegs").glob("*.jpg"))
        size = sum(p.stat().st_size for p in paths)
        print(f"{len(paths)} JPEGs, {size / 1e6:.0f} MB, torch {torch.__version__}, "
              f"{os.cpu_count()} cores, decoder {'simplejpeg' if simplejpeg else 'Pillow'}")  # fmt: skip
        classes = chosen.classes.split(",")
        found = contenders(folder, paths, classes)
        results: dict[tuple[str, str, int], list[tuple[float, float]]] = {k: [] for k in found}
        for key in found:
            if "FFCV" in key[1]:
                measure(found[key], len(paths))  # compiles its pipeline: not what is measured
        for turn in range(chosen.rounds):
            keys = list(found) if turn % 2 == 0 else list(found)[::-1]
            for key in keys:
                results[key].append(measure(found[key], len(paths)))
        asked = list(found)[:1] if chosen.small else list(found)
        memory = {key: memory_of(folder, data, key) for key in asked}
        print_table(results, memory, len(paths))


def print_table(results: dict, memory: dict, n: int) -> None:
    print(
        f"{'class':8} {'loader':22} {'workers':>7} {'CPU ms/image':>13} {'best images/s':>14} "
        f"{'x plain':>8} {'by clock':>8} {'own MB':>7} {'mapped MB':>9}"
    )
    for kind in dict.fromkeys(key[0] for key in results):
        for workers in (0, 2):
            plain = results[kind, "DataLoader", workers]
            rows = [k for k in results if k[0] == kind and k[2] == workers]
            for key in sorted(rows, key=lambda k: min(c for c, _ in results[k])):
                cpu = min(c for c, _ in results[key]) / n * 1e3
                wall = n / min(w for _, w in results[key])
                pairs = list(zip(plain, results[key], strict=True))
                by_cpu, by_clock = (median(p[i] / c[i] for p, c in pairs) for i in (0, 1))
                own, mapped = memory.get(key, (float("nan"), float("nan")))
                print(
                    f"{kind:8} {key[1]:22} {workers:7} {cpu:13.3f} {wall:14.0f} {by_cpu:8.2f} "
                    f"{by_clock:8.2f} {own:7.0f} {mapped:9.0f}"
                )


if __name__ == "__main__":
    main()
