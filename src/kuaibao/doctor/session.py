"""The watch over one process: it stands in `DataLoader.__next__` and sees the whole loop.

Between two calls of `__next__` lies one step of the user's loop, whatever its code looks like.
What the call gives back decides what the step is: a real batch, or the last one again.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from kuaibao.doctor import facts
from kuaibao.doctor.batches import digest, n_samples, with_new_containers
from kuaibao.doctor.fetching import FIELDS, METER, count_records, install_fetch_hooks, read_records
from kuaibao.doctor.functions import FunctionLog
from kuaibao.doctor.hooks import LoopHooks
from kuaibao.doctor.hot_lines import LineSampler
from kuaibao.doctor.measured import EpochRecord, Observation, StepRecord
from kuaibao.doctor.processes import (
    cpu_seconds,
    disk_bytes,
    environment,
    proportional_bytes,
    resident_bytes,
    run_delay_s,
)
from kuaibao.doctor.schedule import Schedule, Turn
from kuaibao.doctor.timeline import Timeline, without_delay

__all__ = ["Session", "Settings", "StopExamination"]

_MAX_STEPS = 4000
_SETTLED_CYCLES = 8
_MAX_DIGESTS = 16
_LEAST_STEPS = 8
"""Real steps that are looked at even when they hold more samples than were asked for."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long to look, and how deep."""

    samples: int = 0
    """Stop after so many samples; 0 for no such limit."""
    seconds: float = 0.0
    """Stop so many seconds after the first batch was asked for; 0 for no such limit."""
    ablate: bool = True
    """Repeat batches and probe the data path; without it the doctor only watches."""
    cores: float = 1.0
    """Cores that can really be had (`processes.probe_cores`)."""
    treatments: tuple[str, ...] = ()
    """Cures to alternate with the untreated loop instead of looking for a disease."""
    treatment_options: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments that replace those of every `DataLoader(...)`."""
    default_seconds: float = 45.0
    """Limit when neither `samples` nor `seconds` is given."""


class StopExamination(SystemExit):
    """Ends the examined script once enough has been seen; its exit status is 0."""


@dataclass
class _OpenStep:
    turn: Turn
    iterator: int
    start: float
    n_samples: int = 0
    fetch: dict[str, float] | None = None
    disturbed: bool = False
    delay: float = 0.0
    n_backward: int = 0
    log: Any = None
    functions: Any = None


@dataclass
class _Iteration:
    """One iterator that is being walked."""

    loader: Any
    iter_s: float
    total: int
    first_wait_s: float = -1.0
    delivered: int = 0
    received: int = 0
    """Real batches taken; the queue's backlog is what workers made less this."""
    made_before: int = 0
    last_end: float = 0.0


