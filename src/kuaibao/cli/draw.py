"""`kuaibao draw`: programs of Substance, Style and Domain become pictures."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.errors import InputError, KuaibaoError
from kuaibao.files import write_bytes

if TYPE_CHECKING:
    from kuaibao.diagrams import Layout, Program, ProgramFiles, Settings

__all__ = ["app"]

app = typer.Typer(pretty_exceptions_enable=False)
_FIELDS = (
    "ok", "errors", "inputs", "constraints", "objectives", "energy", "violation", "steps",
    "compile_ms", "layout_ms",
)  # fmt: skip
"""What `--json` tells of each program; null where it did not get so far."""
_FORMATS = ("svg", "pdf", "png", "tex")


@app.command()
def draw(
    program: Annotated[Path | None, typer.Argument(help="A trio file: PROGRAM.trio.json.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="OUT.svg, .pdf, .png or .tex.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="Of the layout; by default the program's variation.")
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Layouts tried; the best is drawn. By default 4, or 16 if none of 4 is right.",
        ),
    ] = None,
    substance: Annotated[Path | None, typer.Option(help="A Substance file.")] = None,
    style: Annotated[list[Path] | None, typer.Option(help="A Style file; may repeat.")] = None,
    domain: Annotated[Path | None, typer.Option(help="A Domain file.")] = None,
    batch: Annotated[Path | None, typer.Option(help="A list of trio files, one a line.")] = None,
    out_dir: Annotated[Path | None, typer.Option(help="Where the pictures of a batch go.")] = None,
    format: Annotated[str, typer.Option(help="Of a batch: svg, pdf, png or tex.")] = "svg",
    time_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds that one layout may take.")
    ] = 60.0,
    compatible: Annotated[
        bool, typer.Option("--compatible", help="Stop as Penrose stops.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ignore a layout baked beside the program.")
    ] = False,
    web_pictures: Annotated[
        bool,
        typer.Option(
            "--web-pictures",
            help="Fetch pictures with a web address (20 a program, 4 MB each); else left out.",
        ),
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Draw again on every save.")] = False,
    desugar: Annotated[
        bool, typer.Option("--desugar", help="Print the Substance without notation.")
    ] = False,
    library: Annotated[
        bool, typer.Option("--library", help="List shapes, constraints, objectives, functions.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Turn Substance, Style and Domain into pictures."""
    if library:
        _print_library(as_json)
        return
    gc.freeze()  # modules and grammars live as long as the process: don't look through them
    gc.set_threshold(50_000)
    drawer = _Drawer(
        seed, candidates, time_limit, compatible, may_be_baked=not fresh,
        fetch=_fetch_picture if web_pictures else None,
    )  # fmt: skip
    if batch is not None:
        reports = _draw_batch(drawer, batch, out_dir or Path("."), format, quiet=as_json)
        if as_json:
            typer.echo(json.dumps(reports, ensure_ascii=False))
        _leave(all(report["ok"] for report in reports))
        return
    given = _Given(program, substance, style or [], domain)
    if desugar:
        _print_desugared(given, as_json)
        return
    report = drawer.report(given, output, to_stdout=output is None and not as_json)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    if watch:
        _watch(drawer, given, output)
    _leave(report["ok"])


def _print_desugared(given: _Given, as_json: bool) -> None:
    from kuaibao.diagrams import desugar_files

    text, domain = desugar_files(given.read())
    document = json.dumps({"substance": text, "domain": domain}, ensure_ascii=False)
    typer.echo(document if as_json else text, nl=as_json)


def _leave(is_ok: bool) -> None:
    if not is_ok:
        raise typer.Exit(2)


