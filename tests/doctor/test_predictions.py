"""What a cure is said to give, on observations made by hand."""

import dataclasses
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from observations import FETCH, observed, probe

from kuaibao.doctor import processes
from kuaibao.doctor.advice import advise
from kuaibao.doctor.data_parts import Sending, Waiting, waiting_in
from kuaibao.doctor.measured import EpochRecord
from kuaibao.doctor.rates import predicted_step_s
from kuaibao.doctor.schedule import Schedule
from kuaibao.doctor.treatments import _Drawn
from kuaibao.doctor.verdict import diagnose


def test_waiting_needs_no_core_so_that_more_workers_than_cores_help():
    busy = predicted_step_s(0.001, 0.05, 16, 2.0)
    asleep = predicted_step_s(0.001, 0.05, 16, 2.0, waiting=Waiting(0.049))
    one_disk = predicted_step_s(0.001, 0.05, 16, 2.0, waiting=Waiting(0.049, disk_s=0.02))
    assert busy == pytest.approx(0.051 / 2)
    assert asleep == pytest.approx(0.05 / 16)
    assert one_disk == pytest.approx(0.02)


def test_sending_is_paid_on_both_sides_and_only_with_workers():
    sending = Sending(worker_s=0.004, loop_s=0.01)
    assert predicted_step_s(0.002, 0.006, 0, 2.0, sending=sending) == pytest.approx(0.008)
    assert predicted_step_s(0.002, 0.006, 4, 8.0, sending=sending) == pytest.approx(0.012)
    assert predicted_step_s(0.001, 0.006, 1, 8.0, sending=sending) == pytest.approx(0.011)


def test_what_a_fetch_waits_for_is_told_by_whether_the_disk_was_read():
    asleep = {**FETCH, "items_wall": 0.08, "items_cpu": 0.02, "collate_wall": 0.0}
    found = waiting_in([asleep] * 4, 0.1, [])
    assert found.seconds == pytest.approx(0.075)
    assert found.disk_s == 0.0
    from_disk = {**asleep, "blocks_read": 300.0}
    assert waiting_in([from_disk] * 4, 0.1, []).disk_s == pytest.approx(0.0375)
    probed = [probe(disk_bytes_a_second=512e4)]
    assert waiting_in([from_disk] * 4, 0.1, probed).disk_s == pytest.approx(0.03)
    assert waiting_in([FETCH] * 4, 0.1, []).seconds == 0.0


def test_a_data_set_that_sleeps_is_offered_more_workers_than_twice_the_cores():
    seen = observed(
        fetch={"decode_cpu": 0.0, "items_cpu": 0.001, "read_cpu": 0.0}, wait=0.085, forward=0.002
    )
    seen.environment["cores_named"] = 2
    workers = next(one for one in advise(seen, diagnose(seen)) if one.cure == "workers")
    assert workers.options["n_workers"] > 4
    assert workers.predicted_speedup.mid > 4


@pytest.mark.parametrize("n_workers", [1, 2, 3, 5, 16])
def test_a_block_holds_whole_rounds_of_all_workers(n_workers):
    real = Schedule(n_workers=n_workers)
    assert real.n_real % n_workers == 0
    treated = Schedule(n_workers=0, modes=("treated",), n_treated_workers=n_workers)
    assert treated.n_repeat % n_workers == 0
    assert treated.n_repeat >= 8


def test_treated_steps_whose_batches_lay_ready_are_left_out():
    schedule = Schedule(n_workers=0, lag=5, modes=("treated",), n_treated_workers=2, treated_lag=9)
    turns = [schedule.next(backlog=0, can_repeat=True, idle=True) for _ in range(60)]
    first = [turn for turn in turns if turn.mode == "treated" and turn.cycle == 0]
    assert [turn.discard for turn in first] == [True] * 9 + [False] * 8
    second = [turn for turn in turns if turn.mode == "real" and turn.cycle == 1]
    assert sum(turn.discard for turn in second) == 5


def test_cores_are_probed_again_and_their_median_counts(monkeypatch):
    found = iter([0.5, 1.9, 1.8, 1.9])
    monkeypatch.setattr(processes, "probe_cores", lambda seconds: next(found))
    probe_of = processes.CoresProbe(1.9)
    for elapsed_s in (0.1, 1.6, 1.7, 3.4, 5.1):
        probe_of.look(elapsed_s)
    assert probe_of.cores == pytest.approx(1.85)


def test_many_threads_whose_harm_could_not_be_measured_leave_it_undecided():
    seen = observed(wait=0.001, forward=0.03, backward=0.06)
    seen.environment["cores_named"] = 2
    assert diagnose(seen).verdict == "healthy"
    seen.settings["threads"] = 32
    found = diagnose(seen)
    assert found.verdict == "undecided"
    assert any("32 threads" in line for line in found.evidence)


def test_rows_that_lie_in_memory_are_collated_and_not_transformed():
    fetch = {"decode_cpu": 0.0, "read_cpu": 0.0}
    seen = observed(fetch=fetch, wait=0.085, forward=0.005, backward=0.01)
    seen.probes = [probe(warm_s=0.08, collate_s=0.002)] * 3
    assert diagnose(seen).verdict == "transform"
    seen.probes = [dataclasses.replace(one, stored=True) for one in seen.probes]
    assert diagnose(seen).verdict == "collate"


def test_what_stacking_costs_on_this_machine_is_no_disease():
    fetch = {"decode_cpu": 0.0, "items_cpu": 0.0, "items_wall": 0.0, "collate_wall": 0.05}
    seen = observed(fetch=fetch, wait=0.05, forward=0.01, backward=0.02)
    seen.loader.batch_bytes = 50_000_000
    seen.settings["plain_bytes_a_second"] = 2e9
    assert diagnose(seen).verdict == "healthy"
    seen.settings["plain_bytes_a_second"] = 2e10
    assert diagnose(seen).verdict == "collate"


def test_workers_that_are_started_for_nothing_are_weighed_with_their_starts():
    seen = observed(wait=0.002, forward=0.001, backward=0.002)
    seen.loader = dataclasses.replace(seen.loader, n_workers=1, n_batches=10)
    seen.epochs = [EpochRecord(0, 0.01, 0.9, 10, 0.02, complete=True)] * 4
    seen.probes = [probe(warm_s=0.0005, collate_s=0.0001)] * 3
    found = diagnose(seen)
    assert found.verdict == "startup"
    cures = {one.cure: one for one in advise(seen, found)}
    assert cures["workers"].options["whole_runs"]
    assert cures["workers"].predicted_speedup.mid > 10
    assert cures["persistent_workers"].predicted_speedup.mid > 10
    seen.loader.needs_workers = True
    assert [one.cure for one in advise(seen, diagnose(seen))] == ["persistent_workers"]


def test_a_cures_batches_are_drawn_at_the_cost_of_the_loaders_own_sampler():
    drawn, taken = _Drawn(), []
    drawn.like = (taken.append(i) or [i] for i in range(3))
    drawn.indices = [7, 8]
    batches = iter(drawn)
    assert [next(batches) for _ in range(5)] == [[7, 8]] * 5
    assert taken == [0, 1, 2]
