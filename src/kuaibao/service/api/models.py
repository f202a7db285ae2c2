"""`/v1/models` and `/v1/engines`: what can be asked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from kuaibao.service.api.access import CallerOf, ServiceOf
from kuaibao.service.api.content_filter import ENGINES
from kuaibao.service.engine.pool import ModelSpec

__all__ = ["router"]

router = APIRouter(tags=["models"])


def _model(spec: ModelSpec) -> dict[str, Any]:
    return {
        "id": spec.name, "object": "model", "created": spec.created, "owned_by": spec.owner,
    }  # fmt: skip


def _drawing(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "kuaibao"}


def _engine(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "engine", "owner": owner, "ready": True}


@router.get("/v1/models")
def list_models(caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Every model; those that draw come last."""
    data = [_model(spec) for spec in service.pool.specs]
    return {"object": "list", "data": data + [_drawing(n) for n in service.picture_models.names]}


@router.get("/v1/models/{model_id:path}")
def get_model(model_id: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """One model."""
    if model_id in service.picture_models.names:
        return _drawing(model_id)
    return _model(service.pool.spec(model_id))


@router.get("/v1/engines")
def list_engines(caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Every model, as it was called in 2020, and the content filter."""
    engines = [_engine(spec.name, spec.owner) for spec in service.pool.specs]
    return {"object": "list", "data": engines + [_engine(name, "kuaibao") for name in ENGINES]}


@router.get("/v1/engines/{engine_id}")
def get_engine(engine_id: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """One engine."""
    if engine_id in ENGINES:
        return _engine(engine_id, "kuaibao")
    spec = service.pool.spec(engine_id)
    return _engine(spec.name, spec.owner)
