"""`kuaibao doctor`'s other commands: compare, sweep, memory, cost, loss."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["register"]

_AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `kuaibao doctor`."""
    for name, function in (
        ("compare", compare),
        ("sweep", sweep),
        ("memory", memory),
        ("cost", cost),
        ("loss", loss),
    ):
        app.command(name)(function)


def _say(text: str) -> None:
    typer.secho(f"kuaibao doctor: {text}", err=True, fg=typer.colors.BRIGHT_BLACK)


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A command, quoted.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other command, quoted.")],
    samples: Annotated[int, typer.Option(min=0, help="Samples of each run.")] = 0,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds of each run.")] = 0.0,
    rounds: Annotated[int, typer.Option(min=2, max=50, help="Runs of each.")] = 3,
    history: Annotated[
        Path, typer.Option(help="File to add the result to.")
    ] = Path(".kuaibao-doctor/history.jsonl"),
    fail_below: Annotated[
        float,
        typer.Option(help="Exit with 1 when B is surely slower than this many times A's speed."),
    ] = 0.0,
    as_json: _AsJson = False,
) -> None:  # fmt: skip
    """Run two commands in turn and say how many times faster the second is, with its range.

    For CI: --fail-below 0.95 fails when the upper end of the range lies below 0.95.
    """
    from kuaibao.doctor.alternate import Arm, alternate, append_history

    limit = seconds if seconds or samples else 10.0
    found = alternate(
        Arm(a, shlex.split(a)), Arm(b, shlex.split(b)),
        samples=samples, seconds=limit, rounds=rounds, progress=_say,
    )  # fmt: skip
    is_slower = bool(fail_below) and found.speedup.high < fail_below
    result = {**found.to_json(), "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
              "is_regression": is_slower}  # fmt: skip
    earlier = append_history(history, result)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        s = found.speedup
        typer.echo(f"B runs at {s.mid:.3g} times the speed of A ({s.low:.3g} to {s.high:.3g})")
        typer.echo(f"same batches: {found.n_same_batches} of {found.n_batches_compared} compared")
        typer.echo(f"{len(earlier)} comparisons in {history}")
    if is_slower:
        typer.secho(f"kuaibao doctor: slower than {fail_below:g} times A", err=True, fg="red")
        raise typer.Exit(1)


def sweep(
    command: Annotated[list[str], typer.Argument(help="The command, after `--`.")],
    workers: Annotated[
        str, typer.Option(help="Numbers of workers to try; 0 is always tried.")
    ] = "",
    prefetch: Annotated[str, typer.Option(help="Prefetch factors to try.")] = "2",
    samples: Annotated[int, typer.Option(min=0, help="Samples of each run.")] = 0,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds of each run.")] = 0.0,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Runs of each setting.")] = 2,
    budget: Annotated[str, typer.Option(help="Memory never to exceed, e.g. 4G.")] = "",
    as_json: _AsJson = False,
) -> None:
    """Try workers, prefetch, living workers and pinning, each only if its forecast fits."""
    from kuaibao.doctor.sweep import sweep_loader

    rows = sweep_loader(
        command, workers=_numbers(workers), prefetch=_numbers(prefetch) or [2], samples=samples,
        rounds=rounds,
        seconds=seconds if seconds or samples else 8.0, budget_bytes=_bytes(budget),
        progress=_say,
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps([row.to_json() for row in rows]))
        return
    _table(
        ("settings", "samples/s", "batches held", "forecast"),
        [
            (str(r.settings), f"{r.samples_per_s:.4g}" if r.samples_per_s else r.why,
             str(r.forecast["n_batches_held"]), f"{r.forecast['total_bytes'] / 1e6:.4g} MB")
            for r in rows
        ],
    )  # fmt: skip


