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
        self.iterator: Any = None
        """The walk that is counted now."""
        self._state: Iteration | None = None
        self._n_before = 0
        self._batch_size = 1

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

    def first_batch(self, iterator: Any, original: Any) -> tuple[bool, Any]:
        """The first batch of a walk that goes by unwatched; (False, None) when the watch is awake.

        From here on `next_batch` gives the walk's batches.
        """
        state = self.session.log.iteration(id(iterator)) if self.n_left else None
        if state is None:
            return False, None
        self._settle()
        self.iterator, self._state, self._n_before = iterator, state, self.n_left
        since = perf_counter()
        batch = self.next_batch(original)
        if state.first_wait_s < 0:
            state.first_wait_s = perf_counter() - since
        self._batch_size = n_samples(batch, 1)
        return True, batch

    def next_batch(self, original: Any) -> Any:
        """The next batch of the walk; it costs the loop half a microsecond."""
        session, iterator, since = self.session, self.iterator, perf_counter()
        if not self.n_left or since > self._until:
            self.end()
            return session.next_batch(iterator, original)
        session.is_fetching = METER.muted = True
        try:
            batch = original(iterator)
        except StopIteration:
            self._exhausted(iterator, since)
            raise
        finally:
            session.is_fetching = METER.muted = False
        self.n_left -= 1
        return batch

    def _exhausted(self, iterator: Any, since: float) -> None:
        state = self._state
        self._settle(self._last_is_short_by())
        if state is not None:
            self.session.exhausted(iterator, state, since)

    def end(self) -> None:
        """Watch again."""
        was_at_rest = self._state is not None or self.n_left
        self._settle()
        self.n_left = 0
        if was_at_rest:
            self.session.hooks.wake()

    def _last_is_short_by(self) -> int:
        """Samples that the last batch of a whole walk has less than the others."""
        loader = self._state.loader if self._state is not None else None
        if getattr(loader, "drop_last", True) or not getattr(loader, "batch_size", None):
            return 0
        try:
            return -len(loader.sampler) % self._batch_size  # type: ignore[union-attr]
        except TypeError:
            return 0

    def _settle(self, n_short: int = 0) -> None:
        """Hand over what was counted."""
        if self._state is not None:
            n_taken = self._n_before - self.n_left
            self._state.delivered += n_taken
            self._state.received += n_taken
            n_short = n_short if n_taken else 0
            self.session.count_rested(n_taken, n_taken * self._batch_size - n_short)
        self.iterator = self._state = None
