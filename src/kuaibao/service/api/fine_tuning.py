"""`/v1/fine_tuning/jobs`: jobs that survive a restart."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from kuaibao.service.api.access import CallerOf, ServiceOf
from kuaibao.service.api.forms import FineTuningForm
from kuaibao.service.jobs import JobBook, JobWorker
from kuaibao.service.service import Service

__all__ = ["router", "start_worker", "stop_worker"]

router = APIRouter(tags=["fine-tuning"])

_workers: dict[int, JobWorker] = {}


def start_worker(service: Service) -> None:
    """Begin to work on queued jobs, interrupted ones first."""
    worker = _workers[id(service)] = JobWorker(service)
    worker.start()


def stop_worker(service: Service) -> None:
    """Stop; a running job goes on at the next start."""
    worker = _workers.pop(id(service), None)
    if worker is not None:
        worker.close()


@router.post("/v1/fine_tuning/jobs")
def create_job(form: FineTuningForm, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Queue a job."""
    caller.require("tune")
    job = JobBook(service).create(
        caller,
        model=form.model,
        training_file=form.training_file,
        validation_file=form.validation_file or "",
        suffix=form.suffix or "",
        hyperparameters=form.hyperparameters or {},
        seed=form.seed,
    )
    worker = _workers.get(id(service))
    if worker is not None:
        worker.wake()
    return job


@router.get("/v1/fine_tuning/jobs")
def list_jobs(caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """The caller's jobs, newest first."""
    caller.require("tune")
    return {"object": "list", "data": JobBook(service).list(caller), "has_more": False}


@router.get("/v1/fine_tuning/jobs/{job_id}")
def get_job(job_id: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """One job."""
    caller.require("tune")
    return JobBook(service).get(caller, job_id)


@router.post("/v1/fine_tuning/jobs/{job_id}/cancel")
def cancel_job(job_id: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Stop a job."""
    caller.require("tune")
    return JobBook(service).cancel(caller, job_id)


@router.get("/v1/fine_tuning/jobs/{job_id}/events")
def list_events(job_id: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """What happened, newest first."""
    caller.require("tune")
    return {"object": "list", "data": JobBook(service).events(caller, job_id), "has_more": False}
