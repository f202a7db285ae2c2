"""A few steps under a magnifying glass: every torch call with its time, region and kind.

It costs some microseconds a call, so only a step now and then is looked at in this way, and the
cost is measured and taken off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from kuaibao.doctor.timeline import Timeline

__all__ = ["SYNCHRONIZING", "CallLog", "StepDetail", "summarize"]

SYNCHRONIZING = frozenset(
    {
        "item",
        "tolist",
        "__bool__",
        "__float__",
        "__int__",
        "__index__",
        "__complex__",
        "__repr__",
        "__format__",
        "cpu",
        "numpy",
        "nonzero",
        "equal",
        "is_nonzero",
        "__array__",
    }
)
_MAX_CALLS = 100_000
_GAP_S = 1e-3


@dataclass(frozen=True)
class StepDetail:
    """What one step's calls into torch say."""

    n_calls: int
    n_forward_calls: int
    """Calls made at the outermost level while a module was running."""
    n_synchronizations: int
    synchronization_s: dict[str, float] = field(default_factory=dict)
    """Seconds in runs of synchronising calls (with the Python between them), by region."""
    loss_in_between_s: float = 0.0
    """Seconds between forward and backward spent on building the loss."""
    n_loss_calls: int = 0
    n_graph_nodes: int = 0
    region_s: dict[str, float] = field(default_factory=dict)
    """Seconds of each region on this step, the glass's own cost taken off."""


class CallLog(TorchFunctionMode):
    """Logs the outermost torch calls of the code that runs under it."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self.timeline = timeline
        self.calls: list[tuple[float, float, str, str, bool]] = []
        """(start, end, region, name, whether the result is part of a gradient graph)."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the call and write it down."""
        if len(self.calls) >= _MAX_CALLS:
            return func(*args, **(kwargs or {}))
        start = perf_counter()
        output = func(*args, **(kwargs or {}))
        end = perf_counter()
        name = getattr(func, "__name__", "")
        if name != "__get__":
            has_graph = isinstance(output, Tensor) and output.requires_grad
            self.calls.append((start, end, self.timeline.top, name, has_graph))
        return output


def cost_of_a_call() -> float:
    """Seconds that the log adds to one torch call."""
    import torch

    one = torch.zeros(1)

    def seconds() -> float:
        start = perf_counter()
        for _ in range(200):
            one.add(1)
        return (perf_counter() - start) / 200

    seconds()
    bare = min(seconds() for _ in range(3))
    log = CallLog(Timeline())
    with log:
        logged = min(seconds() for _ in range(3))
    return max(0.0, logged - bare)


def summarize(
    log: CallLog,
    wall: dict[str, float],
    call_cost_s: float,
    loss_spans: list[tuple[float, float]],
) -> StepDetail:
    """Turn a step's calls into accounts; `loss_spans` are its loss modules' times."""
    calls = [
        (c[0], c[1], "loss", c[3], c[4]) if c[2] == "forward" and _lies_in(c[0], loss_spans) else c
        for c in log.calls
    ]
    n_by_region: dict[str, int] = {}
    for call in calls:
        n_by_region[call[2]] = n_by_region.get(call[2], 0) + 1
    synchronizing = [c for c in calls if c[3] in SYNCHRONIZING and c[2] != "backward"]
    between = [c for c in calls if c[2] == "between"]
    loss_s, loss_span = _loss_seconds(between)
    outside_loss = [
        c for c in synchronizing if not (c[2] == "between" and _lies_in(c[0], loss_span))
    ]
    runs = _runs(outside_loss, call_cost_s)
    loss_calls = [c for c in between if _lies_in(c[0], loss_span)]
    return StepDetail(
        n_calls=len(calls),
        n_forward_calls=n_by_region.get("forward", 0),
        n_synchronizations=len(synchronizing),
        synchronization_s=runs,
        loss_in_between_s=max(0.0, loss_s - call_cost_s * len(loss_calls)),
        n_loss_calls=len(loss_calls) + n_by_region.get("loss", 0),
        region_s={
            region: max(0.0, seconds - call_cost_s * n_by_region.get(region, 0))
            for region, seconds in wall.items()
        },
    )


def _lies_in(moment: float, spans: list[tuple[float, float]]) -> bool:
    return any(start <= moment <= end for start, end in spans)


def _loss_seconds(between: list[Any]) -> tuple[float, list[tuple[float, float]]]:
    """Stretches in which calls that build the graph follow each other closely."""
    building = [c for c in between if c[4] and c[3] not in SYNCHRONIZING]
    if not building:
        return 0.0, []
    total = building[-1][1] - building[0][0]
    gap = max(2e-3, 0.05 * total)
    spans: list[tuple[float, float]] = []
    for start, end, *_ in building:
        if spans and start - spans[-1][1] <= gap:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return sum(end - start for start, end in spans), spans


def _runs(calls: list[Any], call_cost_s: float) -> dict[str, float]:
    """Seconds in runs of synchronising calls; a gap of a millisecond or a new region ends one."""
    seconds: dict[str, float] = {}
    previous: Any = None
    for call in calls:
        region = call[2]
        spent = call[1] - call[0]
        if previous and previous[2] == region and call[0] - previous[1] < _GAP_S:
            spent += call[0] - previous[1]
        seconds[region] = seconds.get(region, 0.0) + max(0.0, spent - call_cost_s)
        previous = call
    return seconds
