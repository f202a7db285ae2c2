"""A loss line by line; and a replacement, checked for equal values, equal gradients and speed.

Each line's own time is measured with a trace function over the loss's file; the calls into torch
that a line makes are counted, and those that bring a value to Python.
"""

from __future__ import annotations

import importlib.util
import inspect
import linecache
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from kuaibao.doctor.detail import SYNCHRONIZING
from kuaibao.doctor.statistics import Interval, log_ratio_interval
from kuaibao.errors import InputError

__all__ = ["LossCheck", "LossLine", "check_replacement", "load_function", "make_inputs",
           "profile_lines"]  # fmt: skip


@dataclass
class LossLine:
    """One source line of a loss."""

    line: int
    text: str
    n_runs: int = 0
    seconds: float = 0.0
    share: float = 0.0
    n_calls: int = 0
    """Calls into torch."""
    n_synchronizations: int = 0
    """Calls that bring a value to Python: `.item()`, a comparison in an `if`, an index."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def profile_lines(loss: Callable[..., Any], inputs: list[Tensor]) -> list[LossLine]:
    """Run the loss twice and rank the lines of its file by the time spent on them."""
    target = loss.forward if isinstance(loss, torch.nn.Module) else inspect.unwrap(loss)
    path = inspect.getsourcefile(target) or ""
    loss(*inputs)
    watch = _LineWatch(path)
    with watch.counting():
        sys.settrace(watch.trace)
        try:
            loss(*inputs)
        finally:
            sys.settrace(None)
    watch.finish()
    total = sum(row.seconds for row in watch.rows.values()) or 1.0
    for row in watch.rows.values():
        row.text = linecache.getline(path, row.line).strip()
        row.share = row.seconds / total
    return sorted(watch.rows.values(), key=lambda row: -row.seconds)


class _LineWatch:
    """Charges time and torch calls to the line that runs, in one file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: dict[int, LossLine] = {}
        self._line = 0
        self._since = 0.0
        self._stack: list[int] = []

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """For `sys.settrace`: follows functions of the file only."""
        if frame.f_code.co_filename != self.path:
            return None
        if event == "call":
            self._stack.append(self._line)
            return self.trace
        self.finish()
        if event == "line":
            self._line = frame.f_lineno
            row = self.rows.setdefault(self._line, LossLine(self._line, ""))
            row.n_runs += 1
        elif event == "return":
            self._line = self._stack.pop() if self._stack else 0
        self._since = perf_counter()
        return self.trace

    def finish(self) -> None:
        """Charge the time since the last event."""
        if self._line and self._since:
            row = self.rows.setdefault(self._line, LossLine(self._line, ""))
            row.seconds += perf_counter() - self._since
        self._since = perf_counter()

    def counting(self) -> TorchFunctionMode:
        """A mode that counts calls into torch on the line that runs."""
        watch = self

        class _Counter(TorchFunctionMode):
            def __torch_function__(
                self, func: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                row = watch.rows.get(watch._line)
                name = getattr(func, "__name__", "")
                if row is not None and name != "__get__":
                    row.n_calls += 1
                    row.n_synchronizations += name in SYNCHRONIZING
                return func(*args, **(kwargs or {}))

        return _Counter()


@dataclass(frozen=True)
class LossCheck:
    """How a replacement compares with the original."""

    is_equal_value: bool
    is_equal_gradient: bool
    max_value_difference: float
    max_gradient_difference: float
    speedup: Interval
    """Forward and backward together."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "speedup": self.speedup.to_json()}


def check_replacement(
    original: Callable[..., Tensor],
    replacement: Callable[..., Tensor],
    make: Callable[[int], list[Tensor]],
    *,
    n_draws: int = 3,
    rounds: int = 5,
    tolerance: float = 1e-4,
) -> LossCheck:
    """Compare values and gradients on several draws of inputs, and the speed in turn.

    Args:
        original: The loss as it is.
        replacement: What shall take its place.
        make: Gives fresh inputs for a seed; floating ones take a gradient.
        n_draws: Seeds to compare.
        rounds: Timed turns of each.
        tolerance: Relative to the larger value; 1e-4 leaves room for another order of summation.
    """
    value_gap = gradient_gap = 0.0
    for seed in range(n_draws):
        one, other = _run(original, make(seed)), _run(replacement, make(seed))
        value_gap = max(value_gap, _gap(one[0], other[0]))
        for a, b in zip(one[1], other[1], strict=True):
            gradient_gap = max(gradient_gap, _gap(a, b))
    before: list[float] = []
    after: list[float] = []
    for turn in range(rounds):
        inputs = make(turn)
        for loss, seconds in ((original, before), (replacement, after)):
            start = perf_counter()
            _run(loss, inputs)
            seconds.append(perf_counter() - start)
    return LossCheck(
        value_gap <= tolerance,
        gradient_gap <= tolerance,
        value_gap,
        gradient_gap,
        log_ratio_interval(before, after),
    )


def _run(loss: Callable[..., Tensor], inputs: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    fresh = [t.detach().clone().requires_grad_(t.is_floating_point()) for t in inputs]
    value = loss(*fresh)
    value.sum().backward()
    zero = torch.zeros(())
    return value.detach(), [t.grad if t.grad is not None else zero for t in fresh
                            if t.is_floating_point()]  # fmt: skip


def _gap(one: Tensor, other: Tensor) -> float:
    """Largest difference, relative to the largest value."""
    if one.shape != other.shape:
        return float("inf")
    scale = max(1e-12, float(one.abs().max()), float(other.abs().max()))
    return float((one - other).abs().max()) / scale


_SHAPE = re.compile(r"^(\d+(?:x\d+)*)(?::(\w+))?(?:<(\d+))?$")


def make_inputs(shapes: list[str]) -> Callable[[int], list[Tensor]]:
    """Inputs from texts such as `16x8x64x64` (float32) or `16x64x64:int64<8` (whole, below 8).

    Raises:
        InputError: A text has another form.
    """
    specs: list[tuple[tuple[int, ...], torch.dtype, int]] = []
    for text in shapes:
        found = _SHAPE.match(text)
        dtype = getattr(torch, (found.group(2) or "float32") if found else "", None)
        if found is None or not isinstance(dtype, torch.dtype):
            raise InputError(
                f"the shape {text!r} can't be read",
                hint="Write lengths joined by x, e.g. 16x8x64x64 or 16x64x64:int64<8.",
            )
        sizes = tuple(int(part) for part in found.group(1).split("x"))
        specs.append((sizes, dtype, int(found.group(3) or 2)))

    def make(seed: int) -> list[Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return [
            torch.randn(sizes, generator=generator, dtype=dtype)
            if dtype.is_floating_point
            else torch.randint(0, limit, sizes, generator=generator).to(dtype)
            for sizes, dtype, limit in specs
        ]

    return make


def load_function(target: str) -> Callable[..., Any]:
    """The function `FILE.py:NAME`; a class of a module is called without arguments.

    Raises:
        InputError: The file or the name is not there.
    """
    path, _, name = target.rpartition(":")
    if not Path(path).is_file():
        raise InputError(f"{target!r} names no file", hint="Write FILE.py:NAME.")
    spec = importlib.util.spec_from_file_location(f"_kuaibao_loss_{abs(hash(path))}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if inspect.isclass(found):
        found = found()
    if not callable(found):
        raise InputError(f"{path} has no function {name!r}")
    return found