class _Given:
    """The files named on the command line."""

    def __init__(
        self, trio: Path | None, substance: Path | None, styles: list[Path], domain: Path | None
    ) -> None:
        if trio is None and not (substance and styles and domain):
            raise InputError(
                "nothing to draw",
                hint="Name a trio file, or all of --substance, --style and --domain.",
            )
        self.trio, self.substance, self.styles, self.domain = trio, substance, styles, domain

    def read(self) -> ProgramFiles:
        """The program's texts; single options replace what the trio names."""
        from dataclasses import replace

        from kuaibao.diagrams import read_files, read_trio

        if self.trio is None:
            assert self.substance is not None
            assert self.domain is not None
            return read_files(self.substance, self.styles, self.domain)
        files = read_trio(self.trio)
        for name in ("substance", "domain"):
            path: Path | None = getattr(self, name)
            if path is not None:
                single = read_files(path, [], path)
                files = replace(files, **{name: getattr(single, name)})
        if self.styles:
            single = read_files(self.styles[0], self.styles, self.styles[0])
            folders = (*single.folders, *files.folders)
            files = replace(files, style=single.style, folders=folders)
        return files

    def paths(self) -> list[Path]:
        """All files to watch."""
        named = [self.trio, self.substance, *self.styles, self.domain]
        try:
            files = self.read()
        except KuaibaoError:
            return [path for path in named if path is not None]
        read = [files.substance[0], files.domain[0], *(name for name, _ in files.style)]
        return [*(path for path in named if path is not None), *map(Path, read)]


class _Drawer:
    """Draws programs with the same settings, one after the other."""

    def __init__(
        self, seed: str | None, candidates: int | None, time_limit: float, compatible: bool,
        *, may_be_baked: bool = True, fetch: Callable[[str], bytes] | None = None,
    ) -> None:  # fmt: skip
        self.fetch = fetch
        self.seed = seed
        self.may_be_baked = may_be_baked and seed is None and candidates is None and not compatible
        self.candidates = candidates
        self.time_limit = time_limit
        self.compatible = compatible

    def report(
        self, given: _Given, output: Path | None, *, to_stdout: bool = False
    ) -> dict[str, Any]:
        """Draw one program; what went wrong stands in the report and on standard error."""
        report: dict[str, Any] = dict.fromkeys(_FIELDS)
        report |= {"ok": False, "errors": []}
        try:
            layout = self._layout(given, report)
            if output is not None:
                output.parent.mkdir(parents=True, exist_ok=True)
            data = _rendered(layout, output)
            if output is not None:
                write_bytes(output, data)
            elif to_stdout:
                sys.stdout.buffer.write(data)
            report["ok"] = True
        except KuaibaoError as error:
            found = error.to_json()
            report["errors"] = found.get("errors", [found])
            typer.secho(error.render(), err=True, fg=typer.colors.RED)
        return report

    def _layout(self, given: _Given, report: dict[str, Any]) -> Layout:
        from kuaibao.diagrams import Settings, compile_files

        files = given.read()
        program = compile_files(files, fetch=self.fetch)
        problem = program.problem
        report |= {
            "inputs": problem.n_input,
            "constraints": len(problem.constraints),
            "objectives": len(problem.objectives),
            "compile_ms": round(program.compile_ms, 3),
        }
        for warning in program.warnings[:20]:
            typer.secho(str(warning), err=True, fg=typer.colors.YELLOW)
        settings = Settings(time_limit_s=self.time_limit, compatible=self.compatible)
        start = time.perf_counter()
        best = self._chosen(program, files, given, settings)
        if best is not None:
            pass  # a person chose it
        elif self.candidates is None:
            best = program.best(seed=self.seed, settings=settings)
        else:
            best = program.layouts(self.candidates, seed=self.seed, settings=settings)[0]
        report |= {
            "energy": _finite(best.energy),
            "violation": _finite(best.violation),
            "steps": best.steps,
            "layout_ms": round(1e3 * (time.perf_counter() - start), 3),
        }
        best.check()
        for sentence in best.result.blame[:5]:
            typer.secho(sentence, err=True, fg=typer.colors.YELLOW)
        return best

    def _chosen(
        self, program: Program, files: ProgramFiles, given: _Given, settings: Settings
    ) -> Layout | None:
        """The layout that a person baked beside the program, if there is one."""
        from kuaibao.diagrams.baking import baked_path, lay_out_baked, program_digest, read_baked

        path = baked_path(given.trio) if given.trio is not None and self.may_be_baked else None
        baked = read_baked(path) if path is not None else None
        if baked is None:
            return None
        layout, is_same = lay_out_baked(program, program_digest(files), baked, settings=settings)
        if not is_same:
            told = f"{path} was made for another version of the program: only its pins hold"
            typer.secho(told, err=True, fg=typer.colors.YELLOW)
        return layout


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None


