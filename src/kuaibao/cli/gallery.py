"""`kuaibao gallery`: many layouts of a program to choose from, on paper or in the browser."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from kuaibao.errors import InputError
from kuaibao.files import write_text

__all__ = ["app"]

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def gallery(
    program: Annotated[
        Path, typer.Argument(help="A trio file; with --serve also a folder of them.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for index.html and sheet.svg.")
    ] = None,
    candidates: Annotated[int, typer.Option(min=1, max=1000, help="Layouts to try.")] = 16,
    most: Annotated[int, typer.Option(min=0, help="Keep at most so many; 0 keeps all.")] = 0,
    seed: Annotated[str | None, typer.Option(help="Of the layouts.")] = None,
    time_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds for all layouts together.")
    ] = 60.0,
    serve: Annotated[
        bool, typer.Option("--serve", help="Choose and drag in the browser, on this machine.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the pages.")] = 8127,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Lay a program out many times and show the layouts that differ."""
    if serve:
        _serve(program, port)
        return
    if output is None:
        raise InputError(
            "nowhere to put the gallery",
            hint="Name a folder with -o, or choose in the browser with --serve.",
        )
    report = _write(program, output, candidates, most, seed, time_limit, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        shown = len(report["layouts"])
        typer.echo(f"{shown} of {candidates} layouts differ: {output / 'index.html'}", err=True)


def _write(
    program: Path, folder: Path, candidates: int, most: int, seed: str | None, time_limit: float,
    *, quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    from kuaibao.cli.progress import progress_bar
    from kuaibao.diagrams import Settings, compile_files, read_trio
    from kuaibao.diagrams import gallery as make_gallery

    compiled = compile_files(read_trio(program))
    start = time.perf_counter()
    with progress_bar("laying out", total=candidates) as advance:
        settings = Settings(
            time_limit_s=time_limit, progress=lambda done, _: None if quiet else advance(done)
        )
        made = make_gallery(compiled, candidates, seed=seed, most=most, settings=settings)
    elapsed_ms = 1e3 * (time.perf_counter() - start)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "index.html", made.html())
    write_text(folder / "sheet.svg", made.svg())
    layouts: list[dict[str, Any]] = []
    for number, layout in enumerate(made.layouts, 1):
        name = f"layout-{number}.svg"
        write_text(folder / name, layout.svg())
        layouts.append(
            {"file": name, "energy": layout.energy, "violation": layout.violation,
             "candidate": layout.result.candidate}
        )  # fmt: skip
    return {
        "program": str(program),
        "tried": made.n_tried,
        "layout_ms": round(elapsed_ms, 3),
        "layouts": layouts,
    }


def _serve(program: Path, port: int) -> None:
    from kuaibao.errors import MissingExtraError

    try:
        import uvicorn

        from kuaibao.web.gallery import gallery_app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("kuaibao"):
            raise
        raise MissingExtraError("serve", needed_for="kuaibao gallery --serve") from error
    app = gallery_app(program)
    typer.echo(f"gallery at http://127.0.0.1:{port}/ (stop with Ctrl-C)", err=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
