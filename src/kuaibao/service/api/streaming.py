"""Server-sent events as OpenAI sends them: data-only lines, ended by `[DONE]`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

from kuaibao.service.errors import ApiError

__all__ = ["event_stream"]


def event_stream(events: AsyncIterator[Any], headers: dict[str, str]) -> StreamingResponse:
    """A streaming answer; an error on the way becomes its last event.

    When the client leaves, the generator is closed, and with it the work behind it.
    """

    async def lines() -> AsyncIterator[str]:
        try:
            async for event in events:
                yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
            yield "data: [DONE]\n\n"
        except ApiError as error:
            yield f"data: {json.dumps(error.body(), ensure_ascii=False)}\n\n"

    return StreamingResponse(
        lines(),
        media_type="text/event-stream",
        headers=headers | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
