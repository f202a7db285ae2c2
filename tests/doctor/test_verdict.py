"""Judging, on observations made by hand: no process is started and no clock read."""

import dataclasses
import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from observations import FETCH, observed, probe, step

from kuaibao.doctor.advice import advise
from kuaibao.doctor.functions import meaning_of
from kuaibao.doctor.measured import Observation, from_json
from kuaibao.doctor.remarks import warnings_of
from kuaibao.doctor.report import report_of
from kuaibao.doctor.schedule import Schedule
from kuaibao.doctor.timeline import without_delay
from kuaibao.doctor.verdict import diagnose, memory_growth


def test_a_loop_that_mostly_computes_is_healthy_and_gets_no_advice():
    seen = observed(wait=0.002, forward=0.03, backward=0.06, optimizer=0.01)
    found = diagnose(seen)
    assert found.verdict == "healthy"
    assert advise(seen, found) == []


@pytest.mark.parametrize(
    ("expected", "fetch"),
    [
        ("decode", {}),
        ("transform", {"decode_cpu": 0.0}),
        ("disk", {"decode_cpu": 0.0, "read_cpu": 0.075}),
        ("disk", {"decode_cpu": 0.001, "items_cpu": 0.005}),  # blocked without using a core
        ("disk", {"decode_cpu": 0.0, "bytes_read": 170e6}),
        ("transform", {"decode_cpu": 0.0, "items_cpu": 0.005, "slept_transform": 0.075}),
        ("collate", {"items_wall": 0.004, "items_cpu": 0.004, "decode_cpu": 0.0,
                     "collate_wall": 0.08, "collate_cpu": 0.08}),
    ],
)  # fmt: skip
def test_inside_the_stall_the_fetches_say_what_the_time_went_on(expected, fetch):
    assert diagnose(observed(fetch=fetch, wait=0.085, forward=0.005, backward=0.01)).verdict == (
        expected
    )


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        ("loss", {"loss": 0.05, "forward": 0.01, "backward": 0.02}),
        ("optimizer", {"optimizer": 0.08, "forward": 0.01, "backward": 0.02}),
        ("synchronization", {"synchronization": 0.05, "forward": 0.01, "backward": 0.02}),
        ("python", {"python": 0.05, "forward": 0.01, "backward": 0.02}),
        ("host_to_device", {"host_to_device": 0.05, "forward": 0.01, "backward": 0.02}),
        ("forward", {"forward": 0.08, "backward": 0.01}),
        ("backward", {"forward": 0.005, "backward": 0.08}),
    ],
)
def test_inside_the_rest_the_regions_say_it(expected, body):
    assert diagnose(observed(wait=0.001, **body)).verdict == expected


def test_a_machine_whose_speed_drifts_invents_no_disease():
    seen = observed(wait=0.002, forward=0.03, backward=0.06, jitter=0.6)
    assert diagnose(seen).verdict == "healthy"


def test_two_classes_of_the_same_size_leave_it_undecided():
    seen = observed(wait=0.0001, forward=0.01, backward=0.02, python=0.054, synchronization=0.05)
    assert diagnose(seen).verdict == "undecided"


def test_too_few_steps_are_undecided_and_give_a_whole_report():
    seen = Observation()
    found = diagnose(seen)
    report = report_of(seen, found, [], command=["python"], exit_status=0)
    assert report["verdict"] == "undecided"
    assert report["evidence"]


def test_growth_without_end_is_memory_and_warming_up_is_not():
    seen = observed(wait=0.002, forward=0.03, backward=0.06)
    rows = [
        {"seconds": i * 0.1, "steps": float(i), "main_bytes": 5e8 + i * 2e6, "worker_bytes": 0.0,
         "n_workers": 0.0}
        for i in range(40)
    ]  # fmt: skip
    seen.memory = rows
    assert memory_growth(seen).bytes_a_step == pytest.approx(2e6)
    assert diagnose(seen).verdict == "memory"
    seen.memory = [{**row, "main_bytes": 5e8 + 80e6 * (row["steps"] > 12)} for row in rows]
    assert memory_growth(seen) is None
    assert diagnose(seen).verdict == "healthy"