def _fetch_picture(address: str) -> bytes:
    from kuaibao.diagrams.rendering.images import MAX_IMAGE_BYTES
    from kuaibao.fetching import Fetcher

    with Fetcher() as fetcher:
        return fetcher.get(address, max_bytes=MAX_IMAGE_BYTES).body


def _rendered(layout: Layout, output: Path | None) -> bytes:
    suffix = output.suffix.lower() if output is not None else ".svg"
    match suffix:
        case ".svg" | "":
            return layout.svg().encode()
        case ".pdf":
            return layout.pdf()
        case ".png":
            return layout.png()
        case ".tex":
            assert output is not None
            return layout.tikz(output.parent, stem=output.stem).encode()
        case other:
            raise InputError(
                f"cannot write {other or 'a file without an ending'}",
                hint=f"Known: {', '.join('.' + one for one in _FORMATS)}.",
            )


def _draw_batch(
    drawer: _Drawer, listing: Path, folder: Path, ending: str, *, quiet: bool
) -> list[dict[str, Any]]:
    if ending not in _FORMATS:
        raise InputError(f"unknown format {ending!r}", hint=f"Known: {', '.join(_FORMATS)}.")
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"cannot read {listing}: {error.strerror}") from error
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    reports: list[dict[str, Any]] = []
    taken: set[str] = set()
    for number, name in enumerate(names, 1):
        path = Path(name) if Path(name).is_absolute() else _beside(listing, name)
        target = folder / f"{_free_name(path, taken)}.{ending}"
        report = drawer.report(_Given(path, None, [], None), target)
        reports.append(report)
        if not quiet:
            mark = "drawn" if report["ok"] else "failed"
            typer.echo(f"{number}/{len(names)} {mark}: {name}", err=True)
    return reports


def _beside(listing: Path, name: str) -> Path:
    """Names in a list are relative to it; to the working folder if only that has the file."""
    path = listing.parent / name
    return path if path.exists() or not Path(name).exists() else Path(name)


def _free_name(path: Path, taken: set[str]) -> str:
    stem = path.name.removesuffix(".json").removesuffix(".trio")
    for candidate in (stem, f"{path.parent.name}-{stem}"):
        if candidate not in taken:
            taken.add(candidate)
            return candidate
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    taken.add(f"{stem}-{number}")
    return f"{stem}-{number}"


def _watch(drawer: _Drawer, given: _Given, output: Path | None) -> None:
    typer.echo("watching; stop with Ctrl-C", err=True)
    seen = _times(given.paths())
    while True:
        time.sleep(0.3)
        now = _times(given.paths())
        if now != seen:
            seen = now
            report = drawer.report(given, output)
            if report["ok"]:
                spent = report["compile_ms"] + report["layout_ms"]
                typer.echo(f"drawn in {spent:.0f} ms", err=True)


def _times(paths: list[Path]) -> dict[Path, int]:
    times: dict[Path, int] = {}
    for path in paths:
        try:
            times[path] = path.stat().st_mtime_ns
        except OSError:
            times[path] = 0
    return times


def _print_library(as_json: bool) -> None:
    from kuaibao.diagrams.library import library_json, library_text

    typer.echo(json.dumps(library_json(), ensure_ascii=False) if as_json else library_text())
