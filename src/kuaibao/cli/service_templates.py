"""`kuaibao service template`: few-shot templates from the shell, as the house's own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.cli.service_data import FOLDER, Data, Json, open_data, print_lines
from kuaibao.errors import InputError

if TYPE_CHECKING:
    from kuaibao.service.few_shot import Example, Metric, StoredTemplate, Writes
    from kuaibao.service.service import Caller, Service

app = typer.Typer(no_args_is_help=True, help="Few-shot templates: keep, measure, choose, use.")

Model = Annotated[
    str, typer.Option("--model", help="NAME=FOLDER or NAME=URL; the small model if not given.")
]
Person = Annotated[int, typer.Option(help="Whose templates; the first administrator's.")]
Tasks = Annotated[Path, typer.Argument(help="JSON lines with input and output.", exists=True)]
MetricName = Annotated[str, typer.Option(help="exact, rouge_l or likelihood.")]


@app.command("list")
def list_templates(person: Person = 1, data: Data = FOLDER, as_json: Json = False) -> None:
    """The newest version of each template."""
    from kuaibao.service.few_shot import TemplateBook

    found = TemplateBook(open_data(data).database).list(person)
    lines = [f"{one.name}\t{one.version}\t{_selection(one)}" for one in found]
    print_lines([asdict(one) for one in found], as_json, lines)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Of the template.")],
    file: Annotated[Path, typer.Argument(help="TOML or JSON.", exists=True, dir_okay=False)],
    person: Person = 1,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Keep a file as the newest version of a template."""
    from kuaibao.service.few_shot import TemplateBook, parse_template

    text = _read(file)
    template = parse_template(text, is_toml=file.suffix == ".toml")
    book = TemplateBook(open_data(data).database)
    stored = book.add(person, name, template, actor="shell")
    print_lines(asdict(stored), as_json, [f"{name}: version {stored.version} is kept"])


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Of the template.")],
    version: Annotated[int | None, typer.Option(min=0, help="The newest if not given.")] = None,
    person: Person = 1,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """A version and what was measured of the template."""
    from kuaibao.service.few_shot import TemplateBook

    book = TemplateBook(open_data(data).database)
    stored, reports = book.get(person, name, version), book.reports(person, name)
    versions = [one.version for one in book.versions(person, name)]
    lines = [f"{name} {stored.version} of {versions}: {_selection(stored)}",
             stored.template.instruction]  # fmt: skip
    lines += [f"  {e.input} → {e.output}" for e in stored.template.examples]
    lines += [f"  version {r['version']}, {r['model']}: {_figure(r)}" for r in reports]
    document = asdict(stored) | {"versions": versions, "reports": reports}
    print_lines(document, as_json, lines)


