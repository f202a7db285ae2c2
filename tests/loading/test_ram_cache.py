import os
import signal
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, get_worker_info

from kuaibao.loading import EncodedFiles, RamCache, UncacheableError


class Counting(Dataset):
    """Counts how often each sample was made."""

    def __init__(self, n=20):
        self.n = n
        self.made = torch.zeros(n, dtype=torch.int64).share_memory_()

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        self.made[i] += 1
        return {"x": torch.full((3, 2), float(i)), "y": i, "z": np.array([i, -i])}


class Random(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return torch.rand(3)


@pytest.mark.parametrize("workers", [0, 2])
def test_cached_batches_are_the_plain_loaders_bit_for_bit(workers):
    plain = list(DataLoader(Counting(), batch_size=6))
    cache = RamCache(Counting())
    for _ in range(2):
        cached = list(DataLoader(cache, batch_size=6, num_workers=workers))
        for a, b in zip(plain, cached, strict=True):
            assert a.keys() == b.keys()
            for key in a:
                assert a[key].dtype == b[key].dtype
                assert torch.equal(a[key], b[key])


def test_each_sample_is_made_once_for_all_workers_and_epochs():
    data = Counting()
    cache = RamCache(data, check=False)
    for _ in range(3):  # workers are started anew each time
        list(DataLoader(cache, batch_size=5, num_workers=2))
    assert cache.n_ready == len(data)
    # The first sample is read once more, to learn its form.
    assert data.made[1:].tolist() == [1] * 19


def test_beyond_its_budget_samples_are_made_anew():
    data = Counting()
    size = RamCache(data).form.n_bytes
    cache = RamCache(data, budget_bytes=size * 7)
    assert cache.capacity == 7
    assert cache.n_bytes <= size * 7
    batches = list(DataLoader(cache, batch_size=20))
    assert torch.equal(batches[0]["y"], torch.arange(20))


def test_random_samples_are_refused():
    with pytest.raises(UncacheableError, match="different"):
        RamCache(Random())


class Pair(NamedTuple):
    x: torch.Tensor
    y: int


class Pairs(Counting):
    def __getitem__(self, i):
        return Pair(torch.full((2,), float(i)), i)


def test_named_tuples_come_back_as_what_they_were():
    plain, cached = (next(iter(DataLoader(d, batch_size=3))) for d in (Pairs(), RamCache(Pairs())))
    assert type(cached) is Pair
    assert torch.equal(plain.x, cached.x)
    assert torch.equal(plain.y, cached.y)
    assert RamCache(Pairs())[4].y == 4


class Deadly(Counting):
    """Kills the worker that is asked for its seventh sample, the first time."""

    def __init__(self):
        super().__init__()
        self.armed = torch.ones(1, dtype=torch.bool).share_memory_()

    def __getitem__(self, i):
        if i == 7 and get_worker_info() is not None and self.armed[0]:
            self.armed[0] = False
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(i)


def test_a_killed_worker_is_told_and_the_cache_goes_on():
    cache = RamCache(Deadly(), check=False)
    with pytest.raises(RuntimeError, match="worker"):
        list(DataLoader(cache, batch_size=4, num_workers=1))
    assert cache.n_ready <= 8
    batches = list(DataLoader(cache, batch_size=4, num_workers=1))
    assert torch.cat([batch["y"] for batch in batches]).tolist() == list(range(20))


def test_samples_of_two_shapes_are_refused_by_name():
    class Ragged(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return torch.zeros(2 + (i == 2))

    cache = RamCache(Ragged())
    with pytest.raises(UncacheableError, match="sample 2"):
        list(DataLoader(cache, batch_size=3))


def test_what_comes_out_may_be_changed_without_harm():
    cache = RamCache(Counting())
    cache[3]["x"].fill_(99)
    assert float(cache[3]["x"][0, 0]) == 3.0


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=8), st.integers(0, 400))
def test_encoded_files_give_back_their_bytes(contents, budget):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, content in enumerate(contents):
            path = Path(folder) / str(i)
            path.write_bytes(content)
            paths.append(str(path))
        held = EncodedFiles(paths, budget_bytes=budget)
        assert [held[i] for i in range(len(held))] == contents


class Placed(RamCache):
    """Tells in each batch whether its pixels already lie in shared memory where it is gathered."""

    def __getitems__(self, indices):
        (gathered,) = super().__getitems__(indices)
        gathered.batch["is_shared"] = torch.tensor(gathered.batch["pixels"].is_shared())
        return [gathered]


class Rows(Dataset):
    def __len__(self):
        return 12

    def __getitem__(self, i):
        return {"pixels": torch.full((3, 2), i, dtype=torch.uint8), "none": torch.zeros(0)}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_worker_gathers_where_the_batch_is_sent_from(workers):
    batches = list(DataLoader(Placed(Rows()), batch_size=5, num_workers=workers))
    assert [bool(batch["is_shared"]) for batch in batches] == [workers > 0] * 3
    assert torch.cat([batch["pixels"][:, 0, 0] for batch in batches]).tolist() == list(range(12))
    assert batches[2]["none"].shape == (2, 0)
