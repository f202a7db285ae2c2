"""Traps that cost no time yet, each on an observation made by hand, and on real objects."""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).parent))
from observations import probe

from kuaibao.doctor.facts import loader_facts
from kuaibao.doctor.measured import EpochRecord, LoaderFacts, Observation, StepRecord
from kuaibao.doctor.processes import n_open_files, open_files_limit
from kuaibao.doctor.remarks import warnings_of
from kuaibao.doctor.timeline import REGIONS


def observation(**loader):
    facts = LoaderFacts(n_workers=4, batch_bytes=10**6, n_dataset=10_000, **loader)
    return Observation(loader=facts, environment={"memory_free_bytes": 8e9, "cores_named": 4})


def said(seen):
    return " ".join(warnings_of(seen))


def test_a_loader_without_dangers_is_not_warned_of():
    assert warnings_of(observation()) == []


def test_shared_memory_too_small_for_the_queue_is_told_with_both_sizes():
    seen = observation()
    seen.environment["shared_memory_free_bytes"] = 8 * 10**6
    assert "9 queued batches need 9 MB of /dev/shm, which has 8 MB" in said(seen)


def test_too_many_open_files_are_told_before_they_happen():
    seen = observation(tensors=[{}] * 60)
    seen.settings["open_files_limit"] = 1024
    assert "540 open files" in said(seen)
    seen.settings["open_files_limit"] = 65536
    assert warnings_of(seen) == []


def test_batches_that_are_kept_are_known_by_their_open_files():
    seen = observation()
    seen.settings["open_files_limit"] = 1024
    seen.memory = [{"steps": float(i), "open_files": 40.0 + 2 * i} for i in range(40)]
    assert "tensor.clone()" in said(seen)
    seen.memory = [{"steps": float(i), "open_files": 60.0 + i % 5} for i in range(40)]
    assert warnings_of(seen) == []


def test_threads_times_workers_are_weighed_against_the_cores():
    seen = observation()
    seen.environment["threads_setting"] = {"OMP_NUM_THREADS": "4"}
    assert "OMP_NUM_THREADS=4 times 4 workers" in said(seen)


def test_a_shuffle_over_more_files_than_the_page_cache_holds_is_told():
    seen = observation(shuffled=True)
    seen.probes = [probe(file_bytes=32 * 10**6)]  # a megabyte a sample, ten gigabytes in all
    assert "page cache" in said(seen)
    seen.loader.shuffled = False
    assert warnings_of(seen) == []


def test_a_slow_first_batch_is_told():
    seen = observation()
    regions = {**dict.fromkeys(REGIONS, 0.0), "wait": 0.01}
    seen.steps = [StepRecord("real", 0, 0.02, regions, regions, 8, 0.0) for _ in range(5)]
    seen.epochs = [EpochRecord(0, 0.5, 5.5, 100, 0.0, False)]
    assert "first batch took 6 s" in said(seen)


class Listed(Dataset):
    def __init__(self, n):
        self.rows = [(f"pictures/{i}.jpg", i) for i in range(n)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return torch.zeros(2)


def test_lists_of_python_objects_are_counted_and_packed_arrays_are_not():
    seen = Observation()
    seen.loader = loader_facts(DataLoader(Listed(100_000), num_workers=2), torch.zeros(1, 2))
    assert seen.loader.python_objects == 300_000
    assert "300000 Python objects" in said(seen)
    packed = Listed(2)
    packed.rows = np.zeros((100_000, 2))
    assert loader_facts(DataLoader(packed), None).python_objects == 0


@pytest.mark.parametrize(
    "generator", [np.random.default_rng(0), random.Random(0), torch.Generator(), None]
)
def test_a_generator_that_all_workers_would_copy_is_told(generator):
    data = Listed(2)
    data.noise = generator
    seen = Observation(loader=loader_facts(DataLoader(data, num_workers=2), torch.zeros(1, 2)))
    assert ("same augmentations" in said(seen)) == (generator is not None)


def test_the_limits_of_this_process_are_read():
    before = n_open_files()
    with open("/dev/null"):
        assert n_open_files() == before + 1
    assert open_files_limit() >= 0
