"""Memory and open files over the steps, of the loop's process and of its workers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from kuaibao.doctor.processes import n_open_files, proportional_bytes, resident_bytes

__all__ = ["MemoryWatch"]

_MAX_ROWS = 400
_LEAST_S = 0.02
"""Between two rows: to count open files costs a twentieth of a millisecond."""
_EVERY_S = 0.4
"""A worker's memory is read from its whole map, which takes a millisecond or two."""


class MemoryWatch:
    """Writes a row now and then; rarer the longer it lasts.

    Args:
        rows: Where the rows go.
        spool: Folder with the workers' records, by which they are known.
    """

    def __init__(self, rows: list[dict[str, float]], spool: Path) -> None:
        self.rows = rows
        self.spool = spool
        self._workers = (0.0, 0.0)
        self._looked_at = -_EVERY_S
        self._every = 1
        self._own_bytes = 0
        """What probing between the steps has added: no growth of the script's."""

    def after_step(self, n_steps: int, seconds: float) -> None:
        """The loop's memory after a real step, with what is known of the workers'."""
        last = self.rows[-1] if self.rows else None
        if last and (n_steps - last["steps"] < self._every or seconds - last["seconds"] < _LEAST_S):
            return
        if seconds - self._looked_at > _EVERY_S:
            self._looked_at = seconds
            self._look_at_workers()
        self.rows.append(
            {
                "seconds": seconds,
                "steps": float(n_steps),
                "main_bytes": float(resident_bytes() - self._own_bytes),
                "worker_bytes": self._workers[0],
                "n_workers": self._workers[1],
                "open_files": float(n_open_files()),
            }
        )
        if len(self.rows) >= _MAX_ROWS:
            del self.rows[1::2]
            self._every *= 2

    def _look_at_workers(self) -> None:
        pids = [int(path.stem.split("-")[1]) for path in self.spool.glob("worker-*.records")]
        sizes = [proportional_bytes(pid) for pid in pids]
        self._workers = (float(sum(sizes)), float(sum(1 for size in sizes if size)))

    @contextmanager
    def between_steps(self) -> Generator[None]:
        """What is done inside the block does not count as the script's."""
        before = resident_bytes()
        try:
            yield
        finally:
            self._own_bytes += resident_bytes() - before
