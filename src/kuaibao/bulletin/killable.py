"""Parsers in a process of their own: it can be killed, and it cannot eat the memory.

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
from collections.abc import Callable
from datetime import datetime
from typing import IO, Any

__all__ = ["WorkerDiedError", "WorkerPool", "limit_memory", "run_worker"]

MEMORY_BYTES = 1536 * 1024 * 1024
START_S = 60.0
"""Importing the parser is not counted against a document's time."""
_HEAD = struct.Struct("!II")
_SIZE = struct.Struct("!I")


class WorkerDiedError(Exception):
    """The worker ended before it answered; the next call gets another one."""


class WorkerPool:
    """Processes that run one module, made when they are needed and kept while they live.

    Args:
        module: Run with `python -m`; it calls `run_worker`.
        n_idle: So many are kept for the next call.
    """

    def __init__(self, module: str, n_idle: int = 2) -> None:
        self.module = module
        self.n_idle = n_idle
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        atexit.register(self.stop)

    def ask(self, header: dict[str, Any], body: bytes, timeout_s: float) -> Any:
        """One answer.

        Raises:
            TimeoutError: It took longer than `timeout_s`; the worker was killed.
            WorkerDiedError: The worker did not survive this body.
        """
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        try:
            worker = worker or _Worker(self.module)
            answer = worker.ask(header, body, timeout_s)
        except TimeoutError:
            if worker is not None:
                worker.kill()
            raise
        except (EOFError, OSError, ValueError) as error:
            if worker is not None:
                worker.kill()
            raise WorkerDiedError(f"{self.module} died") from error
        with self._lock:
            if len(self._idle) < self.n_idle:
                self._idle.append(worker)
                return answer
        worker.kill()
        return answer

    def stop(self) -> None:
        """End the idle workers; the next call starts a new one."""
        with self._lock:
            workers, self._idle = self._idle, []
        for worker in workers:
            worker.kill()


class _Worker:
    def __init__(self, module: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
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


# The worker's side


def run_worker(answer: Callable[..., Any]) -> None:
    """Serve the parent until it closes the pipe.

    Args:
        answer: Called with the body and the header's fields; what it gives goes back as JSON (named
            tuples as arrays, dates as ISO text), an exception as a sentence.
    """
    limit_memory()
    sys.setrecursionlimit(3000)
    with (
        contextlib.suppress(KeyboardInterrupt, BrokenPipeError),
        open(sys.stdin.fileno(), "rb", closefd=False) as source,
        open(sys.stdout.fileno(), "wb", buffering=0, closefd=False) as sink,
    ):
        sys.stdout = sys.stderr
        _send(sink, "ready")
        while head := _take(source, _HEAD.size):
            n_head, n_body = _HEAD.unpack(head)
            header = json.loads(_take(source, n_head))
            body = _take(source, n_body)
            try:
                found = answer(body, **header)
            except MemoryError:
                found = "it needs more memory than a parser may have"
            except Exception as error:  # whatever a parser does on hostile input ends here
                found = f"the parser failed: {type(error).__name__}"
            _send(sink, found)


def _send(sink: IO[bytes], answer: Any) -> None:
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
