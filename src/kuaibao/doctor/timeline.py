"""Where the loop's thread spends its time: regions that nest, each charged only for itself."""

from __future__ import annotations

from time import perf_counter, thread_time

__all__ = ["REGIONS", "Timeline", "without_delay"]

REGIONS = (
    "wait",
    "host_to_device",
    "forward",
    "loss",
    "between",
    "backward",
    "optimizer",
    "synchronization",
    "python",
)
"""`between` lies after the last forward call and before `backward`: a loss or plain Python."""

_N = len(REGIONS)
_INDEX = {name: i for i, name in enumerate(REGIONS)}
_MAX_SEGMENTS = 3000


class Timeline:
    """Charges wall and thread CPU seconds to the innermost open region."""

    def __init__(self) -> None:
        self.wall = [0.0] * _N
        self.cpu = [0.0] * _N
        self.stack: list[int] = [_INDEX["python"]]
        self._floors: list[int] = [0]
        """Places in the stack that stand for the loop's own code: its bottom, and closures."""
        self.at = perf_counter()
        self.at_cpu = thread_time()
        self.n_charges = 0
        self.segments: list[tuple[str, float, float]] = []
        """(region, start, end) of the first steps, for the picture in the report."""

    @property
    def top(self) -> str:
        """Name of the innermost open region."""
        return REGIONS[self.stack[-1]]

    def wall_of(self, region: str) -> float:
        """Seconds that the region was charged in this step."""
        return self.wall[_INDEX[region]]

    def charge(self) -> None:
        """Bring the accounts up to now."""
        now, cpu = perf_counter(), thread_time()
        top = self.stack[-1]
        self.wall[top] += now - self.at
        self.cpu[top] += cpu - self.at_cpu
        if len(self.segments) < _MAX_SEGMENTS and now - self.at > 2e-5:
            self.segments.append((REGIONS[top], self.at, now))
        self.at, self.at_cpu = now, cpu
        self.n_charges += 1

    def enter(self, region: str) -> None:
        """Open a region."""
        self.charge()
        self.stack.append(_INDEX[region])

    def leave(self, rename: str = "") -> None:
        """Close the innermost region; `rename` moves its last stretch to another region.

        Only the stretch since the last change is moved, which is the whole of a region in which
        nothing else was opened.
        """
        if len(self.stack) < 2:
            return
        if rename:
            self.stack[-1] = _INDEX[rename]
        self.charge()
        self.stack.pop()

    def base(self, region: str) -> None:
        """Say what the step's own time (no region open) is from now on."""
        self.charge()
        self.stack[self._floors[-1]] = _INDEX[region]

    def enter_own_code(self) -> None:
        """The loop's own code runs inside of a region: a closure that an optimiser calls."""
        self.enter("python")
        self._floors.append(len(self.stack) - 1)

    def leave_own_code(self) -> None:
        """The closure has returned."""
        if len(self._floors) > 1:
            self.charge()
            del self.stack[self._floors.pop() :]

    def begin_step(self) -> None:
        """Start a new step with empty accounts; regions left open by an exception are closed."""
        self.wall = [0.0] * _N
        self.cpu = [0.0] * _N
        self.n_charges = 0
        del self.stack[1:], self._floors[1:]
        self.stack[0] = _INDEX["python"]
        self.at, self.at_cpu = perf_counter(), thread_time()

    def end_step(self) -> tuple[dict[str, float], dict[str, float]]:
        """Wall and CPU seconds of each region since `begin_step`."""
        self.charge()
        return (
            dict(zip(REGIONS, self.wall, strict=True)),
            dict(zip(REGIONS, self.cpu, strict=True)),
        )


def without_delay(wall: dict[str, float], cpu: dict[str, float], delay: float) -> dict[str, float]:
    """Wall seconds less those in which the thread had no core, by region.

    The delay is known for the whole step only; it lies where wall time exceeds CPU time.
    """
    idle = {name: max(0.0, wall[name] - cpu[name]) for name in wall}
    total = sum(idle.values())
    if delay <= 0 or total <= 0:
        return wall
    share = min(1.0, delay / total)
    return {name: wall[name] - share * idle[name] for name in wall}
