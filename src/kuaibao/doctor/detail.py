"""A few steps under a magnifying glass: every torch call with its time, region and kind.

It costs some microseconds a call, so only a step now and then is looked at in this way, and the
cost is measured and taken off.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from kuaibao.doctor.functions import FunctionSpan, meaning_of
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
_FEW_COPIES = 8
"""A batch of a few fields is copied by as many calls: that is no loop over samples."""


_UPDATES = frozenset(
    {"add_", "sub_", "mul_", "div_", "addcdiv_", "addcmul_", "copy_", "lerp_", "set_"}
    | {"__iadd__", "__isub__", "__imul__", "__itruediv__", "__setitem__", "__set__"}
)


@dataclass(frozen=True)
class StepDetail:
    """What one step's calls into torch say."""

    n_calls: int
    n_forward_calls: int
    """Calls made at the outermost level while a module was running."""
    n_loss_calls: int
    n_synchronizations: int
    moved: dict[str, dict[str, float]] = field(default_factory=dict)
    """Region to class to the fraction of the region's time that belongs to the class."""
    region_s: dict[str, float] = field(default_factory=dict)
    """Seconds of each region on this step, the glass's own cost taken off."""


@dataclass(frozen=True)
class Call:
    """One outermost call into torch."""

    start: float
    end: float
    region: str
    name: str
    has_graph: bool
    """Whether the result is part of a gradient graph."""
    updates: bool
    """Whether it writes into a parameter."""


class CallLog(TorchFunctionMode):
    """Logs the outermost torch calls of the code that runs under it."""

    def __init__(self, timeline: Timeline, parameters: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.timeline = timeline
        self.parameters = parameters
        """Addresses of the parameters' storages."""
        self.calls: list[Call] = []

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
            updates = name in _UPDATES and self._writes(args)
            self.calls.append(Call(start, end, self.timeline.top, name, has_graph, updates))
        return output

    def _writes(self, args: Any) -> bool:
        if not self.parameters or not args or not isinstance(args[0], Tensor):
            return False
        try:
            return args[0].untyped_storage().data_ptr() in self.parameters
        except (RuntimeError, NotImplementedError):
            return False


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
    loss_modules: list[tuple[float, float]],
    functions: list[FunctionSpan],
) -> StepDetail:
    """Turn a step's calls into accounts.

    Args:
        log: The calls into torch.
        wall: Seconds of each region.
        call_cost_s: What the log itself costs a call.
        loss_modules: When loss modules ran; their calls count as forward until they return.
        functions: The user's own functions in which no model ran.
    """
    calls = log.calls
    n_by_region = Counter(
        "loss" if c.region == "forward" and _lies_in(c.start, loss_modules) else c.region
        for c in calls
    )
    region_s = {
        region: max(0.0, seconds - call_cost_s * n_by_region.get(region, 0))
        for region, seconds in wall.items()
    }
    known = [(f, _class_of(f, calls)) for f in functions]
    named = [(f, kind) for f, kind in known if kind]
    inside = [(f.start, f.end) for f, _ in named]
    loose = [c for c in calls if not _lies_in(c.start, inside)]
    loss_s, loss_spans = _loss_seconds([c for c in loose if c.region == "between"])
    loose = [c for c in loose if c.region != "between" or not _lies_in(c.start, loss_spans)]
    moved: dict[str, dict[str, float]] = {}
    for region in ("python", "between", "forward", "loss"):
        seconds = {"loss": loss_s} if region == "between" else {}
        for span, kind in named:
            own = {"python": span.python_s, "between": span.between_s}.get(region, 0.0)
            seconds[kind] = seconds.get(kind, 0.0) + own
        if region == "python":
            seconds["optimizer"] = seconds.get("optimizer", 0.0) + _update_seconds(loose)
            copying = _between_copies(loose)
            seconds["host_to_device"] = seconds.get("host_to_device", 0.0) + copying
        runs = _runs([c for c in loose if c.region == region and c.name in SYNCHRONIZING])
        seconds["synchronization"] = seconds.get("synchronization", 0.0) + runs
        moved[region] = _fractions(seconds, wall[region])
    loss_calls = sum(
        1
        for c in calls
        if c.region == "between"
        and (
            _lies_in(c.start, loss_spans)
            or _lies_in(c.start, [(f.start, f.end) for f, kind in named if kind == "loss"])
        )
    )
    return StepDetail(
        n_calls=len(calls),
        n_forward_calls=n_by_region.get("forward", 0),
        n_loss_calls=loss_calls + n_by_region.get("loss", 0),
        n_synchronizations=sum(
            1 for c in calls if c.name in SYNCHRONIZING and c.region != "backward"
        ),
        moved=moved,
        region_s=region_s,
    )


def _class_of(span: FunctionSpan, calls: list[Call]) -> str:
    """What a function of the user's stands for; "" leaves its time with the loop's Python."""
    mine = [c for c in calls if span.start <= c.start <= span.end]
    if any(c.updates for c in mine):
        return "optimizer"
    if span.between_s > span.python_s and (span.gives_gradient or any(c.has_graph for c in mine)):
        return "loss"
    kind = meaning_of(span.name)
    if kind == "loss" and span.between_s <= span.python_s and not span.gives_gradient:
        return ""
    return kind


def _fractions(seconds: dict[str, float], total: float) -> dict[str, float]:
    if total <= 0:
        return {}
    scale = min(1.0, total / max(1e-12, sum(seconds.values())))
    return {kind: value * scale / total for kind, value in seconds.items() if value > 0}


def _lies_in(moment: float, spans: list[tuple[float, float]]) -> bool:
    return any(start <= moment <= end for start, end in spans)


def _loss_seconds(between: list[Call]) -> tuple[float, list[tuple[float, float]]]:
    """Stretches in which calls that build the graph follow each other closely."""
    building = [c for c in between if c.has_graph and c.name not in SYNCHRONIZING]
    if not building:
        return 0.0, []
    gap = max(2e-3, 0.05 * (building[-1].end - building[0].start))
    spans: list[tuple[float, float]] = []
    for call in building:
        if spans and call.start - spans[-1][1] <= gap:
            spans[-1] = (spans[-1][0], call.end)
        else:
            spans.append((call.start, call.end))
    return sum(end - start for start, end in spans), spans


def _update_seconds(calls: list[Call]) -> float:
    """Seconds from the first to the last write into parameters that the loop does by hand."""
    writes = [c for c in calls if c.updates and c.region == "python"]
    return writes[-1].end - writes[0].start if writes else 0.0


def _between_copies(calls: list[Call]) -> float:
    """Seconds of the loop's Python between copies that follow each other closely.

    Where samples or fields are copied one by one, the loop around the copies is theirs too.
    """
    seconds, n_copy, n_other = 0.0, 0, 0
    previous: Call | None = None
    for call in calls:
        if call.region != "host_to_device":
            n_other += 1
            if call.region != "python":
                previous = None
            continue
        if previous is not None and n_other <= 3 and call.start - previous.end < _GAP_S:
            seconds += call.start - previous.end
        n_copy, n_other, previous = n_copy + 1, 0, call
    return seconds if n_copy > _FEW_COPIES else 0.0


def _runs(calls: list[Call]) -> float:
    """Seconds in runs of synchronising calls, with the Python between them."""
    seconds, previous = 0.0, None
    for call in calls:
        seconds += call.end - call.start
        if previous is not None and call.start - previous.end < _GAP_S:
            seconds += call.start - previous.end
        previous = call
    return seconds
