"""`/v1/diagrams`: mathematics typed as text becomes a picture."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from kuaibao.service.api.access import CallerOf, ServiceOf
from kuaibao.service.api.forms import Form
from kuaibao.service.errors import InvalidRequestError, OverloadedError
from kuaibao.service.metering import metered

__all__ = ["router"]

router = APIRouter(tags=["house"])

TIME_S = 40.0
"""After this the process of a diagram is ended; its own limit for layouts is below."""
N_AT_ONCE = 2
_drawing = 0


class DiagramForm(Form):
    """`POST /v1/diagrams`: the three texts of a program."""

    substance: Annotated[str, Field(max_length=200_000)]
    style: Annotated[str, Field(max_length=200_000)]
    domain: Annotated[str, Field(max_length=200_000)]
    seed: Annotated[str, Field(max_length=200)] = ""
    candidates: Annotated[int, Field(ge=1, le=16)] = 1
    title: Annotated[str, Field(max_length=300)] = ""


@router.post("/v1/diagrams")
async def create_diagram(form: DiagramForm, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Compile, lay out and draw; the best of the candidates as SVG."""
    caller.require("complete")
    with metered(service, caller, model="diagrams", endpoint="diagrams", n_token=0) as meter:
        service.guard.let_pass(
            caller.application, "input", f"{form.title}\n{form.substance}", param="substance",
            request_id=meter.request_id, may_redact=False,
        )  # fmt: skip
        answer = await _draw(form.model_dump_json().encode())
    if "errors" in answer:
        first = answer["errors"][0]
        where = f"{first['file']}:{first['line']}:{first['column']}: " if first.get("file") else ""
        raise InvalidRequestError(
            f"{where}{first['message']} ({len(answer['errors'])} in all)",
            param=str(first.get("file", "") or "substance"),
            code=str(first.get("tag", "diagram_error")),
        )
    return {"id": meter.request_id, "object": "diagram", "created": int(time.time()), **answer}


async def _draw(order: bytes) -> dict[str, Any]:
    global _drawing  # one event loop: no lock is needed
    if _drawing >= N_AT_ONCE:
        raise OverloadedError("other diagrams are being drawn", retry_after_s=2.0)
    _drawing += 1
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kuaibao.service.diagram_process",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(order), TIME_S)
    except TimeoutError as error:
        raise InvalidRequestError(
            f"this diagram took more than {TIME_S:g} s", code="diagram_time"
        ) from error
    finally:
        _drawing -= 1
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise InvalidRequestError("this diagram took too much memory", code="diagram_memory")
    return json.loads(out)
