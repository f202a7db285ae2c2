"""The report as one JSON value: what `schema.json` beside this file describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kuaibao.doctor.advice import Advice
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.memory import fit, forecast
from kuaibao.doctor.rates import rates
from kuaibao.doctor.remarks import warnings_of
from kuaibao.doctor.sentences import chinese_of
from kuaibao.doctor.verdict import Diagnosis, memory_growth
from kuaibao.errors import InputError

__all__ = ["SCHEMA_NAME", "load_report", "report_of", "schema"]

SCHEMA_NAME = "kuaibao.doctor/1"


def schema() -> dict[str, Any]:
    """The JSON schema of a report."""
    return json.loads((Path(__file__).parent / "schema.json").read_text())


def load_report(path: Path) -> dict[str, Any]:
    """Read a report.

    Raises:
        InputError: It is not there, or is no report.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read as a report: {error}") from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA_NAME:
        raise InputError(
            f"{path} is no report of the doctor",
            hint="Make one with: kuaibao doctor run --json report.json -- python train.py",
        )
    return value


def report_of(
    seen: Observation, diagnosis: Diagnosis, advice: list[Advice], *, command: list[str],
    exit_status: int,
) -> dict[str, Any]:  # fmt: skip
    """Everything that was found, as JSON values."""
    stalls = {name: share for name, share in diagnosis.stalls.items() if share["high"] > 0}
    warnings = warnings_of(seen)
    said = [*diagnosis.evidence, *warnings, *(text for a in advice for text in (a.what, a.why))]
    return {
        "schema": SCHEMA_NAME,
        "verdict": diagnosis.verdict,
        "evidence": diagnosis.evidence,
        "stalls": stalls,
        "excess": {name: e for name, e in diagnosis.excess.items() if e["high"] > 0},
        "rates": {**rates(seen, diagnosis.accounts), "samples_seen": seen.samples_seen},
        "memory": _memory(seen),
        "advice": [one.to_json() for one in advice],
        "warnings": warnings,
        "translations": {"zh": chinese_of(said)},
        "environment": {**seen.environment, **_without_lists(seen.settings), "cores": seen.cores},
        "loader": _loader(seen),
        "ladder": _ladder(seen),
        "hot_lines": seen.hot_lines[:12],
        "cpu_seconds": seen.cpu_seconds,
        "disk_bytes": seen.disk_bytes,
        "timeline": _timeline(seen),
        "steps": [
            {"mode": s.mode, "cycle": s.cycle, "wall": s.wall, "wait": s.regions["wait"]}
            for s in seen.steps[:600]
        ],
        "seconds": seen.seconds,
        "ended": seen.ended,
        "command": command,
        "exit_status": exit_status,
    }


def _without_lists(settings: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in settings.items() if k not in ("step_loader", "loader")}


def _loader(seen: Observation) -> dict[str, Any]:
    import dataclasses

    facts = dataclasses.asdict(seen.loader)
    facts["place"] = facts["place"].rsplit("/", 1)[-1]
    return facts


def _memory(seen: Observation) -> dict[str, Any]:
    loader = seen.loader
    found: dict[str, Any] = {
        "batch_bytes": loader.batch_bytes,
        "forecast": forecast(
            loader.batch_bytes, loader.n_workers, max(1, loader.prefetch_factor)
        ).to_json(),
        "narrow_batch_bytes": sum(t["narrow_bytes"] for t in loader.tensors),
        "free_bytes": seen.environment.get("memory_free_bytes", 0),
        "samples": seen.memory,
    }
    if seen.memory:
        found["main_bytes"] = max(row["main_bytes"] for row in seen.memory)
        found["worker_bytes"] = max(row["worker_bytes"] for row in seen.memory)
    growth = memory_growth(seen)
    found["growth_bytes_per_step"] = growth.bytes_a_step if growth else 0.0
    if seen.probes and loader.n_dataset > 0:
        encoded = float(np.median([p.file_bytes / max(1, p.n_samples) for p in seen.probes]))
        decoded = float(np.median([p.sample_bytes for p in seen.probes]))
        budget = int(0.5 * seen.environment.get("memory_free_bytes", 0))
        found["dataset"] = fit(loader.n_dataset, encoded, decoded, budget).to_json()
    return found


def _ladder(seen: Observation) -> dict[str, Any]:
    """The rungs, as medians in seconds a batch."""
    repeat = [s.wall for s in seen.steps if s.mode == "repeat" and not s.discard]
    device = [s.wall for s in seen.steps if s.mode == "device" and not s.discard]
    rungs: dict[str, Any] = {
        "S0_device_batch": _median(device),
        "S1_host_batch": _median(repeat),
    }
    for name, field in (
        ("S2_stored_samples", "collate_s"),
        ("S3_bytes_in_memory", "memory_s"),
        ("S4_warm_files", "warm_s"),
        ("S5_evicted_files", "cold_s"),
    ):
        values = [getattr(p, field) for p in seen.probes]
        rungs[name] = _median([v for v in values if v is not None])
    rungs["residency_evicted"] = _median([p.residency_evicted for p in seen.probes if p.n_files])
    return rungs


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def _timeline(seen: Observation) -> list[list[Any]]:
    if not seen.segments:
        return []
    origin = seen.segments[0][1]
    return [
        [region, round(start - origin, 6), round(end - origin, 6)]
        for region, start, end in seen.segments[:1500]
    ]
