"""`kuaibao reproduce`: a paper's claims, run on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Run a paper's claims on this machine.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Run a paper's claims on this machine."""


@app.command()
def pegasus(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of models and figures; it is gone on with.")
    ] = Path("runs/reproduce-pegasus"),
    scale: Annotated[
        str, typer.Option(help="full (three hours of two free cores) or small (ten minutes).")
    ] = "full",
    budget: Annotated[
        float, typer.Option(min=0.0, help="Stop after so many minutes; 0: at the end.")
    ] = 0.0,
    seed: Annotated[
        int | None,
        typer.Option(help="Only trials of this seed: a process for each may work beside others."),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="JSONL with splits; the descriptions of this system's archive if not given."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder of the report; that of --out if not given.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: torch's own number.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """PEGASUS: gap sentences against masked words and nothing, six strategies, four ratios.

    Every training goes on where it was; run again after a kill or after --budget. The report is
    written anew each time, with what is finished.
    """  # fmt: skip
    from kuaibao.cli.progress import progress_bars
    from kuaibao.pegasus.debian import debian_cache, fetch_debian_pairs
    from kuaibao.pegasus.reproduction import find_scale, findings, reproduce, write_report

    chosen = find_scale(scale)
    file = pairs or fetch_debian_pairs(debian_cache())
    with progress_bars() as tell:
        outcomes, left = reproduce(
            chosen, file, out / scale, budget_s=60 * budget, seed=seed, n_thread=threads,
            progress=tell,
        )  # fmt: skip
    path = write_report(outcomes, left, chosen, report or out / scale)
    if as_json:
        answer = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        typer.echo(json.dumps({**answer, "report": str(path)}))
        return
    typer.echo(f"{len(outcomes)} trials finished, {len(left)} left; report: {path}")
    for found in findings(outcomes, chosen):
        gap = found.difference
        typer.echo(
            f"{found.claim} at {found.n_pairs} examples: {100 * gap.mean:+.1f} "
            f"[{100 * gap.low:+.1f}, {100 * gap.high:+.1f}] ROUGE-1: {found.verdict}"
        )


@app.command()
def igpt(
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Runs and figures; kept to go on.")
    ] = Path("runs/reproduce-igpt"),
    report: Annotated[
        Path | None, typer.Option(help="Where the page and its plots go; --out if not given.")
    ] = None,
    sets: Annotated[str, typer.Option(help="Of digits, mnist, emoji.")] = "digits,mnist,emoji",
    seeds: Annotated[int, typer.Option(min=1, max=10, help="Runs of each set.")] = 2,
    budget: Annotated[
        float, typer.Option(min=0.0, help="Minutes of this call; 0: until it is done.")
    ] = 0.0,
    minutes: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Cut all training to so many minutes by this machine's measured speed; 0: whole.",
        ),
    ] = 0.0,
    scale: Annotated[
        float,
        typer.Option(min=0.001, max=10.0, help="Of all training steps; a change starts anew."),
    ] = 1.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="What the paper's own runs cost, and stop.")
    ] = False,
    gpus: Annotated[int, typer.Option(min=1, help="Of a dry run: GPUs that share the work.")] = 8,
    gpu_hour: Annotated[
        float, typer.Option(min=0.0, help="Of a dry run: the price of a GPU's hour, in any money.")
    ] = 0.0,
    recipes: Annotated[
        Path | None, typer.Option(help="Write the paper's recipes into a folder, and stop.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Image GPT: probes by layer, baselines, two objectives, few labels, fine-tuning.

    Resumable: the same command goes on where the last one stopped. With --budget it stops before a
    piece of work that would not fit.
    """
    from dataclasses import replace

    from kuaibao.cli.progress import progress_bars
    from kuaibao.errors import InputError, did_you_mean
    from kuaibao.image_gpt.reproduction import (
        STUDIES,
        Budget,
        plan_studies,
        run_study,
        write_report,
    )
    from kuaibao.image_gpt.reproduction.runs import OutOfBudgetError

    if dry_run or recipes is not None:
        _show_costs(recipes, gpus, gpu_hour, as_json=as_json)
        return
    names = [name.strip() for name in sets.split(",") if name.strip()]
    for name in names:
        if name not in STUDIES:
            raise InputError(f"no study '{name}'", hint=did_you_mean(name, STUDIES))
    time_left = Budget(budget * 60) if budget else Budget()
    studies = plan_studies(names, seeds, minutes, out) if minutes else STUDIES
    found: list[dict[str, Any]] = []
    cut: OutOfBudgetError | None = None
    with progress_bars() as tell:
        for seed in range(seeds):
            for name in names:
                study = studies[name]
                if scale != 1.0:
                    study = replace(
                        study, steps=max(10, round(study.steps * scale)),
                        tune_steps=max(10, round(study.tune_steps * scale)),
                    )  # fmt: skip
                partial: dict[str, Any] = {}
                try:
                    run_study(study, seed, out, time_left, tell, found=partial)
                except OutOfBudgetError as error:
                    cut = error
                found.append(partial)
    order = {name: i for i, name in enumerate(names)}
    found = [row for row in found if len(row) > 2]
    found.sort(key=lambda row: (order[row["study"]], row["seed"]))
    page = write_report(found, report or out)
    if as_json:
        typer.echo(json.dumps({"page": str(page), "finished": cut is None, "results": found}))
    else:
        typer.echo(str(page))
    if cut is not None:
        typer.echo(str(cut), err=True)


@app.command()
def gpt(
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Runs and figures; kept to go on.")
    ] = Path("runs/reproduce-gpt"),
    corpus: Annotated[
        list[str] | None, typer.Option(help="Files, folders, debian:descriptions; may repeat.")
    ] = None,
    sizes: Annotated[str, typer.Option(help="Of S, M, L.")] = "S,M,L",
    steps: Annotated[int, typer.Option(min=4, help="Of 2,048 tokens, for each size.")] = 480,
    vocabulary: Annotated[int, typer.Option(min=257, help="Entries of the tokeniser.")] = 4096,
    budget: Annotated[
        float, typer.Option(min=0.0, help="Minutes of this call; 0: until it is done.")
    ] = 0.0,
    report: Annotated[
        Path | None, typer.Option(help="Where the page and its plot go; --out if not given.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: torch's own number.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """GPT: loss against compute for sizes S, M and L, with a fitted power law (GPT-3, figure 3.1).

    Resumable: the same command goes on where the last one stopped.
    """
    from kuaibao.cli.progress import progress_bars
    from kuaibao.gpt.scaling import ScalingPlan, run_scaling, write_scaling_report

    plan = ScalingPlan(
        corpus=tuple(corpus or ["debian:descriptions"]), steps=steps, vocab_size=vocabulary,
        sizes=tuple(name.strip() for name in sizes.split(",") if name.strip()),
    )  # fmt: skip
    with progress_bars() as tell:
        points, left = run_scaling(plan, out, budget_s=60 * budget, n_thread=threads, progress=tell)
    page = write_scaling_report(points, left, plan, report or out)
    if as_json:
        found = json.loads(page.with_name("scaling.json").read_text(encoding="utf-8"))
        typer.echo(json.dumps({**found, "page": str(page)}))
        return
    typer.echo(str(page))
    if left:
        typer.echo(f"not finished: {', '.join(left)}; run again to go on", err=True)


def _show_costs(folder: Path | None, n_gpu: int, gpu_hour: float, *, as_json: bool) -> None:
    from kuaibao.image_gpt.costs import (
        MOCO_V100_DAYS,
        PAPER_V100_DAYS,
        cost_of,
        paper_recipes,
        write_recipes,
    )

    if folder is not None:
        for path in write_recipes(folder):
            typer.echo(str(path), err=True)
    costs = [cost_of(name, recipe) for name, recipe in paper_recipes().items()]
    if as_json:
        known = {"paper_large_v100_days": PAPER_V100_DAYS, "moco_v100_days": MOCO_V100_DAYS}
        rows = [c.to_json() | {"days": c.v100_days / n_gpu, "price": c.price(gpu_hour)}
                for c in costs]  # fmt: skip
        typer.echo(json.dumps({"recipes": rows, "gpus": n_gpu, "gpu_hour": gpu_hour, **known}))
        return
    typer.echo(
        "recipe            parameters   pixels   FLOPs   state  a batch  V100-days  "
        f"days on {n_gpu}" + ("      price" if gpu_hour else "")
    )

    def row(name: str, counted: str, days: float) -> None:
        price = f" {days * 24 * gpu_hour:10,.0f}" if gpu_hour else ""
        typer.echo(f"{name:16} {counted:43} {days:10.1f} {days / n_gpu:10.1f}{price}")

    for c in costs:
        row(
            c.name,
            f"{c.n_parameter / 1e6:9.1f} M {c.n_pixel / 1e9:6.1f} G {c.flops:7.1e} "
            f"{c.state_bytes / 1e9:5.1f} GB {c.batch_size * c.activation_bytes / 1e9:4.0f} GB",
            c.v100_days,
        )
    row("iGPT-L", "by its authors", PAPER_V100_DAYS)
    row("MoCo alike", "by the same authors", MOCO_V100_DAYS)
