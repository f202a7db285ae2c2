"""Who is charged for a stretch of a step, by a clock that only moves when it is told."""

import gzip
import io
import itertools

import pytest
import torch
from torch import nn

from kuaibao.doctor import timeline as module
from kuaibao.doctor.decoders import _hook
from kuaibao.doctor.detail import Call, CallLog, summarize
from kuaibao.doctor.fetching import FIELDS, FetchMeter
from kuaibao.doctor.hooks import LoopHooks
from kuaibao.doctor.timeline import REGIONS, Timeline


class FakeClock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = FakeClock()
    monkeypatch.setattr(module, "perf_counter", clock)
    monkeypatch.setattr(module, "thread_time", clock)
    return clock


@pytest.fixture
def hooks(clock):
    import threading

    hooks = LoopHooks(Timeline())
    hooks.install()
    hooks.thread, hooks.on = threading.get_ident(), True
    yield hooks
    hooks.on = False
    hooks.uninstall()


def slow(clock, seconds, value):
    clock.now += seconds
    return value


class Slow(nn.Linear):
    """A layer that takes a second."""

    def __init__(self, clock):
        super().__init__(2, 1)
        self.clock = clock

    def forward(self, x):
        return slow(self.clock, 1.0, super().forward(x))


def test_a_closure_that_an_optimizer_calls_is_the_loops_own_code(hooks, clock):
    net = Slow(clock)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    hooks.timeline.begin_step()

    def closure():
        optimizer.zero_grad()
        output = net(torch.ones(4, 2))
        loss = slow(clock, 5.0, (output**2).mean())  # the user's own loss
        loss.backward()
        clock.now += 2.0
        return loss

    optimizer.step(closure)
    clock.now += 0.5
    wall, _ = hooks.timeline.end_step()
    assert wall["forward"] == 1.0
    assert wall["between"] == 5.0
    assert wall["python"] == 2.5
    assert wall["optimizer"] == 0.0


def test_regions_nest_and_each_is_charged_only_for_itself(clock):
    timeline = Timeline()
    timeline.begin_step()
    for region, seconds in (("forward", 1.0), ("loss", 2.0)):
        timeline.enter(region)
        clock.now += seconds
    timeline.leave()
    clock.now += 4.0
    timeline.leave()
    wall, _ = timeline.end_step()
    assert (wall["forward"], wall["loss"], wall["python"]) == (5.0, 2.0, 0.0)


def calls(regions):
    return [
        Call(1e-4 * i, 1e-4 * i + 5e-5, region, "to", has_graph=False, updates=False)
        for i, region in enumerate(regions)
    ]


@pytest.mark.parametrize(("n", "is_loop"), [(3, False), (40, True)])
def test_the_python_around_many_copies_is_theirs(n, is_loop):
    log = CallLog(Timeline())
    log.calls = calls(itertools.chain.from_iterable(("python", "host_to_device") for _ in range(n)))
    wall = {**dict.fromkeys(REGIONS, 0.0), "python": 4e-3, "host_to_device": 2e-3}
    detail = summarize(log, wall, 0.0, [], [])
    assert (detail.moved["python"].get("host_to_device", 0.0) > 0.3) == is_loop


@pytest.mark.parametrize("read", [
    lambda stream: stream.read(),
    lambda stream: stream.readlines(),
    lambda stream: list(io.TextIOWrapper(stream)),
])  # fmt: skip
def test_unpacking_is_decoding_however_a_gzip_file_is_read(tmp_path, monkeypatch, read):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"words and words\n" * 50_000))
    meter, records = FetchMeter(), []
    meter.sink = records.append
    for owner, name in ((gzip._GzipReader, "read"), (gzip, "decompress")):
        original = getattr(owner, name)
        monkeypatch.setattr(owner, name, getattr(original, "__wrapped__", original))
    _hook(gzip, "gzip", meter)
    meter.begin()
    with gzip.open(path, "rb") as stream:
        read(stream)
    meter.collate_done(0.0, 0.0, 0.0)
    meter.end(1, -1)
    assert records[0][FIELDS.index("decode_wall")] > 0
