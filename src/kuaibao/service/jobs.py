"""Fine-tuning jobs: queued in the database, run one at a time in a process of their own.

A killed service leaves a job `running`; the next start runs it again, and the trainer goes on from
its last checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from kuaibao.service.errors import InvalidRequestError, NotFoundError
from kuaibao.service.files import FileStore
from kuaibao.service.service import Caller, Service
from kuaibao.service.tables import job

__all__ = ["JobBook", "JobWorker", "job_order"]

_log = logging.getLogger("kuaibao.service")

_OPEN = ("queued", "running")
_HYPERPARAMETERS = {
    "n_epochs": (1, 50),
    "batch_size": (1, 256),
    "learning_rate_multiplier": (0.01, 10),
}


class JobBook:
    """Reads and writes jobs; a caller sees their own."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def create(
        self,
        caller: Caller,
        *,
        model: str,
        training_file: str,
        validation_file: str,
        suffix: str,
        hyperparameters: Mapping[str, Any],
        seed: int | None,
    ) -> dict[str, Any]:
        """Queue a job.

        Raises:
            NotFoundError: Unknown model or file.
            InvalidRequestError: The file is for something else, or a setting is out of range.
        """
        if self._service.pool.spec(model).remote is not None:
            raise InvalidRequestError(
                f"the model '{model}' lives on another server: fine-tune it there", param="model"
            )
        store = FileStore(self._service)
        for file_id in filter(None, (training_file, validation_file)):
            store.lines(caller, file_id, "fine-tune")
        settings = _checked_hyperparameters(hyperparameters)
        job_id = f"ftjob-{secrets.token_hex(10)}"
        values = {
            "job_id": job_id,
            "person_id": caller.person.person_id,
            "application_id": caller.application.application_id,
            "model": model,
            "training_file": training_file,
            "validation_file": validation_file,
            "suffix": suffix,
            "hyperparameters": json.dumps(settings | {"seed": seed or 0}),
            "status": "queued",
            "events": json.dumps([_event("The job was queued")]),
            "created_at": time.time(),
        }
        with self._service.database.write() as connection:
            connection.execute(insert(job).values(**values))
        return self.get(caller, job_id)

    def get(self, caller: Caller, job_id: str) -> dict[str, Any]:
        """One of the caller's jobs, or NotFoundError."""
        return _describe(self._row(caller, job_id))

    def list(self, caller: Caller) -> list[dict[str, Any]]:
        """The caller's jobs, newest first."""
        query = (
            select(job)
            .where(job.c.person_id == caller.person.person_id)
            .order_by(job.c.created_at.desc())
        )
        with self._service.database.read() as connection:
            return [_describe(row) for row in connection.execute(query).mappings()]

    def events(self, caller: Caller, job_id: str) -> list[dict[str, Any]]:
        """What happened to a job, newest first."""
        return list(reversed(json.loads(self._row(caller, job_id)["events"])))

    def cancel(self, caller: Caller, job_id: str) -> dict[str, Any]:
        """Stop a job that is queued or running.

        Raises:
            InvalidRequestError: It has ended.
        """
        if self._row(caller, job_id)["status"] not in _OPEN:
            raise InvalidRequestError(f"the job {job_id} has ended")
        finish(self._service, job_id, "cancelled", "The job was cancelled")
        return self.get(caller, job_id)

    def _row(self, caller: Caller, job_id: str) -> Mapping[Any, Any]:
        query = select(job).where(
            job.c.job_id == job_id, job.c.person_id == caller.person.person_id
        )
        with self._service.database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFoundError(f"Could not find fine tune: {job_id[:80]}")
        return row


def finish(service: Service, job_id: str, status: str, message: str, **values: Any) -> None:
    """Write a job's state and an event of it."""
    with service.database.write() as connection:
        events = connection.execute(select(job.c.events).where(job.c.job_id == job_id)).scalar_one()
        ended = {"finished_at": time.time()} if status not in _OPEN else {}
        connection.execute(
            update(job)
            .where(job.c.job_id == job_id)
            .values(
                status=status,
                events=json.dumps([*json.loads(events), _event(message)]),
                **ended,
                **values,
            )
        )


