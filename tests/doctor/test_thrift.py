"""A watch that only watches leaves steps alone, and yet counts every sample."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from kuaibao.doctor.patches import Patches
from kuaibao.doctor.session import Session
from kuaibao.doctor.settings import Settings, StopExamination
from kuaibao.doctor.thrift import Thrift

N_BATCH = 50


@pytest.fixture
def session(tmp_path):
    one = Session(Settings(samples=4 * 8 * N_BATCH, ablate=False), tmp_path)
    one.install()
    yield one
    one.finish()
    one.uninstall()


def train(loader, n_epoch):
    """Steps that a hook outside the watch has counted."""
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    n_step = 0
    for _ in range(n_epoch):
        for x, y in loader:
            n_step += 1
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
    return n_step


def loader_of(n=8 * N_BATCH - 3):
    x = torch.randn(n, 4)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)


def test_short_steps_are_mostly_left_alone_and_all_samples_are_counted(session):
    assert train(loader_of(), 3) == 3 * N_BATCH
    session.rest.end()
    session.end_step()
    assert session.observation.samples_seen == 3 * (8 * N_BATCH - 3)
    real = [s for s in session.observation.steps if s.mode == "real"]
    assert 48 <= len(real) < 2 * N_BATCH
    last = real[-1]
    assert 0 < last.samples_before + last.n_samples <= session.observation.samples_seen
    assert all(s.regions["backward"] > 0 for s in real)


def test_a_watch_at_rest_still_stops_after_the_samples_that_were_asked_for(session):
    with pytest.raises(StopExamination):
        train(loader_of(8 * N_BATCH), 100)
    assert session.observation.ended == "samples"
    assert session.observation.samples_seen == 4 * 8 * N_BATCH


def test_every_hook_but_the_loaders_is_out_while_the_watch_rests(session):
    hooked = nn.Module.__call__
    for x, y in loader_of(8 * 400):
        nn.functional.mse_loss(nn.Linear(4, 1)(x), y).backward()
        if session.rest.n_left:
            break
    assert session.rest.n_left
    assert nn.Module.__call__ is not hooked
    session.rest.end()
    assert nn.Module.__call__ is hooked


def test_a_step_that_takes_long_is_watched_more_often_than_a_short_one():
    long, short = Thrift(), Thrift()
    for _ in range(48):
        long.watched(1.0, 1e-4, 20)
        short.watched(1e-4, 1e-4, 20)
    assert long.every == 8
    assert short.every >= 100


def test_what_someone_else_has_replaced_since_stays_theirs():
    class Owner:
        work = "original"

    patches = Patches()
    patches.add(Owner, "work", "ours")
    patches.off()
    assert Owner.work == "original"
    Owner.work = "theirs"
    patches.on()
    patches.off()
    assert Owner.work == "theirs"
