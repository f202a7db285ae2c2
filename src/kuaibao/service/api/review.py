"""Our own routes: applications, review, keys, usage, held texts, audit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import Field

from kuaibao import accounts
from kuaibao.errors import InputError
from kuaibao.service.api.access import ApplicantOf, CallerOf, ServiceOf
from kuaibao.service.api.forms import StrictForm
from kuaibao.service.errors import NotFoundError
from kuaibao.service.policy import Application, ApplicationForm, Decision, Policy
from kuaibao.service.policy.checks import available_checks
from kuaibao.service.service import SCOPES, Caller, Service
from kuaibao.service.usage import Ceilings
from kuaibao.service.usage import usage_csv as write_csv

__all__ = ["router"]

router = APIRouter(prefix="/v1/kuaibao", tags=["house"])


class ApplyForm(StrictForm):
    """An application."""

    name: str = Field(min_length=1, max_length=200)
    purpose: str
    audience: str
    output_seen_by: str
    human_in_the_loop: str
    expected_tokens_per_day: int = Field(default=0, ge=0, le=10**12)


class DecisionForm(StrictForm):
    """An administrator's decision."""

    status: Literal["approved", "refused", "suspended"]
    reasons: str = Field(min_length=1, max_length=4000)
    exceptions: str = Field(default="", max_length=4000)
    ceilings: dict[str, float] | None = None
    policy: dict[str, Any] | None = None
    expires_at: float | None = None


class MessageForm(StrictForm):
    """A question or an answer."""

    text: str = Field(min_length=1, max_length=4000)


class SwitchForm(StrictForm):
    """The kill switch."""

    is_killed: bool


class KeyForm(StrictForm):
    """A new key."""

    label: str = Field(default="", max_length=200)
    scopes: list[str] = Field(default_factory=list[str], max_length=10)
    expires_at: float | None = None


class HeldForm(StrictForm):
    """What a person makes of a held text."""

    decision: Literal["harmless", "misuse"]


def _shown(application: Application) -> dict[str, Any]:
    value = asdict(application)
    value["policy"] = asdict(application.policy)
    return value


def _own(caller: Caller, service: Service, application_id: int) -> Application:
    """The caller's own application, or anybody's for an administrator."""
    is_admin = "admin" in caller.key.scopes
    try:
        application = service.applications.get(application_id)
    except InputError as error:
        raise NotFoundError(error.message) from error
    if application.person_id != caller.person.person_id and not is_admin:
        raise NotFoundError(f"there is no application {application_id}")
    return application


@router.get("/applications")
def list_applications(caller: ApplicantOf, service: ServiceOf) -> dict[str, Any]:
    """The caller's applications; all of them for an administrator."""
    person = None if "admin" in caller.key.scopes else caller.person.person_id
    data = [_shown(a) for a in service.applications.list(person_id=person)]
    return {"object": "list", "data": data}


