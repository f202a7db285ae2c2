"""The law (workers x prefetch + 1) x batch bytes against what a stopped loop's loader really holds.

    python benchmarks/doctor/memory_law.py [--small]

A loop takes one batch and waits until the workers have filled their queue. Held is the shared
memory that grew meanwhile (Shmem of /proc/meminfo would count the neighbours' too, so the files
that torch keeps in /dev/shm are counted by the workers' and the loop's open descriptors), with the
batch in hand.
"""

from __future__ import annotations

import argparse
import os
import time

import torch
from torch.utils.data import DataLoader, Dataset

from kuaibao.doctor.memory import forecast


class Pictures(Dataset):
    def __init__(self, side: int, dtype: torch.dtype) -> None:
        self.sample = torch.zeros(side, side, 3, dtype=dtype)

    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.sample


def shared_bytes(pids: list[int]) -> int:
    """Bytes of the shared-memory files that these processes hold open or mapped, each once."""
    found: dict[int, int] = {}
    for pid in pids:
        for kind in ("fd", "map_files"):
            try:
                entries = os.listdir(f"/proc/{pid}/{kind}")
            except OSError:
                continue
            for entry in entries:
                try:
                    target = os.readlink(f"/proc/{pid}/{kind}/{entry}")
                    if "/dev/shm/torch_" in target or "/memfd:" in target:
                        status = os.stat(f"/proc/{pid}/{kind}/{entry}")
                        found[status.st_ino] = status.st_size
                except OSError:
                    continue
    return sum(found.values())


def held(workers: int, prefetch: int, dtype: torch.dtype, side: int) -> tuple[int, int]:
    loader = DataLoader(Pictures(side, dtype), 16, num_workers=workers, prefetch_factor=prefetch)
    iterator = iter(loader)
    batch = next(iterator)
    pids = [os.getpid(), *(w.pid for w in iterator._workers)]
    previous, same = -1, 0
    while same < 4:
        time.sleep(0.5)
        now = shared_bytes(pids)
        same = same + 1 if now == previous else 0
        previous = now
    size = batch.numel() * batch.element_size()
    del iterator
    return size, previous


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    torch.set_num_threads(1)
    cases = [(1, 2), (2, 2), (2, 4), (3, 2)][: 1 if small else 4]
    side = 128 if small else 256
    print(f"{'workers':>7} {'prefetch':>8} {'dtype':>8} {'batch MB':>9} {'forecast MB':>12} "
          f"{'held MB':>9} {'error':>7}")  # fmt: skip
    for dtype in (torch.float32, torch.uint8):
        for workers, prefetch in cases:
            size, found = held(workers, prefetch, dtype, side)
            said = forecast(size, workers, prefetch).queued_bytes
            print(f"{workers:7} {prefetch:8} {str(dtype)[6:]:>8} {size / 1e6:9.2f} "
                  f"{said / 1e6:12.2f} {found / 1e6:9.2f} {said / max(1, found) - 1:+7.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