def memory(
    shape: Annotated[
        list[str] | None,
        typer.Option(help="A field of a sample, e.g. 512x512x3:float32; may be repeated."),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Samples in a batch.")] = 32,
    workers: Annotated[int, typer.Option(min=0, help="Worker processes.")] = 8,
    prefetch: Annotated[int, typer.Option(min=1, help="Batches each worker makes ahead.")] = 2,
    budget: Annotated[str, typer.Option(help="Memory to stay within, e.g. 16G.")] = "",
    report: Annotated[
        Path | None, typer.Option(help="Take the batch from a report of `doctor run --json`.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Forecast the memory a DataLoader holds: (workers x prefetch + 1) batches.

    Without a shape: the article's example, 32 pictures of 512x512x3 float32 with int64 masks.
    """
    from kuaibao.doctor.memory import batch_bytes_of as size_of
    from kuaibao.doctor.memory import forecast, most_workers, narrowed, parse_shapes

    if report is not None:
        from kuaibao.doctor.report import load_report

        seen = load_report(report)["memory"]
        size, narrow = int(seen["batch_bytes"]), int(seen["narrow_batch_bytes"])
    else:
        fields = parse_shapes(shape or ["512x512x3:float32", "512x512:int64"])
        size, narrow = size_of(fields, batch), size_of(narrowed(fields), batch)
    held = forecast(size, workers, prefetch)
    small = forecast(narrow, workers, prefetch)
    limit = _bytes(budget)
    result: dict[str, Any] = {
        "forecast": held.to_json(),
        "narrow": small.to_json(),
        "most_workers": most_workers(size, prefetch, limit) if limit else None,
    }
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo(f"one batch                    {size / 1e6:10.1f} MB")
    typer.echo(f"workers x batch (common rule) {held.common_rule_bytes / 1e6:9.1f} MB")
    typer.echo(f"{held.n_batches_held} batches held (the law)   {held.queued_bytes / 1e6:10.1f} MB")
    typer.echo(f"with the worker processes    {held.total_bytes / 1e6:10.1f} MB")
    typer.echo(f"one batch in narrow types    {narrow / 1e6:10.1f} MB")
    typer.echo(f"the law in narrow types      {small.queued_bytes / 1e6:10.1f} MB")
    if limit:
        typer.echo(f"at most {result['most_workers']} workers fit {budget}")


def cost(
    report: Annotated[Path, typer.Argument(help="A report of `doctor run --json`.")],
    samples: Annotated[float, typer.Option(help="Samples of the whole training.")],
    price: Annotated[float, typer.Option(min=0, help="Price of this machine an hour.")],
    upgrade: Annotated[
        list[str] | None,
        typer.Option(help="KIND=AMOUNT:PRICE an hour; kinds: cores, disk, ram, compute, devices."),
    ] = None,
    work: Annotated[float, typer.Option(min=0, help="Price of the work for one cure.")] = 0.0,
    chart: Annotated[Path | None, typer.Option(help="Write the plot as SVG.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Time and money: what each upgrade and each cure would make of a run, at your prices."""
    from kuaibao.doctor.cost import cost_chart, parse_upgrade, plans
    from kuaibao.doctor.report import load_report

    found = plans(
        load_report(report), total_samples=samples, price_an_hour=price,
        upgrades=[parse_upgrade(text) for text in upgrade or []], work_price=work,
    )  # fmt: skip
    if chart is not None:
        from kuaibao.files import write_text

        write_text(chart, cost_chart(found))
    if as_json:
        typer.echo(json.dumps([plan.to_json() for plan in found]))
        return
    _table(
        ("plan", "speed-up", "hours", "price of a run", "work paid back after"),
        [
            (p.name, f"{p.speedup:.2f}x", f"{p.hours:.4g}", f"{p.price:.4g}",
             "" if p.break_even_runs is None else f"{p.break_even_runs:.3g} runs")
            for p in found
        ],
    )  # fmt: skip
    best = found[0].name
    kind = "leave it as it is" if best == "as it is" else best
    typer.echo(f"cheapest: {kind}" + ("" if best.startswith(("cure", "as")) else " (hardware)"))


def loss(
    function: Annotated[str, typer.Argument(metavar="FILE.py:NAME", help="The loss.")],
    shape: Annotated[
        list[str], typer.Option(help="An input, e.g. 16x8x64x64 or 16x64x64:int64<8.")
    ],
    against: Annotated[
        str, typer.Option(metavar="FILE.py:NAME", help="A vectorised replacement to check.")
    ] = "",
    as_json: _AsJson = False,
) -> None:
    """Profile a loss line by line, and check a replacement: values, gradients, speed."""
    from kuaibao.doctor.loss_lines import (
        check_replacement,
        load_function,
        make_inputs,
        profile_lines,
    )

    original, make = load_function(function), make_inputs(shape)
    lines = profile_lines(original, make(0))
    check = check_replacement(original, load_function(against), make) if against else None
    if as_json:
        typer.echo(json.dumps({"lines": [row.to_json() for row in lines],
                               "check": check.to_json() if check else None}))  # fmt: skip
    else:
        _table(
            ("line", "share", "runs", "torch calls", "waits", "source"),
            [
                (str(r.line), f"{r.share:.1%}", str(r.n_runs), str(r.n_calls),
                 str(r.n_synchronizations), r.text[:60])
                for r in lines[:12]
            ],
        )  # fmt: skip
        if check is not None:
            s = check.speedup
            typer.echo(
                f"values {'equal' if check.is_equal_value else 'DIFFER'}, gradients "
                f"{'equal' if check.is_equal_gradient else 'DIFFER'}; {s.mid:.3g} times as fast "
                f"({s.low:.3g} to {s.high:.3g})"
            )
    if check is not None and not (check.is_equal_value and check.is_equal_gradient):
        raise typer.Exit(1)


def _numbers(text: str) -> list[int]:
    from kuaibao.errors import InputError

    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise InputError(f"{text!r} is no list of numbers", hint="Write e.g. 0,2,4.") from error


def _bytes(text: str) -> int:
    from kuaibao.doctor.memory import parse_bytes

    return parse_bytes(text)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        typer.echo("  ".join(cells).rstrip())
