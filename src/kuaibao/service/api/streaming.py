"""Server-sent events as OpenAI sends them: data-only lines, ended by `[DONE]`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi.responses import StreamingResponse

from kuaibao.service.errors import ApiError

__all__ = ["event_stream"]

_encode = json.JSONEncoder(ensure_ascii=False).encode


def event_stream(
    events: AsyncIterator[Sequence[Any]], headers: dict[str, str]
) -> StreamingResponse:
    """A streaming answer; an error on the way becomes its last event.

    Events that come together are sent together.

    When the client leaves, the generator is closed, and with it the work behind it.
    """

    async def lines() -> AsyncIterator[str]:
        try:
            async for batch in events:
                yield "".join(f"data: {_encode(event)}\n\n" for event in batch)
            yield "data: [DONE]\n\n"
        except ApiError as error:
            yield f"data: {_encode(error.body())}\n\n"

    return StreamingResponse(
        lines(),
        media_type="text/event-stream",
        headers=headers | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
