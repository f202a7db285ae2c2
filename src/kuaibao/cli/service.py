"""`kuaibao service`: applications, review, keys, usage and audit from the shell.

It works on the service's data folder directly, as its owner; the API does the same over keys.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.cli.service_data import FOLDER, Data, Json, open_data, print_lines
from kuaibao.cli.service_templates import app as template_app
from kuaibao.errors import InputError

if TYPE_CHECKING:
    from kuaibao.service.service import Service

app = typer.Typer(no_args_is_help=True)

app.add_typer(template_app, name="template")


@app.command()
def apply(
    person: Annotated[str, typer.Option(help="Who applies; an account is made if need be.")],
    name: Annotated[str, typer.Option(help="Name of the application.")],
    purpose: Annotated[str, typer.Option(help="What the text is used for.")],
    audience: Annotated[str, typer.Option(help="Who the users are.")],
    output_seen_by: Annotated[str, typer.Option(help="Who sees the output, and where.")],
    human_in_the_loop: Annotated[str, typer.Option(help="Who reads it before use.")],
    expected_tokens_per_day: Annotated[int, typer.Option(min=0)] = 0,
    email: Annotated[str, typer.Option(help="Where to write to them.")] = "",
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """File an application."""
    from kuaibao import accounts
    from kuaibao.service.policy import ApplicationForm

    service = open_data(data)
    form = ApplicationForm(
        purpose=purpose,
        audience=audience,
        output_seen_by=output_seen_by,
        human_in_the_loop=human_in_the_loop,
        expected_tokens_per_day=expected_tokens_per_day,
    )
    form.check()
    with service.database.write() as connection:
        applicant = accounts.find_person(connection, person) or accounts.create_person(
            connection, person, password=None, roles=["developer"], email=email
        )
    application = service.applications.submit(applicant.person_id, name, form, actor=person)
    print_lines(
        asdict(application),
        as_json,
        [f"Application {application.application_id} was submitted: {application.name}"],
    )


@app.command()
def review(
    application_id: Annotated[
        int | None, typer.Argument(help="Without it: those that wait.")
    ] = None,
    approve: Annotated[bool, typer.Option("--approve")] = False,
    refuse: Annotated[bool, typer.Option("--refuse")] = False,
    suspend: Annotated[bool, typer.Option("--suspend")] = False,
    ask: Annotated[str, typer.Option(help="A question to the applicant.")] = "",
    answer: Annotated[str, typer.Option(help="The applicant's answer.")] = "",
    switch_off: Annotated[bool, typer.Option("--switch-off", help="The kill switch.")] = False,
    switch_on: Annotated[bool, typer.Option("--switch-on")] = False,
    reasons: Annotated[str, typer.Option(help="Why; needed for a decision.")] = "",
    exceptions: Annotated[str, typer.Option(help="Where the rules were not followed.")] = "",
    ceiling: Annotated[
        list[str] | None, typer.Option(help="NAME=NUMBER, as in tokens_per_day=50000; may repeat.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy as JSON.")] = None,
    expires_in_days: Annotated[float | None, typer.Option(min=0)] = None,
    reviewer: Annotated[str, typer.Option(help="Who decides.")] = "administrator",
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Look at applications, ask, answer, approve, refuse, suspend, switch off."""
    from kuaibao.service.policy import Decision, Policy
    from kuaibao.service.policy.checks import available_checks

    service = open_data(data)
    if application_id is None:
        waiting = [a for a in service.applications.list() if a.status in ("submitted", "questions")]
        lines = [f"{a.application_id}\t{a.status}\t{a.name}" for a in waiting]
        print_lines([asdict(a) for a in waiting], as_json, lines or ["No application waits."])
        return
    chosen = [approve, refuse, suspend, bool(ask), bool(answer), switch_off, switch_on]
    if sum(chosen) > 1:
        raise InputError(
            "choose one of --approve, --refuse, --suspend, --ask, --answer, --switch-*"
        )
    book = service.applications
    if ask:
        book.ask(application_id, ask, actor=reviewer)
    elif answer:
        book.answer(application_id, answer, actor="applicant")
    elif switch_off or switch_on:
        book.set_killed(application_id, switch_off, actor=reviewer)
    elif any(chosen):
        decision = Decision(
            status="approved" if approve else "refused" if refuse else "suspended",
            reasons=reasons,
            exceptions=exceptions,
            ceilings=_ceilings(service, application_id, ceiling or []),
            policy=None
            if policy is None
            else Policy.from_json(policy.read_text(encoding="utf-8"), available_checks()),
            expires_at=None if expires_in_days is None else time.time() + expires_in_days * 86_400,
        )
        book.decide(application_id, decision, actor=reviewer)
    application, events = book.get(application_id), book.events(application_id)
    lines = [f"{application.application_id}\t{application.status}\t{application.name}"]
    lines += [f"  {name}: {text}" for name, text in asdict(application.form).items()]
    lines += [f"  {e.kind} by {e.actor}: {e.text}" for e in events]
    print_lines(asdict(application) | {"events": [asdict(e) for e in events]}, as_json, lines)