class Session:
    """Everything that is watched in this process."""

    def __init__(self, settings: Settings, spool: Path, sampler: LineSampler | None = None) -> None:
        self.settings = settings
        self.spool = spool
        self.timeline = Timeline()
        self.hooks = LoopHooks(self.timeline)
        self.sampler = sampler or LineSampler(self._region)
        self.sampler.region = self._region
        self.observation = Observation()
        self.on_stop: Any = None
        self.finished = False
        self.step: _OpenStep | None = None
        self.born = perf_counter()
        self.started = 0.0
        self._iterations: dict[int, _Iteration] = {}
        self._schedules: dict[int, Schedule] = {}
        self._training: dict[int, int] = {}
        """Loader id to the number of its steps with a backward pass."""
        self._watched_steps: dict[int, int] = {}
        self._kept: dict[int, Any] = {}
        self._indices: dict[int, list[Any]] = {}
        self._main_fetch: dict[str, float] | None = None
        self._n_taken = 0
        self._probe_s = 0.0
        self._probe_broken = 0
        self._call_cost: float | None = None
        self._last_save = 0.0
        self._loader_ids: dict[int, Any] = {}
        self._treatment: Any = None
        self._first_cpu: dict[int, float] = {}

    # Installing

    def install(self) -> None:
        """Patch torch's loader and loop in this process."""
        from torch.utils.data import dataloader as module

        METER.spool = self.spool
        METER.sink = self._on_main_fetch
        install_fetch_hooks()
        self.hooks.install()
        base: Any = module._BaseDataLoaderIter
        self._wrap_next(base)
        self._wrap_iter(module.DataLoader)
        self._wrap_init(module.DataLoader)

    def uninstall(self) -> None:
        """Put torch back as it was (the meters in its fetchers stay and are idle)."""
        self.hooks.uninstall()
        METER.sink, METER.spool = None, None

    def _wrap_next(self, base: Any) -> None:
        original_next, original_index, session = base.__next__, base._next_index, self

        def next_(iterator: Any) -> Any:
            if session.finished or session._is_fetching or not session._is_loop_thread():
                return original_next(iterator)
            return session.next_batch(iterator, original_next)

        def next_index(iterator: Any) -> Any:
            index = original_index(iterator)
            if isinstance(index, list) and not session.finished:
                recent = session._indices.setdefault(id(iterator._index_sampler), [])
                recent.append(index)
                del recent[:-64]
            return index

        self.hooks._patch(base, "__next__", next_)
        self.hooks._patch(base, "_next_index", next_index)

    def _wrap_iter(self, loader_class: Any) -> None:
        original, session = loader_class.__iter__, self

        def iter_(loader: Any) -> Any:
            if session.finished or session._is_fetching:
                return original(loader)
            session._end_step(disturbed=True)
            start = perf_counter()
            iterator = original(loader)
            session._opened(loader, iterator, perf_counter() - start)
            return iterator

        self.hooks._patch(loader_class, "__iter__", iter_)

    def _wrap_init(self, loader_class: Any) -> None:
        original, session = loader_class.__init__, self

        def init(loader: Any, *args: Any, **kwargs: Any) -> None:
            if not hasattr(loader, "_kuaibao_place"):
                with contextlib.suppress(Exception):
                    object.__setattr__(loader, "_kuaibao_place", facts.place_of_caller())
            original(loader, *args, **_overridden(kwargs, session.settings.overrides))

        self.hooks._patch(loader_class, "__init__", init)

    def _is_loop_thread(self) -> bool:
        if not self.hooks.thread:
            self.hooks.thread = threading.get_ident()
        return threading.get_ident() == self.hooks.thread

    def _region(self) -> str:
        if not self.started:
            return "setup"
        return self.timeline.top if self.hooks.on else "probe"

    # The loop

    def _opened(self, loader: Any, iterator: Any, seconds: float) -> None:
        try:
            total = len(loader)
        except TypeError:
            total = -1
        self._loader_ids[id(loader)] = loader
        previous = self._iterations.pop(id(iterator), None)
        made = count_records(self.spool) if getattr(loader, "num_workers", 0) else 0
        if previous is not None:
            self._record_epoch(previous, 0.0, complete=True)
        self._iterations[id(iterator)] = _Iteration(loader, seconds, total, made_before=made)

    def next_batch(self, iterator: Any, original: Any) -> Any:
        """Close the step that ends here, and open the next one."""
        if not self.started:
            self.started = perf_counter()
            self.observation.setup_s = self.started - self.born
            self._begin_watch()
        self._end_step()
        state = self._iterations.get(id(iterator))
        if state is None:
            return original(iterator)
        reason = self._reason_to_stop()
        if reason:
            self.stop(reason)
        if state.total >= 0 and state.delivered >= state.total > state.received:
            self._exhausted(iterator, state, perf_counter())
            raise StopIteration
        turn = self._turn(iterator, state)
        if turn.probe:
            self._between_blocks(state)
        return self._deliver(iterator, state, turn, original)

    def _begin_watch(self) -> None:
        import os

        self.sampler.start(self.hooks.thread)
        self._first_cpu[os.getpid()] = cpu_seconds(os.getpid())
        self.observation.settings["plain_sample_s"] = facts.plain_sample_s()

    def _deliver(self, iterator: Any, state: _Iteration, turn: Turn, original: Any) -> Any:
        self._main_fetch = None
        if turn.detail:
            self._measure_glass()
        self.step = _OpenStep(turn, id(iterator), perf_counter(), n_backward=self.hooks.n_backward)
        repeats = turn.mode in ("repeat", "threads", "device")
        batch: Any = self._repeated(state, turn) if repeats else None
        if turn.mode == "treated":
            self._prepare_treatment(state)
        delay = run_delay_s()
        self.timeline.begin_step()
        self.step.delay = delay
        self.hooks.on = True
        self.hooks.loss_spans.clear()
        self.step.start = perf_counter()
        if not repeats:
            self.timeline.enter("wait")
            try:
                batch = self._fetch(iterator, state, turn, original)
            except StopIteration:
                self._abandon_step()
                self._exhausted(iterator, state, self.step_start)
                raise
            except BaseException:
                self._abandon_step()
                raise
            self.timeline.leave()
            if turn.mode == "real" and not self.settings.ablate:
                self._digest(batch)
            if turn.mode != "treated":
                self._kept[id(state.loader)] = batch
                state.received += 1
        self.step.n_samples = n_samples(batch, getattr(state.loader, "batch_size", None) or 1)
        self.step.fetch = self._main_fetch
        state.delivered += 1
        if state.first_wait_s < 0:
            state.first_wait_s = perf_counter() - self.step.start
            self.step.disturbed = self._starts_something(state)
        if not repeats:
            self.observation.samples_seen += self.step.n_samples
            self._n_taken += 1
        if turn.detail and not self.hooks.uses_compile:
            self._open_glass()
        return batch

    step_start = 0.0

    _is_fetching = False

    def _fetch(self, iterator: Any, state: _Iteration, turn: Turn, original: Any) -> Any:
        self.step_start = perf_counter()
        self._is_fetching = True
        try:
            if turn.mode == "treated":
                given, batch = self._treatment.take(state.loader)
                if given:
                    return batch
                state.received += 1
            return original(iterator)
        finally:
            self._is_fetching = False

    def _digest(self, batch: Any) -> None:
        """Remember what the first batches held, so that two runs can be compared."""
        if len(self.observation.digests) < _MAX_DIGESTS:
            self.observation.digests.append(digest(batch))

    def _prepare_treatment(self, state: _Iteration) -> None:
        sampler = id(getattr(state.loader, "_index_sampler", None))
        self._is_fetching = True
        try:
            self._treatment.prepare(state.loader, self._indices.get(sampler, []))
        finally:
            self._is_fetching = False

    def _abandon_step(self) -> None:
        self.hooks.on = False
        if self.step is not None and self.step.turn.mode == "treated":
            self._treatment.leave()
        self.step = None

    def _repeated(self, state: _Iteration, turn: Turn) -> Any:
        batch = with_new_containers(self._kept[id(state.loader)])
        self.hooks.device_copies = {} if turn.mode == "device" else None
        if turn.mode == "device":
            self.hooks.device_copies = self._device_copies.setdefault(id(state.loader), {})
        if turn.mode == "threads":
            import torch

            self._threads = torch.get_num_threads()
            torch.set_num_threads(max(1, round(self.settings.cores)))
        return batch

    _threads = 0

    @property
    def _device_copies(self) -> dict[int, dict[int, Any]]:
        return self.__dict__.setdefault("_copies", {})

    def _measure_glass(self) -> None:
        from kuaibao.doctor import detail

        if self._call_cost is None:
            self._call_cost = detail.cost_of_a_call()

    def _open_glass(self) -> None:
        from kuaibao.doctor import detail

        if self.step is not None:
            hooks = self.hooks
            self.step.log = detail.CallLog(self.timeline, hooks.parameter_storages())
            self.step.functions = FunctionLog(
                self.timeline, lambda: hooks.n_forward + hooks.n_backward + hooks.n_optimizer_step
            )
            self.step.log.__enter__()
            self.step.functions.open()

    def _end_step(self, *, disturbed: bool = False) -> None:
        step = self.step
        if step is None:
            return
        if step.log is not None:
            step.functions.close()
            step.log.__exit__(None, None, None)
        wall, cpu = self.timeline.end_step()
        seconds = perf_counter() - step.start
        delay = min(run_delay_s() - step.delay, 0.98 * seconds)
        if step.turn.mode == "treated":
            self._treatment.leave()
        self.hooks.on = False
        self.hooks.device_copies = None
        self.step = None
        if self._threads:
            import torch

            torch.set_num_threads(self._threads)
            self._threads = 0
        self._synchronize(step)
        state = self._iterations.get(step.iterator)
        if state is None:
            return
        loader_id = id(state.loader)
        has_backward = self.hooks.n_backward > step.n_backward
        self._training[loader_id] = self._training.get(loader_id, 0) + has_backward
        self._watched_steps[loader_id] = self._watched_steps.get(loader_id, 0) + 1
        state.last_end = perf_counter()
        if step.turn.mode == "real":
            self._sample_memory()
        if len(self.observation.steps) < _MAX_STEPS:
            wall = without_delay(wall, cpu, delay)
            step.delay = delay
            self._record_step(step, wall, cpu, seconds - delay, has_backward, disturbed, loader_id)

    def _synchronize(self, step: _OpenStep) -> None:
        """On a GPU, looked-at steps end when the device has."""
        torch = sys.modules.get("torch")
        if torch is not None and step.turn.detail and torch.cuda.is_available():
            torch.cuda.synchronize()

    def _record_step(
        self, step: _OpenStep, wall: dict[str, float], cpu: dict[str, float], seconds: float,
        has_backward: bool, disturbed: bool, loader_id: int,
    ) -> None:  # fmt: skip
        looked_at = None
        if step.log is not None:
            from kuaibao.doctor import detail

            looked_at = asdict(
                detail.summarize(
                    step.log,
                    wall,
                    self._call_cost or 0.0,
                    self.hooks.loss_spans,
                    step.functions.spans,
                )
            )
        turn = step.turn
        self.observation.steps.append(
            StepRecord(
                mode=turn.mode,
                cycle=turn.cycle,
                wall=seconds,
                regions=wall,
                cpu=cpu,
                n_samples=step.n_samples,
                start=step.start,
                discard=turn.discard or disturbed or step.disturbed,
                detail=looked_at,
                fetch=step.fetch,
                has_backward=has_backward,
                delay=step.delay,
            )
        )
        self.observation.settings.setdefault("step_loader", []).append(loader_id)

    def _exhausted(self, iterator: Any, state: _Iteration, since: float) -> None:
        if self.step is not None:
            self._abandon_step()
        self._record_epoch(state, perf_counter() - since, complete=True)
        self._iterations.pop(id(iterator), None)
        self.save_now_and_then()

    def _record_epoch(self, state: _Iteration, end_s: float, *, complete: bool) -> None:
        if state.first_wait_s < 0:
            return
        self.observation.epochs.append(
            EpochRecord(
                loader=id(state.loader),
                iter_s=state.iter_s,
                first_wait_s=state.first_wait_s,
                n_batches=state.delivered,
                end_s=end_s,
                complete=complete,
            )
        )

    # What comes next

    def _turn(self, iterator: Any, state: _Iteration) -> Turn:
        loader_id = id(state.loader)
        schedule = self._schedules.get(loader_id)
        if schedule is None:
            schedule = self._schedules[loader_id] = self._new_schedule(state)
        may = self.settings.ablate and self._may_ablate(loader_id)
        if self.settings.treatments:
            may = state.received >= 2 and state.total != 0
        n_workers = getattr(state.loader, "num_workers", 0)
        backlog, idle = (0, True)
        if (n_workers and may and schedule._left <= 0) or schedule.block != "real":
            backlog, idle = self._queue(iterator, state)
        if state.delivered == 0 and self._starts_something(state):
            return Turn("real", schedule.cycle, True)
        return schedule.next(backlog=backlog, can_repeat=may and loader_id in self._kept, idle=idle)

    def _starts_something(self, state: _Iteration) -> bool:
        """Whether the first batch of this iteration waits for workers, or for first-time work."""
        is_first = self._watched_steps.get(id(state.loader), 0) == 0
        return is_first or getattr(state.loader, "num_workers", 0) > 0

    def _new_schedule(self, state: _Iteration) -> Schedule:
        import torch

        loader = state.loader
        batch = getattr(loader, "batch_size", None) or 1
        budget = self.settings.samples // batch if self.settings.samples else 0
        modes: tuple[str, ...] = ("repeat",)
        cores = len(_affinity())
        if torch.get_num_threads() > cores and self.settings.cores < torch.get_num_threads() / 1.5:
            modes = ("repeat", "threads")
        if torch.cuda.is_available():
            modes = (*modes, "device")
        treated_lag = 0
        if self.settings.treatments:
            from kuaibao.doctor.treatments import Treatment

            cure = self.settings.treatments[0]
            self._treatment = Treatment(self, cure, self.settings.treatment_options)
            modes, treated_lag = ("treated",), self._treatment.lag()
        reads_ahead = type(loader).__module__.startswith("accelerate")
        return Schedule(
            n_workers=getattr(loader, "num_workers", 0),
            lag=(1 if reads_ahead else 0) + treated_lag,
            modes=modes,
            step_budget=budget,
        )

    def _may_ablate(self, loader_id: int) -> bool:
        if self._training.get(loader_id):
            return True
        return not any(self._training.values()) and self._watched_steps.get(loader_id, 0) >= 8

    def _queue(self, iterator: Any, state: _Iteration) -> tuple[int, bool]:
        made = count_records(self.spool) - state.made_before
        backlog = max(0, made - state.received)
        outstanding = getattr(iterator, "_tasks_outstanding", 0)
        return backlog, backlog >= outstanding

    def _reason_to_stop(self) -> str:
        settings = self.settings
        enough = self.observation.samples_seen >= settings.samples
        if settings.samples and enough and self._n_taken >= _LEAST_STEPS:
            return "samples"
        elapsed = perf_counter() - self.started
        if settings.seconds and elapsed >= settings.seconds:
            return "seconds"
        if not settings.samples and not settings.seconds:
            if elapsed >= settings.default_seconds:
                return "seconds"
            most = max((s.cycle for s in self._schedules.values()), default=0)
            if elapsed > 12 and most >= _SETTLED_CYCLES and len(self.observation.probes) >= 4:
                return "settled"
        return ""

    # Between blocks

    def _between_blocks(self, state: _Iteration) -> None:
        """What is done outside all steps, once a cycle."""
        start, before = perf_counter(), resident_bytes()
        self._sample_workers()
        share = self._probe_s / max(1e-9, perf_counter() - self.started)
        first_few = len(self.observation.probes) < 2
        if self.settings.ablate and not self._treatment and (share < 0.3 or first_few):
            self._probe(state)
            if len(self.observation.probes) in (1, 4):
                facts.probe_optimizers(self)
        self._probe_s += perf_counter() - start
        self._own_bytes += resident_bytes() - before
        self.save_now_and_then()

    def _probe(self, state: _Iteration) -> None:
        loader = state.loader
        recent = self._indices.get(id(getattr(loader, "_index_sampler", None)), [])
        if not recent or self._probe_broken > 1 or not hasattr(loader.dataset, "__getitem__"):
            return
        from kuaibao.doctor.probes import probe_batch

        indices = recent[len(self.observation.probes) * 7 % len(recent)]
        try:
            record = probe_batch(
                loader,
                indices,
                max_items=self._probe_items(len(indices)),
                single_thread=loader.num_workers > 0,
            )
        except Exception as error:
            self._probe_broken += 1
            self.observation.notes.append(
                f"the data set could not be read in the main process: {type(error).__name__}"
            )
            return
        self.observation.probes.append(record)

    def _probe_items(self, n_indices: int) -> int:
        """As many samples as can be read some nine times within two seconds."""
        waits = [s.regions["wait"] for s in self.observation.steps if s.mode == "real"]
        workers = read_records(self.spool) if not self._fetches_in_main() else {}
        rows = [row["end"] - row["start"] for found in workers.values() for row in found[-8:]]
        per_batch = max([*sorted(rows)[len(rows) // 2 :][:1], *sorted(waits)[len(waits) // 2 :][:1]]
                        or [0.01])  # fmt: skip
        limit = 0.8 if self.settings.seconds and self.settings.seconds < 15 else 2.0
        return max(1, min(n_indices, int(n_indices * limit / max(1e-6, 9 * per_batch))))

    def _sample_workers(self) -> None:
        pids = [int(path.stem.split("-")[1]) for path in self.spool.glob("worker-*.records")]
        sizes = [proportional_bytes(pid) for pid in pids]
        self._worker_memory = (float(sum(sizes)), float(sum(1 for size in sizes if size)))

    def _sample_memory(self) -> None:
        """The loop's memory after a real step, with what is known of the workers'."""
        rows = self.observation.memory
        n = len(self.observation.steps)
        if rows and n - rows[-1]["steps"] < self._memory_every:
            return
        rows.append(
            {
                "seconds": perf_counter() - self.started,
                "steps": float(n),
                "main_bytes": float(resident_bytes() - self._own_bytes),
                "worker_bytes": self._worker_memory[0],
                "n_workers": self._worker_memory[1],
            }
        )
        if len(rows) >= 400:
            del rows[1::2]
            self._memory_every *= 2

    _worker_memory = (0.0, 0.0)
    _memory_every = 1
    _own_bytes = 0
    """What probing between the steps has added: no growth of the script's."""

    def _on_main_fetch(self, record: tuple[float, ...]) -> None:
        if self._treatment is None or not self._treatment.is_filling:
            self._main_fetch = dict(zip(FIELDS, record, strict=True))

    # The end

    def stop(self, reason: str) -> None:
        """Write down what was seen and end the script.

        Raises:
            StopExamination: always; a script that catches it is stopped harder at its next step.
        """
        self.observation.ended = reason
        self.finish()
        raise StopExamination(0)

    def finish(self) -> None:
        """The last observation; safe to call twice."""
        if self.finished:
            return
        self._end_step(disturbed=True)
        self.finished = True
        self.hooks.on = False
        self.sampler.stop()
        for state in self._iterations.values():
            self._record_epoch(state, 0.0, complete=False)
        if self._treatment is not None:
            self._treatment.close()
        self.observation.ended = self.observation.ended or "script"
        self.save()

    def save_now_and_then(self) -> None:
        """Save, but at most every three seconds."""
        if time.monotonic() - self._last_save > 3:
            self.save()

    def save(self) -> None:
        """Complete the observation and hand it over (a killed script leaves the last one)."""
        if self.started:
            self.complete()
        if self.on_stop is not None:
            self.on_stop(self.observation)
        self._last_save = time.monotonic()

    def complete(self) -> None:
        """Fill in what is only known late: workers' records, facts of the loader, hot lines."""
        import os

        seen = self.observation
        seen.seconds = perf_counter() - self.started
        seen.cores = self.settings.cores
        records = read_records(self.spool)
        seen.workers = [row for rows in records.values() for row in rows[-400:]]
        seen.hot_lines = self.sampler.lines()
        seen.segments = self.timeline.segments[:2000]
        pid = os.getpid()
        seen.cpu_seconds = {"main": cpu_seconds(pid) - self._first_cpu.get(pid, 0.0)}
        for worker, rows in records.items():
            seen.cpu_seconds[f"worker {int(rows[0]['worker'])} ({worker})"] = rows[-1][
                "process_cpu"
            ]
        seen.disk_bytes = disk_bytes(pid) + sum(disk_bytes(worker) for worker in records)
        seen.environment = environment()
        loader = self.examined_loader()
        if loader is not None:
            seen.loader = facts.loader_facts(loader, self._kept.get(id(loader)))
            seen.settings["loader"] = id(loader)
        seen.settings.update(facts.torch_settings(self))
        seen.settings["own_setup_s"] = self.sampler.seconds.get("setup", 0.0)
        if self._treatment is not None:
            from kuaibao.doctor.treatments import outcome

            result = outcome(seen.steps, self._treatment.cure, self._treatment.checks)
            seen.treatments = [result] if result else []

    def examined_loader(self) -> Any:
        """The loader with most steps that train; without any, the one with most steps."""
        if not self._loader_ids:
            return None
        return max(
            self._loader_ids.values(),
            key=lambda loader: (
                self._training.get(id(loader), 0),
                self._watched_steps.get(id(loader), 0),
            ),
        )

    def _fetches_in_main(self) -> bool:
        loader = self.examined_loader()
        return loader is None or getattr(loader, "num_workers", 0) == 0


def _affinity() -> set[int]:
    import os

    return set(os.sched_getaffinity(0))


def _overridden(settings: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """A loader's keyword arguments with some replaced; without workers, what needs them goes."""
    if not overrides:
        return settings
    found = {**settings, **overrides}
    if not found.get("num_workers", 0):
        for name in ("prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout"):
            found.pop(name, None)
    return found
