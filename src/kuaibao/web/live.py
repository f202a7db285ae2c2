"""Live updates: what happens at the desk goes to every open page as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from kuaibao.bulletin.desk import Event

__all__ = ["Hub"]

MAX_WAITING = 100
"""Events that wait for one slow browser; it then loads the page anew."""
HEARTBEAT_S = 25.0


@dataclass(eq=False)
class _Listener:
    person_id: int
    queue: asyncio.Queue[str]
    loop: asyncio.AbstractEventLoop


class Hub:
    """Passes events from the threads that work to the browsers that watch."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self._is_closed = False

    def tell(self, event: Event) -> None:
        """Hand an event to every listener; called from any thread."""
        if event.action == "notify":
            wanted = [one for one in self._listeners if one.person_id == event.person_id]
        else:
            wanted = list(self._listeners)
        data = json.dumps(
            {"action": event.action, "by": event.person_id, "piece": event.piece_id,
             "issue": event.issue_id}
        )  # fmt: skip
        for listener in wanted:
            listener.loop.call_soon_threadsafe(_put, listener.queue, f"data: {data}\n\n")

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._is_closed = True
        for listener in list(self._listeners):
            listener.loop.call_soon_threadsafe(_put, listener.queue, "")

    async def listen(self, person_id: int) -> AsyncGenerator[str]:
        """The stream of one browser, until it goes away."""
        listener = _Listener(person_id, asyncio.Queue(MAX_WAITING), asyncio.get_running_loop())
        self._listeners.add(listener)
        try:
            yield "retry: 3000\nevent: ready\ndata:\n\n"
            while not self._is_closed:
                try:
                    text = await asyncio.wait_for(listener.queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    text = ": still here\n\n"
                if not text:
                    return
                yield text
        finally:
            self._listeners.discard(listener)

    @property
    def n_listener(self) -> int:
        """How many browsers watch."""
        return len(self._listeners)


def _put(queue: asyncio.Queue[str], text: str) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(text)
