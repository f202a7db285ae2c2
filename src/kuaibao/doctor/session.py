"""The watch over one process: it stands in `DataLoader.__next__` and sees the whole loop.

Between two calls of `__next__` lies one step of the user's loop, whatever its code looks like.
What the call gives back decides what the step is: a real batch, or the last one again.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from kuaibao.doctor import facts
from kuaibao.doctor.batches import digest, n_samples, with_new_containers
from kuaibao.doctor.completion import complete
from kuaibao.doctor.data_probes import DataProbes
from kuaibao.doctor.fetching import FIELDS, METER, install_fetch_hooks
from kuaibao.doctor.functions import FunctionLog
from kuaibao.doctor.hooks import LoopHooks
from kuaibao.doctor.hot_lines import LineSampler
from kuaibao.doctor.loader_hooks import hook_loaders
from kuaibao.doctor.loaders import Iteration, LoaderLog
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.memory_watch import MemoryWatch
from kuaibao.doctor.open_step import OpenStep
from kuaibao.doctor.patches import Patches
from kuaibao.doctor.planning import Plan
from kuaibao.doctor.processes import CoresProbe, core_seconds, cpu_seconds, run_delay_s
from kuaibao.doctor.rest import Rest
from kuaibao.doctor.schedule import Turn
from kuaibao.doctor.settings import Settings, StopExamination
from kuaibao.doctor.thrift import Thrift
from kuaibao.doctor.timeline import Timeline, without_delay

__all__ = ["Session"]

_MAX_STEPS = 4000
_MAX_DIGESTS = 16
_SAVE_EVERY_S = 3.0
_PATIENCE = 3
"""Batches that a stopped script may still ask for, in its `finally` blocks."""
_REPEATING = ("repeat", "threads", "unchecked", "device")


class Session:
    """Everything that is watched in this process."""

    def __init__(self, settings: Settings, spool: Path, sampler: LineSampler | None = None) -> None:
        self.settings = settings
        self.spool = spool
        self.observation = Observation()
        self.timeline = Timeline()
        self.hooks = LoopHooks(self.timeline)
        self.loader_patches = Patches()
        self.rest = Rest(self)
        self.sampler = sampler or LineSampler(self._region)
        self.sampler.region = self._region
        self.log = LoaderLog(spool, self.observation.epochs)
        self.treatment: Any = None
        self.on_stop: Any = None
        self.finished = False
        self.is_fetching = False
        """A cure or a probe asks a loader: its batches are not the loop's."""
        self.started = 0.0
        self.first_cpu_s = 0.0
        self.first_core_s: dict[str, tuple[float, float]] = {}
        self._born = perf_counter()
        self._plan = Plan(settings, self.log, self._begin_treatment)
        limit = 0.8 if settings.seconds and settings.seconds < 15 else 2.0
        self._probes = DataProbes(self.observation, self.log, limit_s=limit)
        self._memory = MemoryWatch(self.observation.memory, spool)
        self.cores_probe = CoresProbe(settings.cores)
        self._thrift = Thrift()
        self._n_to_rest = 0
        self._step: OpenStep | None = None
        self._main_fetch: dict[str, float] | None = None
        self._n_taken = 0
        self._n_steps = 0
        self._put_back_calls: list[tuple[Any, Any]] = []
        self._device_copies: dict[int, dict[int, Any]] = {}
        self._call_cost: float | None = None
        self._last_save = self._save_s = self._own_s = 0.0
        self._is_stopped = self._is_drawing = False
        self._n_stop = 0

    def install(self) -> None:
        """Patch torch's loader and loop in this process."""
        METER.spool, METER.muted = self.spool, False
        METER.sink = self._on_main_fetch
        install_fetch_hooks()
        self.hooks.install()
        hook_loaders(self)

    def uninstall(self) -> None:
        """Put torch back as it was (the meters in its fetchers stay and are idle)."""
        self.rest.end()
        self.hooks.uninstall()
        self.loader_patches.undo()
        METER.sink, METER.spool, METER.muted = None, None, True

    @contextmanager
    def drawing(self) -> Generator[None]:
        """While a sampler draws the indices of a batch: Python of the loop's, and no data work."""
        step = self._step
        if step is None or not self.hooks.is_here():
            yield
            return
        start, self._is_drawing = thread_time(), True
        try:
            yield
        finally:
            self._is_drawing = False
            step.drawn_s += thread_time() - start

    def _region(self) -> str:
        if not self.started:
            return "setup"
        if self._is_drawing:
            return "python"
        return self.timeline.top if self.hooks.on else "probe"

    # A step begins

    def next_batch(self, iterator: Any, original: Any) -> Any:
        """Close the step that ends here, and open the next one."""
        called = perf_counter()
        if not self.started:
            self._begin_watch()
        self.end_step()
        state = self.log.iteration(id(iterator))
        if state is None:
            return original(iterator)
        reason = self._plan.reason_to_stop(self.observation, self._n_taken, self.started)
        if reason:
            self.stop(reason)
        if state.is_spent:
            self.exhausted(iterator, state, perf_counter())
            raise StopIteration
        if self._n_to_rest:
            n_steps, self._n_to_rest = self._n_to_rest, 0
            self.rest.begin(n_steps, getattr(state.loader, "batch_size", None) or 1)
            at_rest, batch = self.rest.first_batch(iterator, original)
            if at_rest:
                return batch
        turn = self._plan.turn(iterator, state)
        if turn.probe:
            self._between_blocks(state, turn)
        batch = self._deliver(iterator, state, turn, original)
        if self._step is not None:
            waited = self.timeline.wall_of("wait")
            self._step.own_s = perf_counter() - called - waited
        return batch

    @property
    def _only_watches(self) -> bool:
        return not self.settings.ablate and not self.settings.treatments

    def count_rested(self, n_taken: int, n_samples: int) -> None:
        """Batches that were taken while the watch was at rest."""
        self._n_taken += n_taken
        self._n_steps += n_taken
        self.observation.samples_seen += n_samples

    def _begin_watch(self) -> None:
        self.started = perf_counter()
        self.observation.setup_s = self.started - self._born
        self.sampler.start(self.hooks.thread)
        self.first_cpu_s = cpu_seconds(os.getpid())
        self.first_core_s = core_seconds()
        settings = self.observation.settings
        settings["plain_sample_s"] = facts.plain_sample_s()
        settings["plain_bytes_a_second"] = facts.plain_bytes_a_second()

    def _deliver(self, iterator: Any, state: Iteration, turn: Turn, original: Any) -> Any:
        self._main_fetch = None
        if turn.detail:
            self._measure_glass()
        step = OpenStep(turn, id(iterator), perf_counter(), n_backward=self.hooks.n_backward)
        step.samples_before = self.observation.samples_seen
        self._n_steps += 1
        self._step = step
        batch: Any = self._repeated(state, turn) if turn.mode in _REPEATING else None
        if turn.mode == "treated":
            self._prepare_treatment(state)
        step.delay = self._lost_s()
        self.timeline.begin_step()
        self.hooks.on = True
        self.hooks.loss_spans.clear()
        step.start = perf_counter()
        if turn.mode not in _REPEATING:
            batch = self._waited_for(iterator, state, turn, original)
            self._n_taken += 1
        step.n_samples = n_samples(batch, getattr(state.loader, "batch_size", None) or 1)
        step.fetch = self._main_fetch
        state.delivered += 1
        if state.first_wait_s < 0:
            delay = self._lost_s() - step.delay
            state.first_wait_s = max(0.0, perf_counter() - step.start - delay)
            step.disturbed = self.log.starts_something(state)
        if turn.mode not in _REPEATING:
            self.observation.samples_seen += step.n_samples
        # A treatment is judged by its untreated steps too: those must not be slowed by the glass.
        if turn.detail and self.treatment is None and not self.hooks.uses_compile:
            self._open_glass(step)
        return batch

    def _waited_for(self, iterator: Any, state: Iteration, turn: Turn, original: Any) -> Any:
        """The next real or treated batch; the step's time begins with waiting for it."""
        since = perf_counter()
        self.timeline.enter("wait")
        try:
            batch = self._fetch(iterator, state, turn, original)
        except StopIteration:
            self._abandon_step()
            self.exhausted(iterator, state, since)
            raise
        except BaseException:
            self._abandon_step()
            raise
        self.timeline.leave()
        if turn.mode == "real":
            if not self.settings.ablate and len(self.observation.digests) < _MAX_DIGESTS:
                start = time.monotonic()
                self.observation.digests.append(digest(batch))  # to compare two runs by
                self._own_s += time.monotonic() - start
            self.log.kept[id(state.loader)] = batch
            state.received += 1
        return batch

    def _fetch(self, iterator: Any, state: Iteration, turn: Turn, original: Any) -> Any:
        self.is_fetching = True
        try:
            if turn.mode == "treated":
                given, batch = self.treatment.take()
                if given:
                    return batch
                state.received += 1
            return original(iterator)
        finally:
            self.is_fetching = False

    def _repeated(self, state: Iteration, turn: Turn) -> Any:
        loader_id = id(state.loader)
        if turn.mode == "device":
            self.hooks.device_copies = self._device_copies.setdefault(loader_id, {})
        if turn.mode in ("threads", "unchecked"):
            import torch

            if turn.mode == "threads":
                self._put_back_calls.append((torch.set_num_threads, torch.get_num_threads()))
                torch.set_num_threads(max(1, round(self.cores_probe.cores)))
            else:
                self._put_back_calls.append((torch.autograd.set_detect_anomaly, True))
                torch.autograd.set_detect_anomaly(False)
        return with_new_containers(self.log.kept[loader_id])

    def _begin_treatment(self, loader: Any) -> int:
        from kuaibao.doctor.treatments import Treatment

        cure = self.settings.treatments[0]
        self.treatment = Treatment(self.hooks, cure, self.settings.treatment_options)
        return self.treatment.lag(loader)

    def _prepare_treatment(self, state: Iteration) -> None:
        self.is_fetching = True
        try:
            self.treatment.prepare(state.loader, self.log.recent_indices(state.loader))
        finally:
            self.is_fetching = False

    def _measure_glass(self) -> None:
        from kuaibao.doctor import detail

        if self._call_cost is None:
            self._call_cost = detail.cost_of_a_call()

    def _open_glass(self, step: OpenStep) -> None:
        from kuaibao.doctor import detail

        hooks = self.hooks
        step.log = detail.CallLog(self.timeline, hooks.parameter_storages())
        step.functions = FunctionLog(
            self.timeline, lambda: hooks.n_forward + hooks.n_backward + hooks.n_optimizer_step
        )
        step.log.__enter__()
        step.functions.open()

    # A step ends

    def end_step(self, *, disturbed: bool = False) -> None:
        """Close the step that is open, if one is."""
        step = self._step
        if step is None:
            return
        if step.log is not None:
            step.functions.close()
            step.log.__exit__(None, None, None)
        wall, cpu = self.timeline.end_step()
        seconds = perf_counter() - step.start
        if self._only_watches and step.log is None:
            changes = self.timeline.n_charges
            self._n_to_rest = self._thrift.watched(seconds, step.own_s, changes)
        delay = min(self._lost_s() - step.delay, 0.98 * seconds)
        self._own_s += step.own_s
        self._put_back(step)
        self._synchronize(step)
        state = self.log.iteration(step.iterator)
        if state is None:
            return
        has_backward = self.hooks.n_backward > step.n_backward
        self.log.stepped(state.loader, has_backward=has_backward)
        if step.turn.mode == "real":
            self._memory.after_step(self._n_steps, perf_counter() - self.started)
        if len(self.observation.steps) < _MAX_STEPS:
            step.disturbed |= disturbed
            wall = without_delay(wall, cpu, delay)
            looked_at = self._looked_at(step, wall)
            record = step.record(wall, cpu, seconds - delay, delay, looked_at, has_backward)
            self.observation.steps.append(record)
            self.observation.settings.setdefault("step_loader", []).append(id(state.loader))

    def _put_back(self, step: OpenStep) -> None:
        """Whatever was changed for this step only."""
        if step.turn.mode == "treated":
            self.treatment.leave()
        self.hooks.on = False
        self.hooks.device_copies = None
        self._step = None
        for function, value in self._put_back_calls:
            function(value)
        self._put_back_calls.clear()

    def _abandon_step(self) -> None:
        if self._step is not None:
            self._put_back(self._step)

    def _synchronize(self, step: OpenStep) -> None:
        """On a GPU, looked-at steps end when the device has."""
        torch = sys.modules.get("torch")
        if torch is not None and step.turn.detail and torch.cuda.is_available():
            torch.cuda.synchronize()

    def _looked_at(self, step: OpenStep, wall: dict[str, float]) -> dict[str, Any] | None:
        if step.log is None:
            return None
        from kuaibao.doctor import detail

        spans = self.hooks.loss_spans, step.functions.spans
        return asdict(detail.summarize(step.log, wall, self._call_cost or 0.0, *spans))

    def exhausted(self, iterator: Any, state: Iteration, since: float) -> None:
        """A walk over a loader has come to its end."""
        self._abandon_step()
        self.log.exhausted(iterator, state, perf_counter() - since)
        self._save_now_and_then()

    # Between blocks

    def _between_blocks(self, state: Iteration, turn: Turn) -> None:
        """What is done outside all steps, once a cycle."""
        with self._memory.between_steps():
            if self.settings.ablate and self.treatment is None:
                elapsed = perf_counter() - self.started
                if turn.is_quiet:
                    self.cores_probe.look(elapsed)
                self.is_fetching = True  # a probe's own loaders are none of the loop's
                try:
                    has_probed = self._probes.run(state.loader, elapsed)
                finally:
                    self.is_fetching = False
                if has_probed and len(self.observation.probes) in (1, 4):
                    facts.probe_optimizers(self)
        self._save_now_and_then()

    def _on_main_fetch(self, record: tuple[float, ...]) -> None:
        if self.treatment is None or not self.treatment.is_filling:
            self._main_fetch = dict(zip(FIELDS, record, strict=True))

    # The end

    def stop(self, reason: str) -> None:
        """Write down what was seen and end the script.

        Raises:
            StopExamination: always; a script that catches it meets `stop_again` at its next batch.
        """
        self.observation.ended = reason
        self.finish()
        self._is_stopped = True
        raise StopExamination(0)

    def stop_again(self) -> None:
        """End a script that has caught `StopExamination` and goes on; in the end without asking.

        Raises:
            StopExamination: the first times.
        """
        if not self._is_stopped:
            return
        self._n_stop += 1
        if self._n_stop > _PATIENCE:
            sys.stdout.flush()
            os._exit(0)
        raise StopExamination(0)

    def finish(self) -> None:
        """The last observation; safe to call twice."""
        if self.finished:
            return
        self.rest.end()
        self.end_step(disturbed=True)
        self.finished = True
        self.hooks.on = False
        self.sampler.stop()
        self.log.close_all()
        if self.treatment is not None:
            self.treatment.close()
        self.observation.ended = self.observation.ended or "script"
        self._save()

    def _save_now_and_then(self) -> None:
        if time.monotonic() - self._last_save > max(_SAVE_EVERY_S, 300 * self._save_s):
            self._save()

    def _save(self) -> None:
        """Complete the observation and hand it over (a killed script leaves the last one)."""
        start = time.monotonic()
        if self.started:
            complete(self)
        if self.on_stop is not None:
            self.on_stop(self.observation)
        self._last_save = time.monotonic()
        self._save_s = self._last_save - start
        self._own_s += self._save_s

    def _lost_s(self) -> float:
        """Seconds that are not the loop's: it had no core, or the doctor hashed and wrote."""
        return run_delay_s() + self._own_s
