"""A stretch of steps that nobody watches: batches are counted, and nothing else is done."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from kuaibao.doctor.batches import n_samples
from kuaibao.doctor.fetching import METER

if TYPE_CHECKING:
    from kuaibao.doctor.loaders import Iteration
    from kuaibao.doctor.session import Session

__all__ = ["Rest"]


class Rest:
    """The watch of a session at rest, until so many batches were taken or something happens."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.iterator: Any = None
        """The walk it rests on; None while the watch is awake."""
        self._state: Iteration | None = None
        self._left = 0
        self._n_taken = 0
        self._n_samples = 0

    def begin(self, iterator: Any, state: Iteration, n_steps: int) -> None:
        """Leave `n_steps` steps alone, fewer where the examination ends before."""
        settings, seen = self.session.settings, self.session.observation
        if settings.samples:
            missing = settings.samples - seen.samples_seen
            n_steps = min(n_steps, missing // max(1, self._batch_size(state)) - 1)
        if n_steps < 1:
            return
        self.iterator, self._state, self._left = iterator, state, n_steps
        self._n_taken = self._n_samples = 0
        self._until = self.session.started + (settings.seconds or settings.default_seconds)
        self.session.hooks.rest()

    def next_batch(self, original: Any) -> Any:
        """The next batch."""
        session, iterator = self.session, self.iterator
        if self._left == 0 or perf_counter() > self._until:
            self.end()
            return session.next_batch(iterator, original)
        self._left -= 1
        since = perf_counter()
        session.is_fetching = METER.muted = True
        try:
            batch = original(iterator)
        except BaseException as error:
            state = self._state
            self.end()
            if isinstance(error, StopIteration) and state is not None:
                session.exhausted(iterator, state, since)
            raise
        finally:
            session.is_fetching = METER.muted = False
        self._n_taken += 1
        self._n_samples += n_samples(batch, 1)
        return batch

    def end(self) -> None:
        """Watch again."""
        if self.iterator is None or self._state is None:
            return
        self._state.delivered += self._n_taken
        self._state.received += self._n_taken
        self.session.count_rested(self._n_taken, self._n_samples, n_left=self._left)
        self.iterator = self._state = None
        self.session.hooks.wake()

    @staticmethod
    def _batch_size(state: Iteration) -> int:
        return getattr(state.loader, "batch_size", None) or 1