@app.command()
def complete(
    name: Annotated[str, typer.Argument(help="Of the template.")],
    text: Annotated[str, typer.Argument(help="The question.")],
    model: Model = "",
    version: Annotated[int | None, typer.Option(min=0)] = None,
    person: Person = 1,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Answer a question after the template's examples."""
    from kuaibao.service.few_shot import TemplateBook, complete_with

    service, model_name = _with_model(data, model)
    stored = TemplateBook(service.database).get(person, name, version)
    output = _run(service, model_name, lambda w: complete_with(stored.template, text, w))
    document = {"name": name, "version": stored.version, "model": model_name, "output": output}
    print_lines(document, as_json, [output])


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(help="Of the template.")],
    tasks: Tasks,
    metric: MetricName = "exact",
    model: Model = "",
    version: Annotated[int | None, typer.Option(min=0)] = None,
    person: Person = 1,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Measure a version on solved tasks, with its interval; the report is kept."""
    from kuaibao.cli.progress import progress_bar
    from kuaibao.service.few_shot import TemplateBook
    from kuaibao.service.few_shot import evaluate as measure

    service, model_name = _with_model(data, model)
    book = TemplateBook(service.database)
    stored, solved, chosen = book.get(person, name, version), _tasks(tasks), _metric(metric)
    with progress_bar("Tasks", total=len(solved)) as advance:
        found = _run(service, model_name, lambda w: measure(
            stored.template, solved, w, metric=chosen, progress=advance))  # fmt: skip
    report = {"kind": "evaluation", **found.to_json()}
    book.add_report(person, stored, model_name, report)
    document = {"name": name, "version": stored.version, "model": model_name, **report}
    print_lines(document, as_json, [_figure(report)])


@app.command()
def choose(
    name: Annotated[str, typer.Argument(help="Of the template.")],
    tasks: Tasks,
    metric: MetricName = "exact",
    count: Annotated[
        list[int] | None, typer.Option(min=0, max=64, help="Examples to try; may repeat.")
    ] = None,
    model: Model = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    person: Person = 1,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Choose how many examples are shown and which; kept as a new version with its report."""
    from kuaibao.cli.progress import progress_bar
    from kuaibao.service.few_shot import TemplateBook, choose_examples

    service, model_name = _with_model(data, model)
    book = TemplateBook(service.database)
    stored, solved, chosen = book.get(person, name), _tasks(tasks), _metric(metric)
    with progress_bar("Trying examples", total=None) as advance:
        choice = _run(service, model_name, lambda w: choose_examples(
            stored.template, solved, w, metric=chosen, counts=count or (0, 1, 2, 4, 8), seed=seed,
            progress=advance))  # fmt: skip
    note = f"chosen for {model_name} by {metric} from version {stored.version}"
    template = replace(stored.template, selection=choice.selection, note=note)
    kept = book.add(person, name, template, actor="shell")
    report = {"kind": "choice", **choice.to_json()}
    book.add_report(person, kept, model_name, report)
    document = asdict(kept) | {"report": report}
    lines = [f"{name} {kept.version}: {_selection(kept)}", _figure(report)]
    print_lines(document, as_json, lines)


def _selection(stored: StoredTemplate) -> str:
    chosen = stored.template.selection
    return f"{chosen.n_example} of {len(stored.template.examples)} examples, {chosen.how}"


def _figure(report: dict[str, Any]) -> str:
    def of(one: dict[str, Any]) -> str:
        return (f"{one['metric']} {one['mean']:.3f} "
                f"[{one['low']:.3f}, {one['high']:.3f}] on {one['n']}")  # fmt: skip

    if report["kind"] == "choice":
        return f"{of(report['test'])}; without examples {of(report['zero_shot'])}"
    return of(report)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} can't be read: {error}") from error


def _tasks(file: Path) -> list[Example]:
    from kuaibao.service.few_shot import Example

    found: list[Example] = []
    for number, line in enumerate(_read(file).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
            found.append(Example(str(row["input"]), str(row["output"])))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{file}:{number}: needs input and output") from error
    return found


def _metric(name: str) -> Metric:
    from kuaibao.errors import did_you_mean
    from kuaibao.service.few_shot import METRICS

    for metric in METRICS:
        if metric == name:
            return metric
    raise InputError(f"unknown metric {name!r}", hint=did_you_mean(name, METRICS))


def _with_model(data: Path, model: str) -> tuple[Service, str]:
    from kuaibao.service.models import default_models

    name, equals, where = model.partition("=")
    if model and not (name and equals and where):
        raise InputError(f"--model {model!r}: expected NAME=FOLDER or NAME=URL")
    models = {name: where} if model else dict(default_models())
    return open_data(data, models), next(iter(models))


def _run(service: Service, model: str, work: Any) -> Any:
    """Run with the model; what it uses is entered under the house's own application."""
    from kuaibao.service.completions import Completions
    from kuaibao.service.few_shot.engine_writer import open_writer

    async def run() -> Any:
        writer: Writes = await open_writer(Completions(service), _house(service), model)
        return await work(writer)

    try:
        return asyncio.run(run())
    finally:
        service.close()


def _house(service: Service) -> Caller:
    from kuaibao import accounts
    from kuaibao.service.service import Caller

    with service.database.read() as connection:
        keys = [k for k in accounts.list_keys(connection) if "admin" in k.scopes]
        if not keys:
            raise InputError("the service has no administrator yet: start it once")
        person = accounts.get_person(connection, keys[0].person_id)
    return Caller(keys[0], person, service.applications.of_key(keys[0].key_id))