@router.post("/applications")
def apply(form: ApplyForm, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """File an application."""
    values = form.model_dump()
    name = values.pop("name")
    application = service.applications.submit(
        caller.person.person_id, name, ApplicationForm(**values), actor=caller.person.name
    )
    return _shown(application)


@router.get("/applications/{application_id}")
def get_application(application_id: int, caller: ApplicantOf, service: ServiceOf) -> dict[str, Any]:
    """An application with its history."""
    application = _own(caller, service, application_id)
    events = [asdict(e) for e in service.applications.events(application_id)]
    return _shown(application) | {"events": events}


@router.post("/applications/{application_id}/answer")
def answer(
    application_id: int, form: MessageForm, caller: ApplicantOf, service: ServiceOf
) -> dict[str, Any]:
    """Answer the reviewer's question."""
    _own(caller, service, application_id)
    return _shown(service.applications.answer(application_id, form.text, actor=caller.person.name))


@router.post("/applications/{application_id}/question")
def ask(
    application_id: int, form: MessageForm, caller: CallerOf, service: ServiceOf
) -> dict[str, Any]:
    """Ask the applicant (administrators)."""
    caller.require("admin")
    _own(caller, service, application_id)
    return _shown(service.applications.ask(application_id, form.text, actor=caller.person.name))


@router.post("/applications/{application_id}/decision")
def decide(
    application_id: int, form: DecisionForm, caller: CallerOf, service: ServiceOf
) -> dict[str, Any]:
    """Approve, refuse or suspend (administrators)."""
    caller.require("admin")
    _own(caller, service, application_id)
    decision = Decision(
        status=form.status,
        reasons=form.reasons,
        exceptions=form.exceptions,
        ceilings=_ceilings(form.ceilings),
        policy=_policy(form.policy),
        expires_at=form.expires_at,
    )
    return _shown(service.applications.decide(application_id, decision, actor=caller.person.name))


def _ceilings(values: dict[str, float] | None) -> Ceilings | None:
    if values is None:
        return None
    known = asdict(Ceilings())
    for name, value in values.items():
        if name not in known:
            raise InputError(f"unknown ceiling {name!r}: one of {', '.join(known)}")
        if not 0 <= value < 1e15:
            raise InputError(f"{name} must be 0 (no ceiling) or more, got {value}")
    return Ceilings(**{k: type(known[k])(v) for k, v in values.items()})


def _policy(values: dict[str, Any] | None) -> Policy | None:
    if values is None:
        return None
    import json

    return Policy.from_json(json.dumps(values), available_checks())


@router.post("/applications/{application_id}/switch")
def switch(
    application_id: int, form: SwitchForm, caller: CallerOf, service: ServiceOf
) -> dict[str, Any]:
    """The kill switch (administrators)."""
    caller.require("admin")
    _own(caller, service, application_id)
    return _shown(
        service.applications.set_killed(application_id, form.is_killed, actor=caller.person.name)
    )


@router.post("/applications/{application_id}/keys")
def create_key(
    application_id: int, form: KeyForm, caller: CallerOf, service: ServiceOf
) -> dict[str, Any]:
    """A new key; its secret is shown this once."""
    application = _own(caller, service, application_id)
    _check_scopes(tuple(form.scopes), caller)
    secret, key = service.make_key(
        application, label=form.label, scopes=tuple(form.scopes), expires_at=form.expires_at,
        actor=caller.person.name,
    )  # fmt: skip
    return asdict(key) | {"secret": secret}


@router.get("/keys")
def list_keys(caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """The caller's keys, without their secrets."""
    person = None if "admin" in caller.key.scopes else caller.person.person_id
    with service.database.read() as connection:
        keys = accounts.list_keys(connection, person_id=person)
    return {"object": "list", "data": [asdict(k) for k in keys]}


@router.delete("/keys/{key_id}")
def revoke_key(key_id: int, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """End a key at once."""
    _check_key_owner(key_id, caller, service)
    with service.database.write() as connection:
        key = accounts.revoke_key(connection, key_id)
        accounts.append_audit(
            connection, chain="service", actor=caller.person.name, action="key revoked",
            subject=f"key:{key_id}",
        )  # fmt: skip
    return asdict(key)


@router.post("/keys/{key_id}/rotate")
def rotate_key(key_id: int, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """A successor; the old key works for another hour."""
    _check_key_owner(key_id, caller, service)
    with service.database.read() as connection:
        (old,) = [k for k in accounts.list_keys(connection) if k.key_id == key_id]
    _check_scopes(old.scopes, caller)
    secret, key = service.rotate_key(key_id, actor=caller.person.name)
    return asdict(key) | {"secret": secret}


def _check_scopes(wanted: tuple[str, ...], caller: Caller) -> None:
    """A key makes none that may more than itself; none named means everything but `admin`."""
    for scope in wanted or tuple(s for s in SCOPES if s != "admin"):
        # An unknown scope is told as such when the key is made.
        if scope in SCOPES:
            caller.require(scope)


def _check_key_owner(key_id: int, caller: Caller, service: Service) -> None:
    person = None if "admin" in caller.key.scopes else caller.person.person_id
    with service.database.read() as connection:
        keys = accounts.list_keys(connection, person_id=person)
    if key_id not in {k.key_id for k in keys}:
        raise NotFoundError(f"there is no key {key_id}")


@router.get("/usage")
def usage(
    caller: CallerOf, service: ServiceOf, by: str = "day", since: float = 0.0
) -> dict[str, Any]:
    """Sums by key, person, application, model, endpoint, end user or day."""
    person = None if "admin" in caller.key.scopes else caller.person.person_id
    try:
        totals = service.ledger.totals(by, since=since, person_id=person)
    except ValueError as error:
        raise InputError(str(error)) from error
    currency = service.settings.currency
    return {"object": "list", "currency": currency, "data": [asdict(t) for t in totals]}


@router.get("/usage.csv", response_class=PlainTextResponse)
def usage_csv(caller: CallerOf, service: ServiceOf, since: float = 0.0) -> PlainTextResponse:
    """Every request as a line."""
    person = None if "admin" in caller.key.scopes else caller.person.person_id
    text = write_csv(service.ledger.rows(since=since, person_id=person))
    return PlainTextResponse(text, media_type="text/csv; charset=utf-8")


@router.get("/held")
def list_held(caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Texts that wait for a person (administrators)."""
    caller.require("admin")
    return {"object": "list", "data": [asdict(h) for h in service.review_queue.waiting()]}


@router.post("/held/{held_id}")
def decide_held(
    held_id: int, form: HeldForm, caller: CallerOf, service: ServiceOf
) -> dict[str, Any]:
    """Judge a held text (administrators)."""
    caller.require("admin")
    return asdict(service.review_queue.decide(held_id, form.decision, actor=caller.person.name))


@router.get("/audit")
def audit(caller: CallerOf, service: ServiceOf, after: int = 0) -> dict[str, Any]:
    """The audit log, verified (administrators)."""
    caller.require("admin")
    with service.database.read() as connection:
        n_entry = accounts.verify_audit(connection, chain="service")
        entries = accounts.list_audit(connection, chain="service", after=max(0, after))
    return {"object": "list", "verified": n_entry, "data": [asdict(e) for e in entries]}
