"""Arrays that travel as tensors, values that travel narrow: the script sees what it always saw."""

import pickle
from collections import namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, default_collate

from kuaibao.doctor.batches import same_values
from kuaibao.doctor.transport import (
    ArraysAsTensors,
    NarrowSamples,
    narrowing_of,
    restored,
    shared,
    widened,
)

Pair = namedtuple("Pair", "x y")


def as_it_is(samples):
    return samples


BATCHES = [
    np.arange(1000, dtype=np.float32).reshape(10, 100),
    [np.zeros((40, 40)), "text", 3],
    {"a": (np.ones(500, dtype=np.int16), torch.ones(3)), "b": None},
    Pair(np.arange(2000)[::2], np.array(["words", "stay"])),
]


@pytest.mark.parametrize("batch", BATCHES)
def test_arrays_come_back_as_the_arrays_they_were(batch):
    sent = ArraysAsTensors(as_it_is)(batch)
    back = restored(pickle.loads(pickle.dumps(sent)))
    assert type(back) is type(batch)
    assert same_values(back, batch)


def test_large_arrays_are_wrapped_as_tensors_on_their_way():
    sent = ArraysAsTensors(as_it_is)([np.zeros(10_000)])
    assert not isinstance(sent[0], np.ndarray)
    assert isinstance(sent[0].tensor, torch.Tensor)


class Pictures(Dataset):
    """8-bit pictures as floats, int64 masks and a label."""

    def __len__(self):
        return 12

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        pixels = torch.from_numpy(rng.integers(0, 256, (3, 16, 16), dtype=np.uint8))
        mask = torch.from_numpy(rng.integers(0, 20, (16, 16)))
        return {"image": pixels.float() / 255, "mask": mask, "label": i % 2}


def test_narrow_pictures_and_masks_lose_nothing():
    data = Pictures()
    fields = narrowing_of([data[i] for i in range(4)])
    assert [(f.dtype, f.narrow, f.divided) for f in fields] == [
        ("float32", "uint8", True),
        ("int64", "uint8", False),
    ]
    narrow = next(iter(DataLoader(NarrowSamples(data, fields), batch_size=12)))
    assert narrow["image"].dtype == narrow["mask"].dtype == torch.uint8
    assert same_values(widened(narrow, fields), next(iter(DataLoader(data, batch_size=12))))


def test_values_that_need_their_type_are_left_alone():
    samples = [(torch.randn(300), torch.arange(300) * 10**12) for _ in range(2)]
    assert narrowing_of(samples) == []


@given(
    st.lists(st.integers(-(2**40), 2**40), min_size=256, max_size=300),
    st.sampled_from([torch.int64, torch.int32]),
)
def test_whole_numbers_of_any_size_survive(values, dtype):
    sample = torch.tensor(values).to(dtype)
    fields = narrowing_of([sample])
    batch = default_collate([NarrowSamples([sample], fields).narrow(sample)])
    assert torch.equal(widened(batch, fields)[0], sample)


def test_what_is_shared_holds_the_batchs_bytes():
    batch = {"x": torch.arange(10), "y": np.ones(4), "z": "no bytes"}
    copies = shared(batch)
    assert [copy.is_shared() for copy in copies] == [True, True]
    assert torch.equal(copies[0], batch["x"])
