"""From the engine's thread to tasks of an event loop: one wake-up a turn, not one a token.

Waking a loop is a system call at which two threads change places. While the loop is behind, what
comes for a task gathers in its inbox, so that the task sends it on in one piece.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["Inbox", "Post"]

T = TypeVar("T")

_posts: WeakKeyDictionary[asyncio.AbstractEventLoop, Post] = WeakKeyDictionary()


class Post:
    """The way into one event loop; `put` of its inboxes and `flush` are for any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._filled: deque[Inbox[object]] = deque()
        self._is_called = False

    @classmethod
    def here(cls) -> Post:
        """The running loop's."""
        loop = asyncio.get_running_loop()
        return _posts.setdefault(loop, cls(loop))

    def note(self, inbox: Inbox[object]) -> None:
        """Something lies in an inbox."""
        self._filled.append(inbox)

    def flush(self) -> None:
        """Wake the tasks whose inboxes were filled."""
        if self._is_called:
            return
        self._is_called = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        # Set back first: what is put from here on calls again.
        self._is_called = False
        while self._filled:
            self._filled.popleft().wake()


class Inbox(Generic[T]):
    """What one task waits for."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self._items: deque[T] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def put(self, item: T) -> None:
        """Add, from any thread; `post.flush` wakes the task."""
        self._items.append(item)
        self.post.note(self)  # pyright: ignore[reportArgumentType]

    def wake(self) -> None:
        """From the loop: what was put may be taken."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self) -> list[T]:
        """All that lies here, at least one; for one task at a time."""
        while not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.rest()

    def rest(self) -> list[T]:
        """All that lies here now."""
        return [self._items.popleft() for _ in range(len(self._items))]
