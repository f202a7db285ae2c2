"""What of an observation is only known late: workers' records, facts of the loader, hot lines."""

from __future__ import annotations

import os
from time import perf_counter
from typing import Any

from kuaibao.doctor import facts
from kuaibao.doctor.fetching import read_records
from kuaibao.doctor.processes import (
    busy_shares,
    core_seconds,
    cpu_seconds,
    disk_bytes,
    environment,
)

__all__ = ["complete"]

_ROWS_A_WORKER = 400
_MAX_SEGMENTS = 2000


def complete(session: Any) -> None:
    """Bring a session's observation up to date; may be called again and again."""
    seen, pid = session.observation, os.getpid()
    records = read_records(session.spool)
    seen.seconds = perf_counter() - session.started
    seen.cores = session.cores_probe.cores
    seen.workers = [row for rows in records.values() for row in rows[-_ROWS_A_WORKER:]]
    seen.hot_lines = session.sampler.lines()
    seen.segments = session.timeline.segments[:_MAX_SEGMENTS]
    seen.cpu_seconds = {"main": cpu_seconds(pid) - session.first_cpu_s}
    for worker, rows in records.items():
        name = f"worker {int(rows[0]['worker'])} ({worker})"
        seen.cpu_seconds[name] = rows[-1]["process_cpu"]
    seen.disk_bytes = disk_bytes(pid) + sum(disk_bytes(worker) for worker in records)
    seen.environment = environment()
    seen.environment["busy_by_core"] = busy_shares(session.first_core_s, core_seconds())
    loader = session.log.examined()
    if loader is not None:
        seen.loader = facts.loader_facts(loader, session.log.kept.get(id(loader)))
        seen.settings["loader"] = id(loader)
    seen.settings.update(facts.torch_settings(session))
    seen.settings["own_setup_s"] = session.sampler.seconds.get("setup", 0.0)
    if session.treatment is not None:
        from kuaibao.doctor.treatments import outcome

        treatment = session.treatment
        result = outcome(seen.steps, treatment.cure, treatment.checks)
        seen.treatments = [result] if result else []
