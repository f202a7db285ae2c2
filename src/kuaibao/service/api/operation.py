"""Health, readiness and metrics; nothing of them names a person or a text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import text

from kuaibao.service.api.access import ServiceOf

__all__ = ["router"]

router = APIRouter(tags=["operation"])


@router.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready")
def ready(service: ServiceOf) -> JSONResponse:
    """The database answers and no queue is full."""
    with service.database.read() as connection:
        connection.execute(text("select 1"))
    full = [n for n, s in service.pool.schedulers.items() if s.n_waiting >= s.max_waiting]
    status = {"status": "overloaded" if full else "ready", "models": len(service.pool.specs)}
    return JSONResponse(status, 503 if full else 200)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(service: ServiceOf) -> PlainTextResponse:
    """Prometheus text format 0.0.4."""
    lines: list[str] = []
    _add(lines, "uptime_seconds", "gauge", [({}, time.time() - service.started_at)])
    rows: dict[str, list[tuple[dict[str, str], float]]] = {}
    for name, scheduler in service.pool.schedulers.items():
        stats, label = scheduler.stats, {"model": name}
        values: dict[str, float] = {
            "waiting": scheduler.n_waiting,
            "running": scheduler.n_running,
            "prompt_tokens_total": stats.n_prompt_token,
            "cached_prompt_tokens_total": stats.n_cached_token,
            "generated_tokens_total": stats.n_generated_token,
            "steps_total": stats.n_step,
            "finished_total": stats.n_finished,
            "cancelled_total": stats.n_cancelled,
        }
        for metric, value in values.items():
            rows.setdefault(metric, []).append((label, value))
        for quantile in (0.5, 0.95):
            labelled = label | {"quantile": str(quantile)}
            for metric, seconds in (
                ("first_token_seconds", stats.first_token_s), ("token_seconds", stats.token_s),
            ):  # fmt: skip
                rows.setdefault(metric, []).append((labelled, _quantile(seconds, quantile)))
    for metric, samples in rows.items():
        kind = "counter" if metric.endswith("_total") else "gauge"
        _add(lines, metric, kind, samples)
    return PlainTextResponse(
        "\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _add(
    lines: list[str], name: str, kind: str, samples: Sequence[tuple[dict[str, str], float]]
) -> None:
    full = f"kuaibao_service_{name}"
    lines.append(f"# TYPE {full} {kind}")
    for labels, value in samples:
        inner = ",".join(f'{k}="{_escape(v)}"' for k, v in labels.items())
        lines.append(f"{full}{{{inner}}} {value:g}" if inner else f"{full} {value:g}")


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _quantile(values: Sequence[float], quantile: float) -> float:
    if not values:
        return 0.0
    ordered: list[Any] = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(quantile * len(ordered)))])
