"""The engine over a real small model: same tokens in any company, beginnings read once."""

import random
import sys
import threading
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "gpt"))

from fake import FakeModel
from small import small_model

from kuaibao.service.engine import GenerationRequest, Sampling, Scheduler
from kuaibao.service.engine.core import CoreModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("model")
    small_model(where, n_positions=96)
    return where


def run(scheduler, requests):
    """The tokens of each, all asked at once."""
    found = [[] for _ in requests]
    ended = [threading.Event() for _ in requests]

    def listener(i):
        def hear(event):
            assert not isinstance(event, BaseException), event
            if event.token >= 0 and not event.is_prompt:
                found[i].append(event.token)
            if event.finish_reason is not None:
                ended[i].set()

        return hear

    for i, request in enumerate(requests):
        scheduler.submit(request, listener(i))
    for event in ended:
        assert event.wait(60)
    return found


def order(prompt, *, tenant="", n=12, seed=1, temperature=1.0):
    sampling = Sampling(max_tokens=n, temperature=temperature, seed=seed)
    return GenerationRequest(prompt=tuple(prompt), sampling=sampling, tenant=tenant)


@pytest.fixture
def started():
    opened = []

    def start(model, **settings):
        scheduler = Scheduler(model, **settings)
        scheduler.start()
        opened.append(scheduler)
        return scheduler

    yield start
    for scheduler in opened:
        scheduler.close()


def test_a_request_gets_the_same_tokens_alone_and_in_any_batch(folder, started):
    drawn = random.Random(4)
    requests = [
        order([drawn.randrange(200) for _ in range(drawn.randrange(1, 50))], seed=i,
              temperature=[0.0, 0.7, 1.3][i % 3], n=drawn.randrange(1, 30))
        for i in range(24)
    ]  # fmt: skip
    alone = started(CoreModel.load("m", folder, n_slot=1))
    expected = [run(alone, [request])[0] for request in requests]
    for n_slot in (2, 5, 16):
        crowd = started(CoreModel.load("m", folder, n_slot=n_slot))
        shuffled = drawn.sample(range(24), 24)
        found = run(crowd, [requests[i] for i in shuffled])
        assert found == [expected[i] for i in shuffled], n_slot


def test_a_beginning_that_was_read_is_not_read_again_and_changes_nothing(folder, started):
    drawn = random.Random(5)
    examples = [drawn.randrange(200) for _ in range(40)]
    requests = [
        order([*examples, *[drawn.randrange(200) for _ in range(5)]], seed=i) for i in range(8)
    ]
    expected = [run(started(CoreModel.load("m", folder, n_slot=1)), [r])[0] for r in requests[:3]]
    scheduler = started(CoreModel.load("m", folder, n_slot=3))
    found = [run(scheduler, [r])[0] for r in requests[:3]] + run(scheduler, requests[3:])
    assert found[:3] == expected
    assert scheduler.stats.n_cached_token >= 7 * 40
    again = run(scheduler, [requests[0]])
    assert again[0] == expected[0]


def test_tenants_share_no_beginnings(started):
    model = FakeModel()
    scheduler = started(model)
    prompt = list(range(50, 90))
    run(scheduler, [order(prompt, tenant="a")])
    run(scheduler, [order(prompt, tenant="b")])
    assert scheduler.stats.n_cached_token == 0
    assert model.n_read == 80
    run(scheduler, [order(prompt, tenant="a")])
    assert scheduler.stats.n_cached_token == 39


def test_a_scored_prompt_is_read_whole(started):
    scheduler = started(FakeModel())
    prompt = tuple(range(50, 90))
    run(scheduler, [order(prompt)])
    heard = []
    done = threading.Event()

    def hear(event):
        heard.append(event)
        if event.finish_reason:
            done.set()

    scored = GenerationRequest(
        prompt=prompt, sampling=Sampling(max_tokens=0, n_logprobs=0), score_prompt=True
    )
    scheduler.submit(scored, hear)
    assert done.wait(60)
    assert sum(e.logprob is not None for e in heard) == 39


def test_int8_gives_the_same_tokens_in_any_batch(folder, started):
    requests = [order(range(i, i + 30), seed=i) for i in range(6)]
    alone = started(CoreModel.load("m", folder, n_slot=1, precision="int8"))
    expected = [run(alone, [request])[0] for request in requests]
    crowd = started(CoreModel.load("m", folder, n_slot=6, precision="int8"))
    assert run(crowd, requests) == expected
    assert torch.get_num_threads() >= 1
