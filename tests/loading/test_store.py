import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import namedtuple

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from kuaibao.loading import (
    BadSampleError,
    StaleStoreError,
    Store,
    StoreError,
    UncacheableError,
    build_store,
)
from kuaibao.loading.store import store_key


class Squares(Dataset):
    def __init__(self, n=23, bad=()):
        self.paths = [f"pictures/{i:03d}.jpg" for i in range(n)]
        self.bad = bad
        self.n_read = 0

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        self.n_read += 1
        if i in self.bad:
            raise OSError("image file is truncated")
        return torch.arange(6).reshape(2, 3) * i, i % 2


def test_a_store_gives_what_the_data_set_gave(tmp_path):
    store = build_store(Squares(), tmp_path / "s", shard_size=5)
    assert len(store) == 23
    plain = list(DataLoader(Squares(), batch_size=4))
    for workers in (0, 2):
        stored = list(DataLoader(store, batch_size=4, num_workers=workers))
        for a, b in zip(plain, stored, strict=True):
            assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("side", [1, 40])
def test_batches_are_gathered_over_shards_whatever_the_size_of_a_row(tmp_path, side):
    class Rows(Squares):
        def __getitem__(self, i):
            if i in (5, 6, 7, 8, 9):
                raise OSError("gone")
            return torch.full((side, side), i)

    store = build_store(Rows(), tmp_path / "s", shard_size=5, on_error="skip")
    order = [17, 0, 4, 5, 5, 12]
    (batch,) = store.__getitems__(order)
    assert torch.equal(batch.batch, torch.stack([store[i] for i in order]))


def test_a_store_that_is_there_is_not_built_again(tmp_path):
    build_store(Squares(), tmp_path / "s")
    again = Squares()
    build_store(again, tmp_path / "s")
    assert again.n_read == 0


def test_an_interrupted_build_goes_on_where_it_was(tmp_path):
    class Stops(Squares):
        """Of the same key as `Squares` would be, were it the same class: stops half-way once."""

        stop_at = 14

        def __getitem__(self, i):
            if i == self.stop_at:
                raise KeyboardInterrupt
            return super().__getitem__(i)

    data = Stops()
    with pytest.raises(KeyboardInterrupt):
        build_store(data, tmp_path / "s", shard_size=5)
    with pytest.raises(StoreError, match="no complete store"):
        Store(tmp_path / "s")
    data.stop_at, data.n_read = -1, 0
    store = build_store(data, tmp_path / "s", shard_size=5)
    assert data.n_read == 23 - 10  # two shards were done
    assert torch.equal(store[22][0], torch.arange(6).reshape(2, 3) * 22)


def test_a_killed_build_leaves_no_half_written_shard(tmp_path):
    script = tmp_path / "build.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, sys, torch
            from torch.utils.data import Dataset
            from kuaibao.loading import build_store
            class Data(Dataset):
                def __len__(self): return 40
                def __getitem__(self, i):
                    if i == int(sys.argv[2]): os.kill(os.getpid(), 9)
                    return torch.full((1000,), i)
            build_store(Data(), sys.argv[1], shard_size=8)
            """
        )
    )
    folder = tmp_path / "s"
    command = [sys.executable, str(script), str(folder)]
    killed = subprocess.run([*command, "21"], check=False, timeout=100)
    assert killed.returncode == -signal.SIGKILL
    assert sorted(p.name for p in folder.glob("*.npy")) == ["00000.0.npy", "00001.0.npy"]
    subprocess.run([*command, "-1"], check=True, timeout=100)
    assert int(Store(folder)[39][0]) == 39


def test_a_store_of_other_settings_is_stale(tmp_path):
    build_store(Squares(), tmp_path / "s", settings={"side": 64})
    wanted = store_key({"side": 128}, Squares())
    with pytest.raises(StaleStoreError):
        Store(tmp_path / "s", key=wanted)
    store = build_store(Squares(), tmp_path / "s", settings={"side": 128})
    assert store.key == wanted


def test_a_corrupt_sample_is_named_or_skipped_as_configured(tmp_path):
    with pytest.raises(BadSampleError, match=r"pictures/007\.jpg.*truncated"):
        build_store(Squares(bad=(7,)), tmp_path / "s")
    store = build_store(Squares(bad=(7,)), tmp_path / "s", on_error="skip")
    assert len(store) == 22
    assert store.skipped[0]["index"] == 7
    assert "007.jpg" in store.skipped[0]["name"]


def test_a_full_disk_is_told_and_what_is_done_is_kept(tmp_path, monkeypatch):
    save, calls = np.save, []

    def full(file, array, **options):
        calls.append(1)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(file, array, **options)

    monkeypatch.setattr(np, "save", full)
    data = Squares()
    with pytest.raises(StoreError, match="disk is full"):
        build_store(data, tmp_path / "s", shard_size=5)
    monkeypatch.setattr(np, "save", save)
    data.n_read = 0
    build_store(data, tmp_path / "s", shard_size=5)
    assert data.n_read == 13
    assert not list((tmp_path / "s").glob("*.tmp*"))


def test_a_damaged_store_says_so(tmp_path):
    folder = tmp_path / "s"
    build_store(Squares(), folder, shard_size=5)
    with open(folder / "00001.0.npy", "r+b") as file:
        file.truncate(100)
    with pytest.raises(StoreError, match=r"00001\.0\.npy"):
        Store(folder)
    (folder / "manifest.json").write_text("[1]")
    with pytest.raises(StoreError, match="damaged"):
        Store(folder)
    (folder / "manifest.json").write_text(json.dumps({"key": "x"}))
    with pytest.raises(StoreError):
        Store(folder)


def test_named_tuples_are_refused_with_a_way_out(tmp_path):
    class Named(Squares):
        def __getitem__(self, i):
            return namedtuple("Pair", "x y")(i, i)

    with pytest.raises(UncacheableError, match="Pair"):
        build_store(Named(), tmp_path / "s")


def test_an_index_outside_is_refused(tmp_path):
    store = build_store(Squares(), tmp_path / "s")
    assert store[-1][1] == store[22][1]
    for index in (23, -24):
        with pytest.raises(IndexError):
            store[index]


def test_the_manifest_is_written_last(tmp_path):
    folder = tmp_path / "s"
    build_store(Squares(), folder)
    names = set(os.listdir(folder))
    assert "manifest.json" in names
    assert "building.json" not in names
