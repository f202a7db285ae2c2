"""Lay out many candidates: stage after stage, all candidates of a stage in one batch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kuaibao.diagrams.graph import Node
from kuaibao.diagrams.layout import slots
from kuaibao.diagrams.layout.machine import load_kernel
from kuaibao.diagrams.layout.settings import LayoutResult, Settings, draw_inputs
from kuaibao.diagrams.layout.tape import Evaluator, Tape, Vector, make_tape
from kuaibao.diagrams.problem import Problem, Term

__all__ = ["Optimizer"]

_CACHE_BYTES = 1 << 21
"""The value and derivative tables of a batch should stay near the processor."""
_CHUNK_ROWS = 20_000_000
"""About a tenth of a second of work between two looks at the clock."""


def _acts_in(term: Term, stage: str) -> bool:
    return term.stages is None or stage in term.stages


class _Stage:
    """One stage's tape and terms, ready to run any number of candidates."""

    def __init__(self, problem: Problem, name: str, pinned: frozenset[int]) -> None:
        graph = problem.graph
        objectives = [t for t in problem.objectives if _acts_in(t, name)]
        constraints = [t for t in problem.constraints if _acts_in(t, name)]
        nodes = [t.value for t in (*objectives, *constraints)]
        moving = frozenset(
            number
            for number, meta in enumerate(graph.inputs)
            if number not in pinned and (meta.stages is None or name in meta.stages)
        )
        outputs = [v.index for v in nodes if isinstance(v, Node)]
        self.tape: Tape = make_tape(graph, outputs, moving)
        first, rows = self.tape.first_moving, self.tape.row_of
        # terms that nothing moves can't be helped and would only blur the stopping rule
        terms = [
            (rows[term.value.index], is_objective)
            for is_objective, group in ((1, objectives), (0, constraints))
            for term in group
            if isinstance(term.value, Node) and rows[term.value.index] >= first
        ]
        self.n_terms = len(terms)
        self.terms = np.array([t[0] for t in terms] or [0], dtype=np.int32)
        self.is_objective = np.array([t[1] for t in terms] or [0], dtype=np.int32)

    def run(
        self, inputs: Vector, settings: Settings, deadline: float
    ) -> tuple[Vector, np.ndarray[Any, np.dtype[np.int64]]]:
        """Move the inputs (candidate, input) of this stage.

        Returns:
            The inputs afterwards, and by candidate: state (0 = out of time), steps, rounds,
            evaluations.
        """
        n, tape = len(inputs), self.tape
        report = np.zeros((n, 4), dtype=np.int64)
        if not tape.moving or not self.n_terms or not n:
            report[:, 0] = 1
            return inputs, report
        width = min(n, settings.width or _width(tape.n_rows))
        n_moving = len(tape.moving)
        ip = np.zeros(slots.COUNT_IP, dtype=np.int64)
        ip[slots.N_MOVING], ip[slots.N_FIXED] = n_moving, len(tape.fixed)
        ip[slots.N_PROLOGUE], ip[slots.N_BODY] = tape.n_prologue, tape.n_body
        ip[slots.N_TERMS], ip[slots.N_ROWS] = self.n_terms, tape.n_rows
        ip[slots.FIRST_MOVING] = tape.first_moving
        ip[slots.WIDTH], ip[slots.N_CANDIDATES] = width, n
        ip[slots.MAX_EVALS] = max(1, _CHUNK_ROWS // (tape.n_rows * width))
        ip[slots.MAX_STEPS], ip[slots.COMPATIBLE] = settings.max_steps, settings.compatible
        ip[slots.MAX_KICKS] = 0 if settings.compatible else settings.kicks
        fp = np.zeros(slots.COUNT_FP)
        fp[slots.W_START] = 1e3 if settings.compatible else settings.weight
        fp[slots.W_CAP] = np.inf if settings.compatible else settings.weight_cap
        v = np.zeros((tape.n_rows, width))
        v[: len(tape.constants)] = tape.constants[:, None]
        d = np.zeros_like(v)
        lanes = np.zeros(slots.lane_stride(n_moving) * width)
        counters = np.zeros(slots.I_STRIDE * width, dtype=np.int64)
        starts = np.ascontiguousarray(inputs[:, tape.moving])
        fixed = np.ascontiguousarray(inputs[:, tape.fixed]) if tape.fixed else np.zeros((n, 1))
        out = starts.copy()
        advance = load_kernel()
        while True:
            waiting = advance(
                ip, fp, tape.ops, tape.left, tape.right, tape.third, self.terms,
                self.is_objective, v, d, lanes, counters, starts, fixed, out, report,
            )  # fmt: skip
            if settings.progress is not None:
                settings.progress(n - waiting, n)
            if not waiting:
                break
            if time.monotonic() > deadline:
                _salvage(ip, lanes, counters, n_moving, out, report)
                break
        result = inputs.copy()
        result[:, tape.moving] = out
        return result, report


def _width(n_rows: int) -> int:
    return int(min(16, max(4, _CACHE_BYTES // (16 * n_rows))))


def _salvage(
    ip: Any, lanes: Vector, counters: Any, n_moving: int, out: Vector, report: Any
) -> None:
    """Out of time: the candidates under way stay at their last accepted point, or their best."""
    stride = slots.lane_stride(n_moving)
    for lane in range(int(ip[slots.N_LANES])):
        state = counters[lane * slots.I_STRIDE : (lane + 1) * slots.I_STRIDE]
        candidate = int(state[slots.CANDIDATE])
        kept = slots.X_BEST * n_moving if state[slots.KICKS] else 0
        out[candidate] = lanes[lane * stride + kept : lane * stride + kept + n_moving]
        report[candidate] = (0, state[slots.STEPS], state[slots.ROUND_NO], state[slots.TOTAL])


class Optimizer:
    """A problem with its tapes built: lay out again and again without compiling again."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._stages: dict[tuple[str, frozenset[int]], _Stage] = {}
        last = problem.stages[-1]
        self._terms = (*problem.objectives, *problem.constraints)
        self._in_last = np.array([_acts_in(t, last) for t in self._terms], dtype=bool)
        self._values: Evaluator | None = None

    def _stage(self, name: str, pinned: frozenset[int]) -> _Stage:
        key = (name, pinned)
        if key not in self._stages:
            if len(self._stages) > 64:
                self._stages.clear()
            self._stages[key] = _Stage(self.problem, name, pinned)
        return self._stages[key]

    def layouts(
        self,
        n: int = 1,
        *,
        seed: int | str = 0,
        settings: Settings | None = None,
        pins: Mapping[int, float] | None = None,
        starts: Vector | None = None,
    ) -> list[LayoutResult]:
        """Lay out `n` candidates, in the order of their starts.

        Args:
            n: Candidates; the k-th of a seed is the same for every `n`.
            seed: Chooses the start values of all sampled inputs.
            settings: Limits and rules.
            pins: Inputs (by number) that must keep a value.
            starts: Inputs (candidate, input) to start from instead of the seed's draws; a
                warm start after a drag, which stays near: no light first round, no kicks.
        """
        settings = settings or Settings()
        if starts is None:
            values = draw_inputs(self.problem.graph, n, seed, pins)
        else:
            settings = dataclasses.replace(settings, weight=max(settings.weight, 1e3), kicks=0)
            values = np.array(starts, dtype=np.float64, ndmin=2)
            for number, value in (pins or {}).items():
                values[:, number] = value
        deadline = time.monotonic() + settings.time_limit_s
        pinned = frozenset(pins or ())
        worst = np.ones(len(values), dtype=np.int64)
        totals = np.zeros((len(values), 4), dtype=np.int64)
        for name in self.problem.stages:
            values, report = self._stage(name, pinned).run(values, settings, deadline)
            totals += report
            worst = np.where(report[:, 0] != 1, report[:, 0], worst)
        return self._results(values, worst, totals)

    def judge(self, inputs: Vector) -> LayoutResult:
        """A layout whose numbers are all given: nothing moves."""
        values = np.array(inputs, dtype=np.float64, ndmin=2)
        return self._results(values, np.ones(1, dtype=np.int64), np.zeros((1, 4), dtype=np.int64))[
            0
        ]

    def _results(self, values: Vector, states: Any, totals: Any) -> list[LayoutResult]:
        if self._values is None:
            self._values = Evaluator(self.problem.graph, [t.value for t in self._terms])
        terms = self._values.run(values)
        terms[:, ~self._in_last] = np.nan
        n_objective = len(self.problem.objectives)
        results: list[LayoutResult] = []
        names = {0: "time", slots.NAN: "nan", slots.STEPS_CAP: "steps"}
        for k in range(len(terms)):
            row: Vector = terms[k]
            objectives, constraints = row[:n_objective], row[n_objective:]
            active = constraints[self._in_last[n_objective:]]
            status = names.get(int(states[k]), "converged")
            if not np.isfinite(row[self._in_last]).all():
                status = "nan"
            results.append(
                LayoutResult(
                    inputs=values[k],
                    energy=float(objectives[self._in_last[:n_objective]].sum()),
                    violation=float(max(active.max(initial=0.0), 0.0)),
                    steps=int(totals[k, 1]),
                    evaluations=int(totals[k, 3]),
                    status=status,
                    objective_values=objectives,
                    constraint_values=constraints,
                    candidate=k,
                    blame=_blame(self._terms, row, self._in_last, n_objective),
                )
            )
        return results


def _blame(terms: Sequence[Term], values: Vector, active: Any, n_objective: int) -> tuple[str, ...]:
    """Sentences about terms that are not finite, then constraints that do not hold."""
    found: list[tuple[float, str]] = []
    for k in np.flatnonzero(active):
        term, value = terms[k], float(values[k])
        what = "objective" if k < n_objective else "constraint"
        shapes = f" ({', '.join(term.shapes)})" if term.shapes else ""
        if not np.isfinite(value):
            found.append((np.inf, f"{what} {term.origin}{shapes} is not a finite number"))
        elif what == "constraint" and value > 0.1:
            found.append((value, f"constraint {term.origin}{shapes} is violated by {value:.4g}"))
    found.sort(key=lambda pair: -pair[0])
    return tuple(text for _, text in found[:20])
