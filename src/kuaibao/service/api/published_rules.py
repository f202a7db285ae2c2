"""The rules as everybody may read them: example cases, exceptions that were made, the defaults."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter

from kuaibao.service.api.access import ServiceOf
from kuaibao.service.policy import Policy, example_cases
from kuaibao.service.usage import Ceilings

__all__ = ["router"]

router = APIRouter(prefix="/v1/kuaibao", tags=["house"])


@router.get("/rules")
def read_rules(service: ServiceOf, language: Literal["en", "zh"] = "en") -> dict[str, Any]:
    """What is approved and what is not, with reasons; needs no key."""
    return {
        "object": "list",
        "data": [asdict(case) for case in example_cases(language)],
        "exceptions": service.applications.exceptions(),
        "default_policy": asdict(Policy()),
        "default_ceilings": asdict(Ceilings()),
        "currency": service.settings.currency,
    }
