import time

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

from kuaibao.doctor.memory import batch_bytes_of, fit, forecast

PICTURE = ((512, 512, 3), "float32")
MASK = ((512, 512), "int64")


def test_the_articles_batch_is_167_megabytes_and_33_in_narrow_types():
    assert batch_bytes_of([PICTURE, MASK], 32) == 100_663_296 + 67_108_864
    narrow = batch_bytes_of([((512, 512, 3), "uint8"), ((512, 512), "uint8")], 32)
    assert narrow == 33_554_432


def test_the_articles_eight_workers_hold_twice_what_it_says():
    held = forecast(batch_bytes_of([PICTURE, MASK], 32), 8)
    assert held.common_rule_bytes == pytest.approx(1.34e9, rel=0.01)
    assert held.n_batches_held == 17
    assert held.queued_bytes == pytest.approx(2.85e9, rel=0.01)


@pytest.mark.parametrize(
    ("workers", "prefetch", "held"), [(0, 2, 1), (1, 2, 3), (2, 2, 5), (2, 4, 9), (64, 2, 129)]
)
def test_the_law_of_batches_held(workers, prefetch, held):
    assert forecast(10, workers, prefetch).n_batches_held == held


class Counted(Dataset):
    """Counts the samples that all workers have made."""

    def __init__(self):
        self.made = torch.zeros(2, dtype=torch.int64).share_memory_()

    def __len__(self):
        return 10_000

    def __getitem__(self, i):
        self.made[get_worker_info().id] += 1
        return torch.zeros(64)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("workers", "prefetch"), [(1, 2), (2, 3)])
def test_a_real_loader_holds_as_many_batches_as_the_law_says(workers, prefetch):
    data = Counted()
    loader = DataLoader(data, 8, num_workers=workers, prefetch_factor=prefetch)
    iterator = iter(loader)
    next(iterator)  # the batch in hand; the others wait in the queue
    held = forecast(1, workers, prefetch).n_batches_held
    stop = time.monotonic() + 300
    while int(data.made.sum()) < 8 * held:
        assert time.monotonic() < stop, f"{data.made.tolist()} samples made"
        time.sleep(0.05)
    assert iterator._send_idx == held  # so nobody has been asked for more
    assert int(data.made.sum()) == 8 * held


def test_a_negative_number_of_workers_is_refused():
    with pytest.raises(ValueError, match="workers -1"):
        forecast(1, -1)


def test_an_unknown_dtype_is_named():
    with pytest.raises(ValueError, match="float12"):
        batch_bytes_of([((1,), "float12")], 1)


def test_a_data_set_fits_in_part():
    found = fit(1000, encoded=50, decoded=500, budget_bytes=250_000)
    assert found.encoded_fraction == 1.0
    assert found.decoded_fraction == 0.5
