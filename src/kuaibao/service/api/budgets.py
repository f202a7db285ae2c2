"""`/v1/kuaibao/budgets`: what a key, an application or a person may use in a month."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from kuaibao import accounts
from kuaibao.errors import InputError
from kuaibao.service.api.access import CallerOf, ServiceOf
from kuaibao.service.api.forms import StrictForm
from kuaibao.service.errors import ForbiddenError, NotFoundError
from kuaibao.service.service import Caller, Service
from kuaibao.service.usage import Budget

__all__ = ["router"]

router = APIRouter(prefix="/v1/kuaibao/budgets", tags=["house"])


class BudgetForm(StrictForm):
    """A budget for a calendar month."""

    scope: Literal["key", "application", "person"]
    subject_id: Annotated[int, Field(ge=1, le=2**31)]
    amount: Annotated[float, Field(gt=0, lt=1e15)]
    unit: Literal["money", "tokens"] = "money"
    thresholds: Annotated[
        list[Annotated[int, Field(ge=1, le=1000)]], Field(min_length=1, max_length=10)
    ] = Field(default_factory=lambda: [50, 80, 100])
    is_hard: bool = False
    email: Annotated[str, Field(max_length=200, pattern=r"^$|^[^@\s]+@[^@\s]+$")] = ""


def _is_admin(caller: Caller) -> bool:
    return "admin" in caller.key.scopes


def _is_own(caller: Caller, service: Service, scope: str, subject_id: int) -> bool:
    if _is_admin(caller):
        return True
    person_id = caller.person.person_id
    if scope == "person":
        return subject_id == person_id
    if scope == "application":
        own = service.applications.list(person_id=person_id)
        return subject_id in {a.application_id for a in own}
    with service.database.read() as connection:
        keys = accounts.list_keys(connection, person_id=person_id)
    return subject_id in {key.key_id for key in keys}


@router.get("")
def list_budgets(caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """The caller's budgets with what is used of them, and their latest alerts."""
    own = [b for b in service.budgets.list() if _is_own(caller, service, b.scope, b.subject_id)]
    rows: list[dict[str, Any]] = []
    for one in own:
        used = service.budgets.used(one)
        rows.append(asdict(one) | {"used": used, "share": used / one.amount})
    alerts = [
        {
            "budget_id": a.budget.budget_id, "scope": a.budget.scope,
            "subject_id": a.budget.subject_id, "month": a.month, "threshold": a.threshold,
            "used": a.used, "at": a.at,
        }
        for a in service.budgets.alerts(own)
    ]  # fmt: skip
    currency = service.settings.currency
    return {"object": "list", "currency": currency, "data": rows, "alerts": alerts}


@router.post("")
def set_budget(form: BudgetForm, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Set a budget; one that an administrator set is only changed by administrators."""
    if not _is_own(caller, service, form.scope, form.subject_id):
        raise NotFoundError(f"there is no {form.scope} {form.subject_id}", param="subject_id")
    for one in service.budgets.list():
        is_same = (one.scope, one.subject_id, one.unit) == (form.scope, form.subject_id, form.unit)
        if is_same:
            _check_may_change(one, caller)
    new = Budget(
        scope=form.scope, subject_id=form.subject_id, amount=form.amount, unit=form.unit,
        thresholds=tuple(form.thresholds), is_hard=form.is_hard, email=form.email,
        is_by_admin=_is_admin(caller),
    )  # fmt: skip
    return asdict(service.budgets.set(new, actor=caller.person.name))


@router.delete("/{budget_id}")
def remove_budget(budget_id: int, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """End a budget."""
    try:
        one = service.budgets.get(budget_id)
    except InputError as error:
        raise NotFoundError(error.message) from error
    if not _is_own(caller, service, one.scope, one.subject_id):
        raise NotFoundError(f"there is no budget {budget_id}")
    _check_may_change(one, caller)
    service.budgets.remove(budget_id, actor=caller.person.name)
    return {"budget_id": budget_id, "object": "budget", "deleted": True}


def _check_may_change(one: Budget, caller: Caller) -> None:
    if one.is_by_admin and not _is_admin(caller):
        raise ForbiddenError("an administrator set this budget", code="budget_of_administrator")