class JobWorker:
    """Runs jobs one after the other in a process of their own, so that serving goes on."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._wake = threading.Event()
        self._closing = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="fine-tuning", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """A job was queued."""
        self._wake.set()

    def close(self) -> None:
        """Stop; the running job keeps its checkpoints and goes on at the next start."""
        self._closing = True
        self._wake.set()
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.terminate()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._closing:
            row = self._next()
            if row is None:
                self._wake.wait(5)
                self._wake.clear()
            else:
                self._guarded(row)

    def _guarded(self, row: Mapping[Any, Any]) -> None:
        """A job that can't be begun is that job's failure: the next ones go on."""
        try:
            self._work(row)
        except Exception as error:
            _log.error("fine-tuning failed", exc_info=error)
            message = f"{type(error).__name__}: {error}"[:500]
            finish(self._service, str(row["job_id"]), "failed", "Training failed", error=message)

    def _next(self) -> Mapping[Any, Any] | None:
        query = (
            select(job)
            .where(job.c.status.in_(_OPEN))
            .order_by(job.c.status.desc(), job.c.created_at)
            .limit(1)
        )
        with self._service.database.read() as connection:
            return connection.execute(query).mappings().first()

    def _work(self, row: Mapping[Any, Any]) -> None:
        job_id = str(row["job_id"])
        if row["status"] == "queued":
            finish(self._service, job_id, "running", "Training began")
        folder = Path(self._service.settings.data).absolute() / "jobs" / job_id
        folder.mkdir(parents=True, exist_ok=True)
        order = job_order(self._service, row, folder)
        order_file = folder / "order.json"
        order_file.write_text(json.dumps(order), encoding="utf-8")
        log = folder / "log.txt"
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kuaibao.service.finetune_process", str(order_file)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
            self._wait(job_id)
        if not self._closing:
            self._conclude(row, folder)

    def _wait(self, job_id: str) -> None:
        assert self._process is not None
        while self._process.poll() is None:
            time.sleep(0.5)
            if self._closing or self._status(job_id) == "cancelled":
                self._process.terminate()
                self._process.wait(20)

    def _status(self, job_id: str) -> str:
        with self._service.database.read() as connection:
            return str(
                connection.execute(select(job.c.status).where(job.c.job_id == job_id)).scalar_one()
            )

    def _conclude(self, row: Mapping[Any, Any], folder: Path) -> None:
        job_id = str(row["job_id"])
        if self._status(job_id) == "cancelled":
            return
        result = folder / "result.json"
        if not result.exists():
            tail = (folder / "log.txt").read_text(errors="replace").strip().splitlines()[-1:]
            message = tail[0][:500] if tail else "the trainer ended without a word"
            finish(self._service, job_id, "failed", f"Training failed: {message}", error=message)
            return
        report = json.loads(result.read_text(encoding="utf-8"))
        day = time.strftime("%Y-%m-%d")
        name = ":".join(
            filter(None, [str(row["model"]), "ft", str(row["suffix"]), day, job_id[-6:]])
        )
        self._service.add_model(name, str(folder / "model"))
        finish(
            self._service,
            job_id,
            "succeeded",
            f"The model {name} is ready",
            fine_tuned_model=name,
            n_trained_token=int(report.get("n_trained_token", 0)),
        )


def job_order(service: Service, row: Mapping[Any, Any], folder: Path) -> dict[str, Any]:
    """What the trainer's process is told.

    Raises:
        NotFoundError: The model is no longer served.
    """
    files = Path(service.settings.data).absolute() / "files"
    validation_file = str(files / row["validation_file"]) if row["validation_file"] else ""
    return {
        "model": service.pool.spec(row["model"]).folder,
        "training_file": str(files / row["training_file"]),
        "validation_file": validation_file,
        "hyperparameters": json.loads(row["hyperparameters"]),
        "folder": str(folder),
    }


def _checked_hyperparameters(values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _HYPERPARAMETERS:
            raise InvalidRequestError(
                f"unknown hyperparameter '{name}': one of {', '.join(_HYPERPARAMETERS)}",
                param="hyperparameters",
            )
        if value == "auto":
            continue
        low, high = _HYPERPARAMETERS[name]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise InvalidRequestError(
                f"{name} must lie between {low} and {high}", param="hyperparameters"
            )
        checked[name] = value
    return checked


def _event(message: str) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.event",
        "id": f"ftevent-{secrets.token_hex(8)}",
        "created_at": int(time.time()),
        "level": "info",
        "message": message,
        "type": "message",
    }


def _describe(row: Mapping[Any, Any]) -> dict[str, Any]:
    settings = json.loads(row["hyperparameters"])
    finished = row["finished_at"]
    return {
        "id": row["job_id"],
        "object": "fine_tuning.job",
        "model": row["model"],
        "created_at": int(row["created_at"]),
        "finished_at": int(finished) if finished else None,
        "fine_tuned_model": row["fine_tuned_model"] or None,
        "organization_id": f"person-{row['person_id']}",
        "status": row["status"],
        "training_file": row["training_file"],
        "validation_file": row["validation_file"] or None,
        "hyperparameters": {k: v for k, v in settings.items() if k != "seed"},
        "seed": settings.get("seed", 0),
        "result_files": [],
        "trained_tokens": row["n_trained_token"] or None,
        "error": {"code": "training_failed", "message": row["error"], "param": None}
        if row["error"]
        else None,
    }
