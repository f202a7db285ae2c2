"""Work in the background: a thread with one job, and one worker at a time over all processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from kuaibao.bulletin.desk.desk import Desk
from kuaibao.errors import KuaibaoError
from kuaibao.files import FileLock, LockedError

__all__ = ["Job", "Worker", "alone"]

_log = logging.getLogger("kuaibao.background")

Job = Callable[[threading.Event], object]
"""Does what is waiting; ends early, between two messages or files, once the event is set."""

PATIENCE_S = 60.0
"""How long stopping waits for what is in hand."""


class Worker:
    """A thread that does its job when it is woken, and looks again from time to time.

    Args:
        name: Of the thread, for those who look at the process.
        job: What it does. Its troubles are kept as `problem` and end nothing.
        interval_s: How long it sleeps when nobody wakes it.
        trouble: Told of each trouble in words.
    """

    def __init__(
        self,
        name: str,
        job: Job,
        *,
        interval_s: float,
        trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.interval_s = interval_s
        self.problem = ""
        """Why the job could not be done the last time; empty if it was."""
        self._job, self._trouble = job, trouble
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"kuaibao-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something waits."""
        self._wake.set()

    def stop(self) -> None:
        """Finish what is in hand, then end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=PATIENCE_S)

    def _work(self) -> None:
        while True:
            self._wake.wait(timeout=self.interval_s)
            self._wake.clear()
            if self._stopping.is_set():
                return
            self._do()

    def _do(self) -> None:
        try:
            self._job(self._stopping)
            self.problem = ""
        except Exception as error:
            if not isinstance(error, KuaibaoError | OSError):
                _log.exception("%s failed", self._thread.name)
            self.problem = f"{type(error).__name__}: {error}"
            self._trouble(self.problem)


@contextmanager
def alone(desk: Desk, task: str) -> Generator[bool]:
    """Whether nobody else does this task now, in this process or another on the same database.

    Only a database in a file is locked: of two workers on a server both are told that they are
    alone, and have to part the rows between them.
    """
    path, is_alone = desk.store.database.path, True
    with ExitStack() as held:
        if path is not None:
            try:
                held.enter_context(FileLock(path.with_name(f"{path.name}.{task}-lock")))
            except LockedError:
                is_alone = False
        yield is_alone