def test_memory_that_grows_by_leaps_is_an_allocators_and_no_leak():
    seen = observed(wait=0.002, forward=0.03, backward=0.06)
    seen.memory = [
        {"seconds": i * 0.1, "steps": float(i), "main_bytes": 2.8e8 + 9e6 * (i // 30),
         "worker_bytes": 0.0, "n_workers": 0.0}
        for i in range(100)
    ]  # fmt: skip
    assert memory_growth(seen) is None


def test_growth_in_workers_is_found_although_they_are_read_rarely():
    seen = observed(wait=0.002, forward=0.03, backward=0.06)
    seen.memory = [
        {"seconds": i * 0.1, "steps": float(i), "main_bytes": 2.8e8,
         "worker_bytes": 1.6e8 + 1e6 * (i - i % 6), "n_workers": 2.0}
        for i in range(60)
    ]  # fmt: skip
    assert memory_growth(seen).in_workers
    assert memory_growth(seen).bytes_a_step == pytest.approx(1e6, rel=0.1)


def test_a_stall_that_the_datas_own_work_cannot_explain_is_a_neighbours_doing():
    seen = observed(wait=0.001, forward=0.01, backward=0.02)
    for i, one in enumerate(seen.steps):
        if one.mode == "real":  # the step takes thrice its time, but waits no longer for data
            slowed = {name: s * (1 if name == "wait" else 3) for name, s in one.regions.items()}
            seen.steps[i] = dataclasses.replace(one, wall=sum(slowed.values()), regions=slowed)
    assert diagnose(seen).verdict == "healthy"


def test_workers_that_start_each_epoch_are_startup():
    from kuaibao.doctor.measured import EpochRecord

    seen = observed(wait=0.001, forward=0.003, backward=0.006)
    seen.loader.n_workers, seen.loader.n_batches = 2, 10
    seen.workers = [dict(FETCH)]
    seen.epochs = [EpochRecord(0, 0.5, 1.0, 10, 0.3, True) for _ in range(4)]
    found = diagnose(seen)
    assert found.verdict == "startup"
    cure = next(one for one in advise(seen, found) if one.cure == "persistent_workers")
    # 1.8 s of starting before 0.1 s of steps; what is left of an epoch's start is some ms
    assert 14 < cure.predicted_speedup.low < cure.predicted_speedup.mid < 19


def test_an_observation_passes_through_json():
    seen = observed(wait=0.085, forward=0.005, backward=0.01)
    seen.probes = [probe()]
    again = from_json(seen.to_json())
    assert again.to_json() == seen.to_json()


def test_a_small_shared_memory_and_twin_generators_are_warned_of():
    seen = observed(wait=0.002, forward=0.03, backward=0.06)
    seen.loader.n_workers, seen.loader.batch_bytes, seen.loader.duplicate_seeds = 4, 10**7, True
    seen.environment["shared_memory_free_bytes"] = 64 * 10**6
    text = " ".join(warnings_of(seen))
    assert "/dev/shm" in text
    assert "generator" in text


@pytest.mark.parametrize(
    ("name", "kind"),
    [("dice_loss", "loss"), ("Trainer.compute_penalty", "loss"), ("move_to_device", "host_to_device"),
     ("sgd_step", "optimizer"), ("barrier", "synchronization"), ("accuracy", ""), ("main", "")],
)  # fmt: skip
def test_names_of_functions_speak(name, kind):
    assert meaning_of(name) == kind


def test_time_without_a_core_is_taken_where_no_cpu_was_used():
    wall = {"wait": 1.0, "forward": 2.0}
    found = without_delay(wall, {"wait": 1.0, "forward": 0.5}, 1.0)
    assert found["wait"] == pytest.approx(1.0)
    assert found["forward"] == pytest.approx(1.0)


def test_real_and_repeated_blocks_alternate():
    schedule = Schedule(n_workers=0, step_budget=20)
    modes = [schedule.next(backlog=0, can_repeat=True, idle=True).mode for _ in range(20)]
    assert modes[:4] == ["real"] * 4
    changes = sum(a != b for a, b in itertools.pairwise(modes))
    assert changes >= 5
    assert modes.count("real") > modes.count("repeat") > 4


def test_what_a_cure_achieved_is_counted_on_steps_that_were_not_looked_at():
    from kuaibao.doctor.treatments import outcome

    steps = []
    for cycle in range(3):
        steps += [step("real", cycle, forward=0.02) for _ in range(3)]
        steps.append(dataclasses.replace(step("real", cycle, forward=0.09), detail={"n": 1}))
        steps.append(dataclasses.replace(step("treated", cycle, forward=0.5), discard=True))
        steps += [step("treated", cycle, forward=0.01) for _ in range(2)]
    found = outcome(steps, "anomaly_off", {})
    assert found["untreated_s"] == pytest.approx([0.02] * 3)
    assert found["treated_s"] == pytest.approx([0.01] * 3)


def test_anomaly_detection_is_judged_by_steps_without_it():
    seen = observed(wait=0.001, forward=0.01, backward=0.02)
    seen.settings["anomaly_detection"] = True
    seen.steps += [step("unchecked", cycle, forward=0.004, backward=0.006) for cycle in range(6)]
    found = diagnose(seen)
    assert found.verdict == "backward"
    (cure,) = advise(seen, found)
    assert cure.cure == "anomaly_off"
    assert cure.predicted_speedup.mid == pytest.approx(0.031 / 0.011, rel=0.02)


def test_two_ways_of_making_batches_that_take_the_same_name_one_and_say_so():
    fetch = {"decode_cpu": 0.04, "items_cpu": 0.08}  # the other half is transforming
    seen = observed(fetch=fetch, wait=0.085, forward=0.005, backward=0.01)
    found = diagnose(seen)
    assert found.verdict in ("decode", "transform")
    assert any("takes about as much" in line for line in found.evidence)


def test_a_sampler_that_draws_slowly_is_python_and_no_data_work():
    seen = observed(wait=0.085, forward=0.005, backward=0.01)
    seen.steps = [
        dataclasses.replace(s, drawn_s=0.08) if s.mode == "real" else s for s in seen.steps
    ]
    found = diagnose(seen)
    assert found.verdict == "python"
    assert [one.cure for one in advise(seen, found)] == ["less_python"]


def test_an_update_by_hand_is_weighed_against_a_fused_adam_of_the_same_tensors():
    seen = observed(optimizer=0.05, forward=0.03, backward=0.03)
    assert diagnose(seen).verdict == "healthy"
    seen.settings["fused_adam_s"] = [0.004, 0.005, 0.004]
    found = diagnose(seen)
    assert found.verdict == "optimizer"
    (advice,) = advise(seen, found)
    assert advice.cure == "torch_optimizer"
    assert 1.5 < advice.predicted_speedup.mid < 2.0


def in_memory(**loader):
    """Rows in memory, fetched one by one: 60 ms a batch, 3 ms where it is gathered in one go."""
    fetch = {"decode_cpu": 0.0, "items_cpu": 0.02, "items_wall": 0.02, "read_cpu": 0.0,
             "collate_wall": 0.04, "collate_cpu": 0.04}  # fmt: skip
    seen = observed(fetch=fetch, wait=0.06, forward=0.002, backward=0.004)
    seen.steps = [dataclasses.replace(s, n_samples=500) for s in seen.steps]
    seen.loader = dataclasses.replace(seen.loader, batch_size=500, **loader)
    seen.probes = [
        probe(warm_s=0.02, collate_s=0.04, gather_s=0.003, n_files=0, n_samples=500)
        for _ in range(4)
    ]
    return seen


def test_rows_in_memory_that_are_fetched_one_by_one_want_a_getitems():
    seen = in_memory()
    found = diagnose(seen)
    assert found.verdict == "collate"
    cures = {one.cure: one for one in advise(seen, found)}
    assert "__getitems__" in cures["batch_gather"].what
    assert 4 < cures["batch_gather"].predicted_speedup.mid < 8


def test_a_data_set_that_has_getitems_is_not_told_to_have_it():
    seen = in_memory(has_getitems=True)
    assert "batch_gather" not in [one.cure for one in advise(seen, diagnose(seen))]


def test_a_script_that_ended_by_itself_is_judged_by_its_own_length():
    seen = observed(wait=0.002, forward=0.03, backward=0.06, optimizer=0.01)
    seen.settings["own_setup_s"] = 3.0
    seen.seconds, seen.ended = 2.0, "seconds"  # stopped: nobody knows how long it would train
    assert diagnose(seen).verdict == "healthy"
    seen.ended = "script"
    assert diagnose(seen).verdict == "startup"


def test_samples_of_a_stream_are_made_once_and_stored():
    seen = observed(fetch={"decode_cpu": 0.0}, wait=0.085, forward=0.005, backward=0.01)
    seen.loader.iterable = True
    assert "preprocess" in [one.cure for one in advise(seen, diagnose(seen))]


def test_a_run_that_was_only_watched_says_so():
    seen = observed(wait=0.085, forward=0.005, backward=0.01)
    seen.steps = [s for s in seen.steps if s.mode == "real"]
    assert "none repeated" in diagnose(seen).evidence[0]
    assert "its batch repeated" in diagnose(observed(wait=0.1, forward=0.01)).evidence[0]
