"""Time and money: what each upgrade would give, from the rates of a report and the user's prices.

The step of a machine with other parts follows from the bound in `rates`: only the part that an
upgrade touches changes, and the new bottleneck caps the gain.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kuaibao.doctor.charts import bars
from kuaibao.doctor.rates import predicted_step_s
from kuaibao.errors import InputError

__all__ = ["KINDS", "Plan", "Upgrade", "cost_chart", "parse_upgrade", "plans"]

KINDS = {
    "cores": "so many cores instead of those that can be had now",
    "disk": "a disk so many times faster",
    "ram": "room for the decoded data set: its samples are made once",
    "compute": "a device (or CPU for the model) so many times faster",
    "devices": "so many devices like the present one, each with its own share of the cores",
}


@dataclass(frozen=True)
class Upgrade:
    """One way to spend money."""

    kind: str
    amount: float
    price_an_hour: float

    @property
    def name(self) -> str:
        """As it was written, e.g. `cores=8`."""
        return self.kind if self.kind == "ram" else f"{self.kind}={self.amount:g}"


@dataclass(frozen=True)
class Plan:
    """What a run takes with one upgrade or one cure."""

    name: str
    step_s: float
    samples_per_s: float
    hours: float
    price: float
    """Of one run, work on the code not included."""
    speedup: float
    break_even_runs: float | None
    """After so many runs the saving has paid for the work on the code; None for hardware."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def parse_upgrade(text: str) -> Upgrade:
    """Read `KIND=AMOUNT:PRICE`, e.g. `cores=8:1.90` or `ram:0.80`.

    Raises:
        InputError: It has another form.
    """
    left, _, price = text.rpartition(":")
    kind, has_amount, amount = left.partition("=")
    try:
        found = Upgrade(kind, float(amount) if has_amount else 1.0, float(price))
    except ValueError as error:
        raise InputError(
            f"the upgrade {text!r} can't be read", hint="Write KIND=AMOUNT:PRICE, e.g. cores=8:1.90"
        ) from error
    if kind not in KINDS or found.amount <= 0 or found.price_an_hour < 0:
        raise InputError(
            f"the upgrade {text!r} names no known kind, or an amount that is not positive",
            hint=f"Known kinds: {', '.join(KINDS)}.",
        )
    return found


def plans(
    report: dict[str, Any],
    *,
    total_samples: float,
    price_an_hour: float,
    upgrades: list[Upgrade],
    work_price: float = 0.0,
) -> list[Plan]:
    """The run as it is, with each upgrade, and with each cure of the report; cheapest first.

    Args:
        report: From `kuaibao doctor run --json`.
        total_samples: Samples of the whole training.
        price_an_hour: Of the present machine.
        upgrades: What could be had, each with the price of the whole machine an hour.
        work_price: What the work on the code for one cure costs.

    Raises:
        InputError: The report holds no rates.
    """
    rates = report.get("rates", {})
    if not rates.get("step_s"):
        raise InputError("the report holds no rates", hint="Examine the script for more samples.")
    now = float(rates["step_s"])
    batch = float(rates["batch_size"])

    def plan(name: str, step_s: float, price: float, work: float | None) -> Plan:
        hours = total_samples / batch * step_s / 3600
        saved = (now - step_s) * total_samples / batch / 3600 * price_an_hour
        runs = None if work is None else (work / saved if saved > 0 else float("inf"))
        return Plan(name, step_s, batch / step_s, hours, hours * price, now / step_s, runs)

    found = [plan("as it is", now, price_an_hour, None)]
    found += [
        plan(up.name, min(now, _step_with(report, up)), up.price_an_hour, None) for up in upgrades
    ]
    for one in report.get("advice", []):
        speedup = (one.get("achieved_speedup") or one["predicted_speedup"])["mid"]
        if speedup > 1.02:
            step = now / speedup
            found.append(plan(f"cure: {one['cure']}", step, price_an_hour, work_price))
    return sorted(found, key=lambda p: p.price)


def _step_with(report: dict[str, Any], upgrade: Upgrade) -> float:
    """Seconds of a step with the upgrade: measured step times the bound's ratio."""
    rates, workers = report["rates"], int(report["loader"]["n_workers"])
    compute, data = float(rates["compute_step_s"]), float(rates["data_batch_s"])
    cores, disk = max(0.25, float(rates["cores"])), _disk_seconds(report)
    before = predicted_step_s(compute, data, workers, cores)
    kind, amount = upgrade.kind, upgrade.amount
    if kind == "cores":
        workers = max(workers, min(16, int(amount) - 1))
        after = predicted_step_s(compute, data, workers, amount)
    elif kind == "disk":
        after = predicted_step_s(compute, data - disk * (1 - 1 / amount), workers, cores)
    elif kind == "ram":
        stored = report["ladder"].get("S2_stored_samples") or 0.0
        after = compute + min(data, stored)
    elif kind == "compute":
        after = predicted_step_s(compute / amount, data, workers, cores)
    else:
        # Each device takes its share of the batches; the cores that make them are the same.
        after = max(compute / amount, (compute + data) / cores / amount if workers == 0 else 0.0)
        after = max(after, data / max(1, min(workers, cores)))
    return float(rates["step_s"]) * after / before if before > 0 else after


def _disk_seconds(report: dict[str, Any]) -> float:
    """Seconds of a batch that lie in the disk: its share of the stall."""
    share = report["stalls"].get("disk", {}).get("mid", 0.0)
    return min(float(report["rates"]["data_batch_s"]), share * float(report["rates"]["step_s"]))


def cost_chart(found: list[Plan]) -> str:
    """Price of a run by plan, as inline SVG."""
    rows = [
        (p.name, max(p.price, 1e-9), f"{p.price:.4g} in {p.hours:.3g} h", _color(p.name))
        for p in found
    ]
    return bars(rows, "price of a run by plan")


def _color(name: str) -> str:
    if name.startswith("cure"):
        return "#66a182"
    return "#d1495b" if name == "as it is" else "#30638e"
