"""`/v1/kuaibao/templates`: few-shot templates, kept in versions, measured, chosen, used."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from kuaibao.errors import InputError
from kuaibao.service.api.access import CallerOf, CompletionsOf, ServiceOf
from kuaibao.service.api.forms import StrictForm
from kuaibao.service.errors import NotFoundError
from kuaibao.service.few_shot import (
    Example,
    Metric,
    StoredTemplate,
    TemplateBook,
    choose_examples,
    complete_with,
    evaluate,
    parse_template,
)
from kuaibao.service.few_shot.engine_writer import open_writer
from kuaibao.service.service import Caller, Service

__all__ = ["router"]

router = APIRouter(prefix="/v1/kuaibao/templates", tags=["few-shot"])


class NewTemplate(StrictForm):
    """A new version."""

    name: Annotated[str, Field(max_length=80)]
    template: dict[str, Any]


class Task(StrictForm):
    """Something solved by a person."""

    input: Annotated[str, Field(max_length=20_000)]
    output: Annotated[str, Field(max_length=20_000)]


class UseForm(StrictForm):
    """A question for a template."""

    model: str
    input: Annotated[str, Field(min_length=1, max_length=20_000)]
    version: Annotated[int, Field(ge=0)] | None = None


class EvaluationForm(StrictForm):
    """What a template is measured on; without tasks on its own examples, each left out in turn."""

    model: str
    tasks: Annotated[list[Task], Field(max_length=200)] = Field(default_factory=list[Task])
    metric: Metric = "exact"
    version: Annotated[int, Field(ge=0)] | None = None


class ChoiceForm(EvaluationForm):
    """What decides how many examples are shown, and which."""

    counts: Annotated[
        list[Annotated[int, Field(ge=0, le=64)]], Field(min_length=1, max_length=8)
    ] = Field(default_factory=lambda: [0, 1, 2, 4, 8])
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0


def _shown(stored: StoredTemplate) -> dict[str, Any]:
    return asdict(stored)


def _get(service: Service, caller: Caller, name: str, version: int | None = None) -> StoredTemplate:
    try:
        return TemplateBook(service.database).get(caller.person.person_id, name, version)
    except InputError as error:
        raise NotFoundError(error.message, param="name") from error


@router.get("")
def list_templates(caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """The newest version of each of the caller's templates, and those of the program."""
    found = TemplateBook(service.database).list(caller.person.person_id)
    return {"object": "list", "data": [_shown(one) for one in found]}


@router.post("")
def add_template(form: NewTemplate, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Keep a new version; the old ones stay."""
    caller.require("complete")
    template = parse_template(json.dumps(form.template))
    book = TemplateBook(service.database)
    return _shown(book.add(caller.person.person_id, form.name, template, actor=caller.person.name))


@router.get("/{name}")
def get_template(
    name: str, caller: CallerOf, service: ServiceOf, version: int | None = None
) -> dict[str, Any]:
    """A version (the newest), with the others' numbers and what was measured."""
    book, person_id = TemplateBook(service.database), caller.person.person_id
    stored = _get(service, caller, name, version)
    return _shown(stored) | {
        "versions": [one.version for one in book.versions(person_id, name)],
        "reports": book.reports(person_id, name),
    }


@router.delete("/{name}")
def delete_template(name: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Delete all versions of a template."""
    caller.require("complete")
    book = TemplateBook(service.database)
    n_version = book.delete(caller.person.person_id, name, actor=caller.person.name)
    if not n_version:
        raise NotFoundError(f"there is no template {name!r} of yours", param="name")
    return {"name": name, "object": "template", "deleted": True, "versions": n_version}


@router.post("/{name}/complete")
async def use_template(
    name: str, form: UseForm, caller: CallerOf, completions: CompletionsOf
) -> dict[str, Any]:
    """Answer a question after the template's examples."""
    caller.require("complete")
    stored = _get(completions.service, caller, name, form.version)
    writer = await open_writer(completions, caller, form.model)
    output = await complete_with(stored.template, form.input, writer)
    return {
        "object": "template.completion", "name": stored.name, "version": stored.version,
        "model": form.model, "output": output,
    }  # fmt: skip


@router.post("/{name}/evaluate")
async def evaluate_template(
    name: str, form: EvaluationForm, caller: CallerOf, completions: CompletionsOf
) -> dict[str, Any]:
    """Measure a version; the report is kept."""
    caller.require("complete")
    service = completions.service
    stored = _get(service, caller, name, form.version)
    writer = await open_writer(completions, caller, form.model)
    tasks = [Example(task.input, task.output) for task in form.tasks]
    found = await evaluate(
        stored.template, tasks or stored.template.examples, writer, metric=form.metric,
        is_pool=not tasks,
    )  # fmt: skip
    report = {"kind": "evaluation", **found.to_json()}
    TemplateBook(service.database).add_report(caller.person.person_id, stored, form.model, report)
    return {"name": stored.name, "version": stored.version, "model": form.model, **report}


@router.post("/{name}/choose")
async def choose_for_template(
    name: str, form: ChoiceForm, caller: CallerOf, completions: CompletionsOf
) -> dict[str, Any]:
    """Choose how many examples are shown and which; what was chosen is kept as a new version."""
    caller.require("complete")
    service, person_id = completions.service, caller.person.person_id
    stored = _get(service, caller, name, form.version)
    writer = await open_writer(completions, caller, form.model)
    tasks = [Example(task.input, task.output) for task in form.tasks]
    choice = await choose_examples(
        stored.template, tasks, writer, metric=form.metric, counts=form.counts, seed=form.seed
    )
    note = f"chosen for {form.model} by {form.metric} from version {stored.version}"
    chosen = replace(stored.template, selection=choice.selection, note=note)
    book = TemplateBook(service.database)
    kept = book.add(person_id, name, chosen, actor=caller.person.name)
    report = {"kind": "choice", **choice.to_json()}
    book.add_report(person_id, kept, form.model, report)
    return _shown(kept) | {"report": report}
