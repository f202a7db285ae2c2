import threading

import pytest
from newsroom import open_newsroom

from kuaibao.bulletin.desk import Worker, alone

PATIENCE = 60


@pytest.fixture
def desk(tmp_path):
    with open_newsroom(tmp_path) as room:
        yield room.desk


def test_a_worker_does_its_job_whenever_it_is_woken_until_it_is_stopped():
    done = threading.Semaphore(0)
    worker = Worker("test", lambda _: done.release(), interval_s=600)
    worker.start()
    for _ in range(2):
        worker.wake()
        assert done.acquire(timeout=PATIENCE)
    worker.stop()
    worker.wake()
    assert not worker._thread.is_alive()
    assert worker.problem == ""


def test_stopping_is_told_to_the_job_in_hand():
    begun, told = threading.Event(), []

    def job(stopping):
        begun.set()
        told.append(stopping.wait(PATIENCE))

    worker = Worker("test", job, interval_s=600)
    worker.start()
    worker.wake()
    assert begun.wait(PATIENCE)
    worker.stop()
    assert told == [True]


def test_trouble_is_told_and_ends_nothing():
    heard, done, results = [], threading.Semaphore(0), iter([OSError("no way"), None])

    def job(_):
        done.release()
        if error := next(results):
            raise error

    worker = Worker("test", job, interval_s=600, trouble=heard.append)
    worker.start()
    for _ in range(2):
        worker.wake()
        assert done.acquire(timeout=PATIENCE)
    worker.stop()
    assert heard == ["OSError: no way"]
    assert worker.problem == ""


def test_only_one_does_a_task_at_a_time_and_other_tasks_go_on(desk):
    with alone(desk, "mail") as first, alone(desk, "mail") as second, alone(desk, "hook") as other:
        assert (first, second, other) == (True, False, True)
    with alone(desk, "mail") as again:
        assert again
