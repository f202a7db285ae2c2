"""Server-sent events as OpenAI sends them: data-only lines, ended by `[DONE]`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Send

from kuaibao.service.errors import ApiError

__all__ = ["event_stream"]

_encode = json.JSONEncoder(ensure_ascii=False).encode


class _EventStream(StreamingResponse):
    """Its head goes out with the first events: until then an error has a status of its own."""

    async def stream_response(self, send: Send) -> None:
        """Send head and events."""
        head = {
            "type": "http.response.start", "status": self.status_code, "headers": self.raw_headers,
        }  # fmt: skip
        is_begun = False
        async for chunk in self.body_iterator:
            if not is_begun:
                await send(head)
                is_begun = True
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def event_stream(
    events: AsyncIterator[Sequence[Any]], headers: dict[str, str]
) -> StreamingResponse:
    """A streaming answer; an error on the way becomes its last event, one before the first raises.

    Events that come together are sent together.

    When the client leaves, the generator is closed, and with it the work behind it.
    """

    async def lines() -> AsyncIterator[bytes]:
        is_begun = False
        try:
            async for batch in events:
                yield "".join(f"data: {_encode(event)}\n\n" for event in batch).encode()
                is_begun = True
            yield b"data: [DONE]\n\n"
        except ApiError as error:
            if not is_begun:
                raise
            yield f"data: {_encode(error.body())}\n\n".encode()

    return _EventStream(
        lines(),
        media_type="text/event-stream",
        headers=headers | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
