"""`kuaibao illustrate`: the statements of a text are drawn beside their paragraphs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.errors import InputError, did_you_mean
from kuaibao.files import write_bytes, write_text

if TYPE_CHECKING:
    from kuaibao.diagrams.illustrating import Figure, Illustrated

__all__ = ["app"]

app = typer.Typer(pretty_exceptions_enable=False)
_KEY_VARIABLE = "KUAIBAO_ENDPOINT_KEY"


@app.command()
def illustrate(
    file: Annotated[Path, typer.Argument(help="Markdown, LaTeX or HTML: .md, .tex, .html.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="By default FILE.illustrated.md (.tex, .html)."),
    ] = None,
    endpoint: Annotated[
        str,
        typer.Option(help="An OpenAI-compatible address that proposes drawings for the rest."),
    ] = "",
    model: Annotated[str, typer.Option(help="The model to ask there.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Draw the statements of a text beside their paragraphs.

    The key of the endpoint is read from KUAIBAO_ENDPOINT_KEY.
    """
    from kuaibao.cli.progress import progress_bar
    from kuaibao.diagrams.illustrating import KINDS, EndpointProposer
    from kuaibao.diagrams.illustrating import illustrate as run

    suffix = file.suffix.lower()
    if suffix not in KINDS:
        raise InputError(
            f"cannot read {file.suffix or 'a file without an ending'}",
            hint=did_you_mean(suffix, KINDS),
        )
    if bool(endpoint) != bool(model):
        raise InputError("--endpoint and --model go together")
    document = _read(file)
    key = os.environ.get(_KEY_VARIABLE, "")
    proposer = EndpointProposer(endpoint, model, key) if endpoint else None
    with progress_bar("illustrating") as advance:
        made = run(
            document, KINDS[suffix], proposer=proposer, progress=lambda done, _: advance(done)
        )
    target = output or file.with_suffix(f".illustrated{suffix}")
    report = _write(made, file, target)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    typer.echo(f"{len(made.figures)} figures: {target}", err=True)
    for one in made.not_drawn:
        typer.echo(f"{file}:{one.line}: not drawn: {one.statement}\n    {one.reason}", err=True)


def _read(file: Path) -> str:
    from kuaibao.diagrams.illustrating.illustrate import MAX_DOCUMENT_CHARS

    try:
        if file.stat().st_size > 4 * MAX_DOCUMENT_CHARS:
            raise InputError(f"{file} is larger than a text can be")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text: {error.reason}") from error


def _write(made: Illustrated, file: Path, target: Path) -> dict[str, Any]:
    """The text and, for Markdown and LaTeX, its figures' files in a folder beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = f"{target.name.split('.')[0]}-figures"
    ending = {"latex": "pdf", "markdown": "svg"}.get(made.kind, "")

    def file_of(figure: Figure) -> str:
        return f"{folder}/figure-{figure.number}.{ending}" if ending else ""

    for figure in made.figures if ending else ():
        path = target.parent / file_of(figure)
        path.parent.mkdir(parents=True, exist_ok=True)
        layout = figure.layout
        drawn = layout.pdf() if ending == "pdf" else layout.svg(crop=True).encode()
        write_bytes(path, drawn)
    write_text(target, made.text(file_of))
    return {
        "file": str(file),
        "output": str(target),
        "figures": [
            {
                "number": one.number,
                "line": one.line,
                "statement": one.statement,
                "domain": one.domain,
                "substance": one.substance,
                "violation": one.layout.violation,
                "proposed_by": one.proposed_by,
                "file": file_of(one),
            }
            for one in made.figures
        ],
        "not_drawn": [
            {"line": one.line, "statement": one.statement, "reason": one.reason}
            for one in made.not_drawn
        ],
    }
