"""The loaders of the examined process: which are walked, which trains, what they gave last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuaibao.doctor.fetching import count_records
from kuaibao.doctor.measured import EpochRecord

__all__ = ["Iteration", "LoaderLog"]

_RECENT = 64


@dataclass
class Iteration:
    """One iterator that is being walked."""

    loader: Any
    iter_s: float
    total: int
    first_wait_s: float = -1.0
    delivered: int = 0
    received: int = 0
    """Real batches taken; the queue's backlog is what workers made less this."""
    made_before: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether the loop has had all its turns, some of them with repeated batches."""
        return self.total >= 0 and self.delivered >= self.total > self.received


class LoaderLog:
    """What is known of each loader, by its identity."""

    def __init__(self, spool: Path, epochs: list[EpochRecord]) -> None:
        self.spool = spool
        self.epochs = epochs
        self.kept: dict[int, Any] = {}
        """Loader id to its last real batch."""
        self._iterations: dict[int, Iteration] = {}
        self._loaders: dict[int, Any] = {}
        self._training: dict[int, int] = {}
        """Loader id to the number of its steps with a backward pass."""
        self._watched: dict[int, int] = {}
        self._indices: dict[int, list[Any]] = {}

    def opened(self, loader: Any, iterator: Any, seconds: float, n_made: int = 0) -> None:
        """A walk over a loader begins.

        Args:
            loader: The loader.
            iterator: What walks over it.
            seconds: What `iter(loader)` took.
            n_made: Batches that all workers had made before it; those that live on begin at once.
        """
        try:
            total = len(loader)
        except TypeError:
            total = -1
        self._loaders[id(loader)] = loader
        previous = self._iterations.pop(id(iterator), None)
        if previous is not None:
            self.closed(previous, 0.0, complete=True)
        self._iterations[id(iterator)] = Iteration(loader, seconds, total, made_before=n_made)

    def n_made(self, loader: Any) -> int:
        """Batches that workers have made so far; 0 for a loader without any."""
        return count_records(self.spool) if n_workers(loader) else 0

    def iteration(self, iterator_id: int) -> Iteration | None:
        """The walk of this iterator."""
        return self._iterations.get(iterator_id)

    def exhausted(self, iterator: Any, state: Iteration, end_s: float) -> None:
        """A walk came to its end, which took these seconds."""
        self.closed(state, end_s, complete=True)
        self._iterations.pop(id(iterator), None)

    def closed(self, state: Iteration, end_s: float, *, complete: bool) -> None:
        """Write a walk down."""
        if state.first_wait_s >= 0:
            self.epochs.append(
                EpochRecord(
                    loader=id(state.loader),
                    iter_s=state.iter_s,
                    first_wait_s=state.first_wait_s,
                    n_batches=state.delivered,
                    end_s=end_s,
                    complete=complete,
                )
            )

    def close_all(self) -> None:
        """The examination ends in the middle of these walks."""
        for state in self._iterations.values():
            self.closed(state, 0.0, complete=False)

    def drawn(self, sampler: Any, indices: list[Any]) -> None:
        """A batch sampler gave these indices."""
        recent = self._indices.setdefault(id(sampler), [])
        recent.append(indices)
        del recent[:-_RECENT]

    def recent_indices(self, loader: Any) -> list[list[Any]]:
        """The indices of its last batches."""
        return self._indices.get(id(getattr(loader, "_index_sampler", None)), [])

    def stepped(self, loader: Any, *, has_backward: bool) -> None:
        """A step over this loader is done."""
        key = id(loader)
        self._training[key] = self._training.get(key, 0) + has_backward
        self._watched[key] = self._watched.get(key, 0) + 1

    def starts_something(self, state: Iteration) -> bool:
        """Whether the first batch of this walk waits for workers, or for first-time work."""
        is_first = self._watched.get(id(state.loader), 0) == 0
        return is_first or n_workers(state.loader) > 0

    def may_ablate(self, loader: Any) -> bool:
        """Whether its batches may be repeated: it trains, or nothing does and it was seen long."""
        if self._training.get(id(loader)):
            return True
        return not any(self._training.values()) and self._watched.get(id(loader), 0) >= 8

    def examined(self) -> Any:
        """The loader with most steps that train; without any, the one with most steps."""
        if not self._loaders:
            return None
        return max(
            self._loaders.values(),
            key=lambda loader: (
                self._training.get(id(loader), 0),
                self._watched.get(id(loader), 0),
            ),
        )

    def fetches_in_main(self) -> bool:
        """Whether the examined loader makes its batches in the loop's own process."""
        loader = self.examined()
        return loader is None or n_workers(loader) == 0


def n_workers(loader: Any) -> int:
    """Worker processes of a loader of any make."""
    return int(getattr(loader, "num_workers", 0))
