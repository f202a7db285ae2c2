"""`kuaibao doctor run`; the other commands stand in `doctor_more`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kuaibao.cli.doctor_more import register

__all__ = ["app"]

app = typer.Typer(
    help="Find a PyTorch pipeline's bottleneck, prove it, remove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    pass


@app.command(
    "run",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run(
    command: Annotated[list[str], typer.Argument(help="The command to examine, after `--`.")],
    samples: Annotated[int, typer.Option(min=0, help="Stop after so many samples.")] = 0,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so many seconds.")] = 0.0,
    json_path: Annotated[
        str, typer.Option("--json", metavar="OUT.json", help="Write the report as JSON.")
    ] = "",
    html_path: Annotated[
        str, typer.Option("--html", metavar="OUT.html", help="Write the report as one HTML page.")
    ] = "",
    language: Annotated[str, typer.Option(help="Language of the HTML page: en or zh.")] = "en",
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Try the automatic cures and measure them."),
    ] = False,
    cure: Annotated[
        list[str] | None, typer.Option(help="With --apply: try only this cure; may be repeated.")
    ] = None,
    ablate: Annotated[
        bool, typer.Option(help="Repeat batches and probe the data path, or only watch.")
    ] = True,
    write: Annotated[
        bool, typer.Option("--write", help="Offer to write the best cure into the script.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Accept patches without a question.")] = False,
) -> None:
    """Examine an unmodified training script and name what holds it back.

    The run is a look, not a training: some batches are repeated, and the script is ended once
    enough was seen. Exit status: the command's own, or 3 when the doctor failed.
    """
    from kuaibao.doctor.examination import examine_command
    from kuaibao.doctor.page_words import LANGUAGES
    from kuaibao.errors import InputError, KuaibaoError

    if language not in LANGUAGES:
        raise InputError(f"no language {language!r}", hint=f"Known: {', '.join(LANGUAGES)}.")
    try:
        report = examine_command(
            command,
            samples=samples,
            seconds=seconds,
            ablate=ablate,
            apply=apply,
            cures=tuple(cure or ()),
            quiet=json_path == "-",
            progress=_say,
        )
    except (KuaibaoError, KeyboardInterrupt):
        raise
    except Exception as error:
        from kuaibao.doctor.errors import DoctorError

        raise DoctorError(f"the doctor failed: {type(error).__name__}: {error}") from error
    _hand_out(report, json_path, html_path, language)
    if write:
        _write_patches(report, accept=yes)
    raise typer.Exit(report["exit_status"])


register(app)


def _say(text: str) -> None:
    typer.secho(f"kuaibao doctor: {text}", err=True, fg=typer.colors.BRIGHT_BLACK)


def _hand_out(report: dict[str, Any], json_path: str, html_path: str, language: str) -> None:
    import json

    from rich.console import Console

    from kuaibao.doctor.text import print_report
    from kuaibao.files import write_json, write_text

    if json_path == "-":
        typer.echo(json.dumps(report, ensure_ascii=False))
    elif json_path:
        write_json(json_path, report)
    if html_path:
        from kuaibao.doctor.page import render_page

        write_text(html_path, render_page(report, language))
    print_report(report, Console(stderr=True))


def _write_patches(report: dict[str, Any], *, accept: bool) -> None:
    from kuaibao.doctor.patching import apply_edit

    for one in report["advice"]:
        if not one["patch"]:
            continue
        if accept or typer.confirm(f"Write the cure {one['cure']} into the script?", err=True):
            apply_edit(one["options"]["edit"])
            _say(f"wrote {one['cure']}")
        return
