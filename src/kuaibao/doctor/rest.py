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
    """The watch of a session at rest, until so many batches were taken; it outlasts an epoch."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.n_left = 0
        """Steps that still go by unwatched; 0 while the watch is awake."""
        self._iterator: Any = None
        self._state: Iteration | None = None
        self._n_taken = 0
        self._n_samples = 0

    def begin(self, n_steps: int, batch_size: int) -> None:
        """Leave `n_steps` steps alone, fewer where the examination ends before."""
        settings, seen = self.session.settings, self.session.observation
        if settings.samples:
            missing = settings.samples - seen.samples_seen
            n_steps = min(n_steps, missing // max(1, batch_size) - 1)
        if n_steps < 1:
            return
        self.n_left = n_steps
        self._until = self.session.started + (settings.seconds or settings.default_seconds)
        self.session.hooks.rest()

    def takes(self, iterator: Any) -> bool:
        """Whether the next batch of this walk goes by unwatched."""
        if not self.n_left:
            return False
        if iterator is self._iterator:
            return True
        state = self.session.log.iteration(id(iterator))
        if state is None:
            return False
        self._settle()
        self._iterator, self._state = iterator, state
        return True

    def next_batch(self, original: Any) -> Any:
        """The next batch."""
        session, iterator, state = self.session, self._iterator, self._state
        since = perf_counter()
        if since > self._until or state is None:
            self.end()
            return session.next_batch(iterator, original)
        session.is_fetching = METER.muted = True
        try:
            batch = original(iterator)
        except StopIteration:
            self._settle()
            session.exhausted(iterator, state, since)
            raise
        finally:
            session.is_fetching = METER.muted = False
        if state.first_wait_s < 0:
            state.first_wait_s = perf_counter() - since
        self._n_taken += 1
        self._n_samples += n_samples(batch, 1)
        self.n_left -= 1
        if not self.n_left:
            self.end()
        return batch

    def end(self) -> None:
        """Watch again."""
        was_at_rest = self._state is not None or self.n_left
        self._settle()
        self.n_left = 0
        if was_at_rest:
            self.session.hooks.wake()

    def _settle(self) -> None:
        """Hand over what was counted."""
        if self._state is not None:
            self._state.delivered += self._n_taken
            self._state.received += self._n_taken
            self.session.count_rested(self._n_taken, self._n_samples)
        self._iterator = self._state = None
        self._n_taken = self._n_samples = 0
