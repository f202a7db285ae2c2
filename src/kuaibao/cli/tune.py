"""`kuaibao tune`: fine-tune a summariser on what the team published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.writing import BackPair
    from kuaibao.pegasus.tuning import Comparison

app = typer.Typer()


@app.command()
def tune(
    archive: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A bulletin's folder (bulletin.toml), or one with published issues (issue.json).",
        ),
    ] = Path("."),
    from_archive: Annotated[
        bool, typer.Option("--from-archive", help="On what the team has published in DIR.")
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="What is begun with: a folder, or a hub id; the bulletin's own if not given.",
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the run; DIR/models/tuning.")
    ] = None,
    language: Annotated[str, typer.Option(help="Only texts of this language: en, zh.")] = "",
    steps: Annotated[int, typer.Option(min=1, help="At most so many steps.")] = 400,
    learning_rate: Annotated[
        float, typer.Option(help="Adafactor's, relative to the size of a weight.")
    ] = 5e-3,
    held_out: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the items kept for the comparison.")
    ] = 0.2,
    include_machine: Annotated[
        bool,
        typer.Option("--include-machine", help="Also texts that no person wrote or proofread."),
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Make it the default even if it is not better.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Fine-tune on the team's published issues and compare with the untuned model.

    Items are held out and summarised by both. If the tuned model is better beyond chance, it goes
    to DIR/models/tuned, which the bulletin uses with `[writing] strategy = "pegasus"`. Run again
    after a kill, it goes on.
    """  # fmt: skip
    from kuaibao.cli.progress import progress_bars
    from kuaibao.errors import InputError
    from kuaibao.pegasus.pairs import Pair
    from kuaibao.pegasus.tuning import TuningSettings, adopt
    from kuaibao.pegasus.tuning import tune as run_tuning

    if not from_archive:
        raise InputError(
            "say what to tune on: --from-archive",
            hint="For other pairs write a recipe: kuaibao train, [data] pairs = FILE.",
        )
    found = _pairs(archive, include_machine, language)
    model = model or _own_model(archive)
    settings = TuningSettings(steps=steps, held_out=held_out, learning_rate=learning_rate)
    with progress_bars() as tell:
        comparison = run_tuning(
            [Pair(pair.document, pair.summary) for pair in found],
            [pair.item_id for pair in found], model, out or archive / "models" / "tuning",
            settings, progress=tell,
        )  # fmt: skip
    is_adopted = comparison.is_better or anyway
    default = archive / "models" / "tuned"
    if is_adopted:
        adopt(comparison, default)
    if as_json:
        answer = {**comparison.to_json(), "default": str(default) if is_adopted else None}
        typer.echo(json.dumps(answer))
    else:
        _show(comparison, default if is_adopted else None)


def _pairs(archive: Path, include_machine: bool, language: str) -> list[BackPair]:
    from kuaibao.bulletin.config import CONFIG_NAME, load_config
    from kuaibao.bulletin.store import Store, all_issues
    from kuaibao.bulletin.writing import back_pairs, read_issue_files
    from kuaibao.errors import InputError

    if not archive.is_dir():
        raise InputError(f"{archive} is no folder")
    issues = read_issue_files(archive)
    if (archive / CONFIG_NAME).is_file():
        with Store.open(load_config(archive).database) as store:
            issues += all_issues(store)
    pairs = [p for p in back_pairs(issues, include_machine=include_machine)
             if not language or p.language == language]  # fmt: skip
    if not pairs:
        raise InputError(
            f"{archive}: {len(issues)} issues hold no text that a person wrote or proofread of a "
            "source's text",
            hint="--include-machine takes machine drafts too.",
        )
    return pairs


def _own_model(archive: Path) -> str:
    """The model that the bulletin names, or the one that was tuned last."""
    import os

    from kuaibao.bulletin.config import CONFIG_NAME, load_config
    from kuaibao.errors import InputError
    from kuaibao.pegasus.summarizer import MODEL_VARIABLE

    named = ""
    if (archive / CONFIG_NAME).is_file():
        named = load_config(archive).settings.writing.model
    for folder in (named, "models/tuned"):
        if folder and (archive / folder).is_dir():
            return str(archive / folder)
    chosen = named or os.environ.get(MODEL_VARIABLE, "")
    if not chosen:
        raise InputError(
            "no model to begin with",
            hint=f"Give --model, [writing] model in {CONFIG_NAME}, or {MODEL_VARIABLE}.",
        )
    return chosen


def _show(comparison: Comparison, default: Path | None) -> None:
    typer.echo(f"tuned on {comparison.n_train} texts, compared on {comparison.n_held_out}")
    for kind, gain in comparison.gain.items():
        before, after = comparison.before[kind].mean, comparison.after[kind].mean
        typer.echo(
            f"  {kind:13} {before:.4f} → {after:.4f}  ({gain.mean:+.4f} "
            f"[{gain.low:+.4f}, {gain.high:+.4f}])"
        )
    typer.echo("better" if comparison.is_better else "not better beyond chance")
    if default is None:
        typer.echo(f"the untuned model stays; the tuned one lies in {comparison.folder}")
    else:
        typer.echo(f"default of the bulletin: {default}")
