"""Batches in shared memory that is used again: never under a batch that somebody still holds."""

import copy

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from kuaibao.loading import DecodedFiles, RamCache, UncacheableError, slots

N, BATCH = 48, 8
SHAPE = (64, 64, 4)  # a batch of 128 KiB


class Numbered(Dataset):
    def __len__(self):
        return N

    def __getitem__(self, i):
        return torch.full(SHAPE, i, dtype=torch.uint8), i


def cached():
    cache = RamCache(Numbered())
    cache.fill()
    return cache


def copied(samples):
    return copy.deepcopy(default_collate(samples))


def is_right(x, y):
    return bool((x == y.to(torch.uint8).view(-1, *[1] * (x.ndim - 1))).all())


@pytest.mark.parametrize("options", [{}, {"prefetch_factor": 4}, {"collate_fn": copied}])
def test_batches_that_are_kept_are_never_overwritten(options):
    loader = DataLoader(
        cached(), BATCH, shuffle=True, num_workers=2, persistent_workers=True, **options
    )
    kept = [batch for _ in range(6) for batch in loader]
    assert len(kept) == 6 * N // BATCH
    assert all(is_right(x, y) for x, y in kept)


def test_a_view_keeps_its_batch_when_the_batch_itself_is_gone():
    loader = DataLoader(cached(), BATCH, shuffle=True, num_workers=1, persistent_workers=True)
    views = [(x[:, 3, 2:, 0], y) for _ in range(8) for x, y in loader]
    assert all(is_right(x, y) for x, y in views)


def test_memory_is_used_again_once_a_batch_is_let_go_of():
    loader = DataLoader(cached(), BATCH, num_workers=1, persistent_workers=True)
    places = {x.data_ptr() for _ in range(8) for x, _ in loader}
    assert len(places) <= 6  # two prefetched, one in the loop, one being filled, and some slack


def test_a_loop_that_leaves_early_and_comes_back_gets_the_right_batches():
    loader = DataLoader(cached(), BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    for _ in range(8):
        for x, y in loader:
            assert is_right(x, y)
            break
    assert sorted(int(i) for _, y in loader for i in y) == list(range(N))


def test_a_batch_may_be_changed_in_place_without_harm_to_the_next_epoch():
    loader = DataLoader(cached(), BATCH, num_workers=1, persistent_workers=True)
    for _ in range(4):
        for x, y in loader:
            assert is_right(x, y)
            x.zero_()


def test_the_slots_of_workers_that_have_ended_are_given_back_with_the_last_batch():
    for x, y in DataLoader(cached(), BATCH, num_workers=2):
        assert is_right(x, y)
    assert slots._known
    del x, y
    assert not slots._known


class Large(Dataset):
    def __len__(self):
        return N

    def __getitem__(self, i):
        return torch.full((512, 512), i, dtype=torch.uint8), i


def test_without_workers_large_batches_use_memory_again_and_those_kept_stay():
    cache = RamCache(Large())
    cache.fill()
    loader = DataLoader(cache, BATCH, shuffle=True)
    places = {x.data_ptr() for _ in range(4) for x, _ in loader}
    assert len(places) <= 3
    kept = [(x[:, 5], y) for _ in range(3) for x, y in loader]
    assert all(is_right(x, y) for x, y in kept)


def test_workers_that_were_spawned_send_whole_batches_too():
    loader = DataLoader(cached(), BATCH, num_workers=1, multiprocessing_context="spawn")
    assert all(is_right(x, y) for x, y in loader)


def numbered(content: bytes):
    return torch.full(SHAPE, content[0], dtype=torch.uint8), content[0]


@pytest.mark.parametrize("workers", [0, 2])
def test_decoded_batches_are_the_plain_loaders(workers):
    files = [bytes([i]) for i in range(N)]
    plain = DataLoader([numbered(content) for content in files], BATCH + 3)
    ours = DataLoader(DecodedFiles(files, numbered), BATCH + 3, num_workers=workers)
    for (x, y), (mine, label) in zip(plain, ours, strict=True):
        assert torch.equal(x, mine)
        assert torch.equal(y, label)


def test_a_file_that_decodes_to_another_shape_is_named():
    files = DecodedFiles([b"12", b"123"], lambda content: torch.zeros(len(content)))
    with pytest.raises(UncacheableError, match="sample 1"):
        next(iter(DataLoader(files, 2)))
