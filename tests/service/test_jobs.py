"""Fine-tuning jobs: what the trainer is told, and what becomes of one that can't begin."""

import json
import sys
from pathlib import Path

import pytest
from running import make_service, wait_until

sys.path.append(str(Path(__file__).parents[1] / "gpt"))

from small import small_model

from kuaibao.service.errors import InvalidRequestError
from kuaibao.service.files import FileStore
from kuaibao.service.jobs import JobBook, JobWorker, job_order
from kuaibao.service.models import make_spec

LINES = b'{"prompt": "a", "completion": " b"}\n{"prompt": "c", "completion": " d"}\n'


@pytest.fixture
def service(tmp_path):
    opened = make_service(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def caller(service):
    return service.identify(service.first_administrator_key())


def queued(service, caller, model):
    file = FileStore(service).add(caller, "pairs.jsonl", "fine-tune", LINES)
    return JobBook(service).create(
        caller, model=model, training_file=file["id"], validation_file="", suffix="",
        hyperparameters={"n_epochs": 1}, seed=4,
    )  # fmt: skip


def test_the_trainer_begins_with_the_served_folder_whether_settings_name_it_or_not(
    service, caller, tmp_path
):
    small_model(tmp_path / "small")
    assert not service.settings.models
    # As the small model of the repository is, or a fine-tuned one.
    service.pool.add(make_spec(service.settings, "m", str(tmp_path / "small")))
    job = queued(service, caller, "m")
    row = {
        "model": "m", "training_file": job["training_file"], "validation_file": "",
        "hyperparameters": json.dumps(job["hyperparameters"]),
    }  # fmt: skip
    order = job_order(service, row, tmp_path)
    assert order["model"] == str(tmp_path / "small")
    assert Path(order["training_file"]).read_bytes() == LINES


def test_a_job_whose_model_is_gone_fails_alone(service, caller):
    first, second = (queued(service, caller, "fake") for _ in range(2))
    del service.pool._specs["fake"]
    worker = JobWorker(service)
    worker.start()

    def statuses():
        return {JobBook(service).get(caller, job["id"])["status"] for job in (first, second)}

    try:
        wait_until(lambda: statuses() == {"failed"})
    finally:
        worker.close()
    assert "does not exist" in JobBook(service).get(caller, first["id"])["error"]["message"]


def test_a_model_of_another_server_is_tuned_there(service, caller):
    service.pool.add(make_spec(service.settings, "far", "http://127.0.0.1:9/v1#x"))
    with pytest.raises(InvalidRequestError, match="another server"):
        queued(service, caller, "far")