def _ceilings(service: Service, application_id: int, values: list[str]) -> Any:
    present = service.applications.get(application_id).ceilings
    known = asdict(present)
    changes: dict[str, float] = {}
    for value in values:
        name, _, number = value.partition("=")
        if name not in known:
            raise InputError(f"unknown ceiling {name!r}", hint=f"Known: {', '.join(known)}.")
        try:
            changes[name] = type(known[name])(float(number))
        except ValueError as error:
            raise InputError(f"--ceiling {value!r}: expected NAME=NUMBER") from error
    return replace(present, **changes)  # type: ignore[arg-type]


@app.command()
def keys(
    make_for: Annotated[int | None, typer.Option("--make-for", help="Application.")] = None,
    label: Annotated[str, typer.Option(help="What the new key is for.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help="May repeat; none: all but admin.")
    ] = None,
    expires_in_days: Annotated[
        float | None, typer.Option(min=0, help="When the new key ends; else never.")
    ] = None,
    rotate: Annotated[
        int | None,
        typer.Option(help="Number of a key that gets a successor; it works for another hour."),
    ] = None,
    revoke: Annotated[int | None, typer.Option(help="Number of the key to end.")] = None,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """List keys, make one (its secret is shown once), give one a successor, or end one."""
    from kuaibao import accounts

    service = open_data(data)
    if sum(number is not None for number in (make_for, rotate, revoke)) > 1:
        raise InputError("choose one of --make-for, --rotate, --revoke")
    if make_for is not None or rotate is not None:
        if rotate is not None:
            secret, key = service.rotate_key(rotate, actor="shell")
        else:
            assert make_for is not None
            ends = None if expires_in_days is None else time.time() + expires_in_days * 86_400
            secret, key = service.make_key(
                service.applications.get(make_for), label=label, scopes=tuple(scope or []),
                expires_at=ends, actor="shell",
            )  # fmt: skip
        print_lines(asdict(key) | {"secret": secret}, as_json, [f"Key {key.key_id}: {secret}"])
        return
    if revoke is not None:
        with service.database.write() as connection:
            accounts.revoke_key(connection, revoke)
            accounts.append_audit(
                connection, chain="service", actor="shell", action="key revoked",
                subject=f"key:{revoke}",
            )  # fmt: skip
    with service.database.read() as connection:
        found = accounts.list_keys(connection)
    lines = [
        f"{k.key_id}\t{k.prefix}…\t{'revoked' if k.revoked_at else 'open'}\t{k.label}"
        for k in found
    ]
    print_lines([asdict(k) for k in found], as_json, lines or ["There is no key."])


@app.command()
def held(
    harmless: Annotated[
        int | None, typer.Option(help="Number of a text that may pass when it comes again.")
    ] = None,
    misuse: Annotated[
        int | None, typer.Option(help="Number of a text that is refused from now on.")
    ] = None,
    reviewer: Annotated[str, typer.Option(help="Who judges.")] = "administrator",
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Texts that wait for a person; judge one."""
    queue = open_data(data).review_queue
    if harmless is not None and misuse is not None:
        raise InputError("choose one of --harmless, --misuse")
    if harmless is not None:
        queue.decide(harmless, "harmless", actor=reviewer)
    elif misuse is not None:
        queue.decide(misuse, "misuse", actor=reviewer)
    waiting = queue.waiting()
    lines = [
        f"{t.held_id}\tapplication {t.application_id}\t{t.side}\t{t.reason}\n  {t.text!r}"
        for t in waiting
    ]
    print_lines([asdict(t) for t in waiting], as_json, lines or ["No text waits."])


@app.command()
def usage(
    by: Annotated[
        str, typer.Option(help="key_id, person_id, application_id, model, day, …")
    ] = "day",
    days: Annotated[float, typer.Option(min=0, help="How far back.")] = 31,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every request as CSV.")] = False,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Tokens and cost, summed, or request by request."""
    service = open_data(data)
    if as_csv:
        from kuaibao.service.usage import usage_csv

        typer.echo(usage_csv(service.ledger.rows(since=time.time() - days * 86_400)), nl=False)
        return
    try:
        totals = service.ledger.totals(by, since=time.time() - days * 86_400)
    except ValueError as error:
        raise InputError(str(error)) from error
    currency = service.settings.currency
    lines = [
        f"{t.group}\t{t.n_request} requests\t{t.n_prompt_token} + {t.n_completion_token} tokens"
        f"\t{t.cost:.4f} {currency}"
        for t in totals
    ]
    print_lines([asdict(t) for t in totals], as_json, lines or ["Nothing was used."])


@app.command()
def audit(
    after: Annotated[int, typer.Option(min=0, help="Only entries behind this one.")] = 0,
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """Verify the audit log's chain and print it."""
    from kuaibao import accounts

    service = open_data(data)
    with service.database.read() as connection:
        n_entry = accounts.verify_audit(connection, chain="service")
        entries = accounts.list_audit(connection, chain="service", after=after)
    lines = [f"{e.position}\t{e.actor}\t{e.action}\t{e.subject}" for e in entries]
    document = {"verified": n_entry, "entries": [asdict(e) for e in entries]}
    print_lines(document, as_json, [*lines, f"The chain of {n_entry} entries holds."])


@app.command()
def budgets(
    target: Annotated[
        str, typer.Argument(help="key:NUMBER, application:NUMBER or person:NUMBER; none lists.")
    ] = "",
    amount: Annotated[
        float | None, typer.Option(min=0, help="For a month; 0 ends the budget.")
    ] = None,
    unit: Annotated[str, typer.Option(help="money or tokens.")] = "money",
    threshold: Annotated[
        list[int] | None, typer.Option(help="Percent at which somebody is told; may repeat.")
    ] = None,
    hard: Annotated[bool, typer.Option("--hard", help="Refuse requests when it is spent.")] = False,
    email: Annotated[str, typer.Option(help="Who is told by mail.")] = "",
    data: Data = FOLDER,
    as_json: Json = False,
) -> None:
    """List budgets with what is used of them and their alerts; set or end one."""
    from kuaibao.service.usage import Budget

    service = open_data(data)
    book = service.budgets
    if target:
        scope, _, number = target.partition(":")
        if not number.isdigit() or amount is None:
            raise InputError("name a target and an amount: key:3 --amount 20")
        own = [
            b for b in book.list() if (b.scope, b.subject_id, b.unit) == (scope, int(number), unit)
        ]
        if amount == 0:
            for one in own:
                book.remove(one.budget_id, actor="shell")
        else:
            named: Any = {"scope": scope, "unit": unit}
            new = Budget(
                **named, subject_id=int(number), amount=amount, is_hard=hard, email=email,
                thresholds=tuple(threshold or (50, 80, 100)), is_by_admin=True,
            )  # fmt: skip
            book.set(new, actor="shell")
    found = book.list()
    rows = [asdict(one) | {"used": book.used(one)} for one in found]
    lines = [
        f"{r['scope']}:{r['subject_id']}\t{r['used']:g} of {r['amount']:g} {r['unit']}"
        f" {'(hard)' if r['is_hard'] else ''}"
        for r in rows
    ]
    alerts = book.alerts(found)
    lines += [
        f"! {a.month}: {a.threshold} % of {a.budget.scope}:{a.budget.subject_id} ({a.used:g})"
        for a in alerts
    ]
    document = {"budgets": rows, "alerts": [asdict(a) for a in alerts]}
    print_lines(document, as_json, lines or ["There is no budget."])
