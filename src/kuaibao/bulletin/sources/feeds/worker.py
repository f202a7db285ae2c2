"""The tolerant parser in a process of its own: it can be killed, and it cannot eat the memory.

The parent sends frames (length, JSON header, body), the worker answers with JSON; nothing that
could run code crosses the border in either direction.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import struct
import subprocess
import sys
import threading
import time
from datetime import datetime
from typing import IO, Any

from kuaibao.bulletin.sources.feeds.document import (
    Category,
    Feed,
    FeedEntry,
    Link,
    Person,
    Text,
)

__all__ = ["limit_memory", "parse_tolerantly", "stop_workers"]

MEMORY_BYTES = 1536 * 1024 * 1024
N_IDLE_WORKER = 2
START_S = 60.0
"""Importing the parser is not counted against a feed's time."""
_HEAD = struct.Struct("!II")
_SIZE = struct.Struct("!I")


class _Worker:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kuaibao.bulletin.sources.feeds.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self._read(START_S)  # its first frame says that it is ready

    def ask(self, header: dict[str, Any], body: bytes, timeout_s: float) -> Any:
        head = json.dumps(header).encode()
        assert self.process.stdin is not None
        _write_all(self.process.stdin, _HEAD.pack(len(head), len(body)) + head + body)
        return json.loads(self._read(timeout_s))

    def _read(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        (size,) = _SIZE.unpack(self._read_exactly(_SIZE.size, deadline))
        return self._read_exactly(size, deadline)

    def _read_exactly(self, n_byte: int, deadline: float) -> bytes:
        stream = self.process.stdout
        assert stream is not None
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while n_byte:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError
                part = os.read(stream.fileno(), min(n_byte, 1 << 20))
                if not part:
                    raise EOFError
                parts.append(part)
                n_byte -= len(part)
        return b"".join(parts)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


_idle: list[_Worker] = []
_lock = threading.Lock()


def parse_tolerantly(
    data: bytes,
    *,
    url: str = "",
    content_type: str = "",
    max_entries: int = 2000,
    timeout_s: float = 5.0,
) -> Feed:
    """Read a feed with the tolerant parser, for at most `timeout_s` seconds.

    A feed that stalls or kills the worker gives a feed without entries that says so.
    """
    with _lock:
        worker = _idle.pop() if _idle else None
    try:
        worker = worker or _Worker()
        header = {"url": url, "content_type": content_type, "max_entries": max_entries}
        answer = worker.ask(header, data, timeout_s)
    except TimeoutError:
        _discard(worker)
        return _given_up(f"the parser was stopped after {timeout_s:g} s")
    except (EOFError, OSError, ValueError):
        _discard(worker)
        return _given_up("the parser died on this feed")
    _keep(worker)
    return _from_wire(answer) if isinstance(answer, list) else _given_up(str(answer))


def stop_workers() -> None:
    """End the idle workers; the next feed starts a new one."""
    with _lock:
        workers, _idle[:] = list(_idle), []
    for worker in workers:
        worker.kill()


atexit.register(stop_workers)


def _keep(worker: _Worker) -> None:
    with _lock:
        if len(_idle) < N_IDLE_WORKER:
            _idle.append(worker)
            return
    worker.kill()


def _discard(worker: _Worker | None) -> None:
    if worker is not None:
        worker.kill()


def _given_up(problem: str) -> Feed:
    return Feed(problems=(problem,), parser="tolerant")


def _from_wire(raw: list[Any]) -> Feed:
    """Named tuples cross the border as arrays."""
    feed = Feed(*raw)
    return feed._replace(
        title=Text(*raw[0]),
        updated=_moment(feed.updated),
        published=_moment(feed.published),
        entries=tuple(_entry_from_wire(entry) for entry in raw[6]),
        problems=tuple(feed.problems),
    )


def _entry_from_wire(raw: Any) -> FeedEntry:
    entry = FeedEntry(*raw)
    return entry._replace(
        title=Text(*entry.title),
        links=tuple(Link(*link) for link in entry.links),
        summary=Text(*entry.summary),
        content=tuple(Text(*text) for text in entry.content),
        authors=tuple(Person(*person) for person in entry.authors),
        published=_moment(entry.published),
        updated=_moment(entry.updated),
        categories=tuple(Category(*category) for category in entry.categories),
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """The worker's life: read a frame, parse, answer; ends when the parent closes the pipe."""
    from kuaibao.bulletin.sources.feeds.tolerant import read_tolerantly

    _answer(sink, "ready")
    while head := _take(source, _HEAD.size):
        n_head, n_body = _HEAD.unpack(head)
        header = json.loads(_take(source, n_head))
        body = _take(source, n_body)
        try:
            answer: Any = read_tolerantly(body, **header)
        except MemoryError:
            answer = "the feed needs more memory than a parser may have"
        except Exception as error:  # whatever a parser does on hostile input ends here
            answer = f"the parser failed: {type(error).__name__}"
        _answer(sink, answer)


def _answer(sink: IO[bytes], answer: Any) -> None:
    text = json.dumps(answer, default=datetime.isoformat, ensure_ascii=True).encode()
    _write_all(sink, _SIZE.pack(len(text)) + text)


def _write_all(sink: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[sink.write(view) :]


def _take(source: IO[bytes], n_byte: int) -> bytes:
    parts: list[bytes] = []
    while n_byte:
        part = source.read(n_byte)
        if not part:
            return b""
        parts.append(part)
        n_byte -= len(part)
    return b"".join(parts)


def limit_memory() -> None:
    """Give this process a ceiling for its memory, where the system has such a thing."""
    try:
        import resource
    except ImportError:  # Windows: the time limit remains
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    limit_memory()
    sys.setrecursionlimit(3000)
    with (
        contextlib.suppress(KeyboardInterrupt, BrokenPipeError),
        open(sys.stdin.fileno(), "rb", closefd=False) as requests,
        open(sys.stdout.fileno(), "wb", buffering=0, closefd=False) as answers,
    ):
        sys.stdout = sys.stderr
        _serve(requests, answers)
