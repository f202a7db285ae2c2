"""Budgets by month for a key, an application or a person: alerts at thresholds, or an end.

What was used is summed from the ledger once and then counted along, so that a request costs no
query. An alert is a row with a unique threshold and month: it is given once, whatever restarts.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from kuaibao.accounts import append_audit
from kuaibao.database import Database
from kuaibao.errors import InputError
from kuaibao.service.errors import RateLimitError
from kuaibao.service.tables import budget, budget_alert, usage
from kuaibao.service.usage.ledger import UsageRow

__all__ = ["Alert", "Budget", "BudgetBook", "Scope", "Unit"]

Scope = Literal["key", "application", "person"]
Unit = Literal["money", "tokens"]

RELOAD_S = 10.0
"""After this, budgets that another process set are seen."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What may be used in a calendar month (UTC)."""

    scope: Scope
    subject_id: int
    """Number of the key, application or person."""
    amount: float
    unit: Unit = "money"
    """Money in the price list's currency, or tokens in and out."""
    thresholds: tuple[int, ...] = (50, 80, 100)
    """Percents at which somebody is told."""
    is_hard: bool = False
    """Whether requests are refused when it is spent."""
    email: str = ""
    """Who is told besides the log and the console."""
    is_by_admin: bool = False
    """Whether only an administrator may change it."""
    budget_id: int = 0

    def check(self) -> None:
        """Raise `InputError` for a scope, amount or threshold that is none."""
        if self.scope not in get_args(Scope):
            raise InputError(f"unknown scope {self.scope!r}: one of {', '.join(get_args(Scope))}")
        if self.unit not in get_args(Unit):
            raise InputError(f"unknown unit {self.unit!r}: one of {', '.join(get_args(Unit))}")
        if not 0 < self.amount < 1e15:
            raise InputError(f"a budget is above 0, got {self.amount}")
        if not self.thresholds or any(not 1 <= t <= 1000 for t in self.thresholds):
            raise InputError("thresholds are percents from 1 to 1000, at least one")
        if len(self.thresholds) > 10:
            raise InputError("at most 10 thresholds")


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A threshold that was reached."""

    budget: Budget
    month: str
    threshold: int
    used: float
    at: float


@dataclass
class _Running:
    budget: Budget
    month: str
    used: float
    told: set[int]
    """Thresholds of the month of which somebody was told."""


class BudgetBook:
    """Keeps budgets and tells when a threshold is reached; safe to call from any thread.

    Args:
        database: Where.
        tell: Called with each alert, once.
    """

    def __init__(self, database: Database, tell: Callable[[Alert], None]) -> None:
        self._database = database
        self._tell = tell
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], list[_Running]] = {}
        self._loaded_at = -RELOAD_S

    def set(self, new: Budget, *, actor: str) -> Budget:
        """Set the budget of a scope, subject and unit; a former one is replaced.

        Raises:
            InputError: A field is wrong.
        """
        new.check()
        values: dict[str, Any] = {
            "amount": new.amount, "thresholds": json.dumps(sorted(set(new.thresholds))),
            "is_hard": new.is_hard, "email": new.email, "is_by_admin": new.is_by_admin,
        }  # fmt: skip
        key = {"scope": new.scope, "subject_id": new.subject_id, "unit": new.unit}
        where = [budget.c[name] == value for name, value in key.items()]
        with self._database.write() as connection:
            if not connection.execute(update(budget).where(*where).values(**values)).rowcount:
                connection.execute(insert(budget).values(**key, **values))
            row = connection.execute(select(budget).where(*where)).one()
            # Another amount: its thresholds count anew.
            connection.execute(
                delete(budget_alert).where(budget_alert.c.budget_id == row.budget_id)
            )
            append_audit(
                connection, chain="service", actor=actor, action="budget set",
                subject=f"{new.scope}:{new.subject_id}",
                details={"amount": new.amount, "unit": new.unit, "is_hard": new.is_hard},
            )  # fmt: skip
        self._forget()
        return _budget(row)

    def remove(self, budget_id: int, *, actor: str) -> None:
        """End a budget.

        Raises:
            InputError: There is none with that number.
        """
        ended = self.get(budget_id)
        with self._database.write() as connection:
            connection.execute(delete(budget).where(budget.c.budget_id == budget_id))
            connection.execute(delete(budget_alert).where(budget_alert.c.budget_id == budget_id))
            append_audit(
                connection, chain="service", actor=actor, action="budget removed",
                subject=f"{ended.scope}:{ended.subject_id}",
            )  # fmt: skip
        self._forget()

    def get(self, budget_id: int) -> Budget:
        """One budget, or `InputError`."""
        with self._database.read() as connection:
            row = connection.execute(select(budget).where(budget.c.budget_id == budget_id)).first()
        if row is None:
            raise InputError(f"there is no budget {budget_id}")
        return _budget(row)

    def list(self) -> list[Budget]:
        """All budgets."""
        with self._database.read() as connection:
            rows = connection.execute(select(budget).order_by(budget.c.budget_id)).all()
        return [_budget(row) for row in rows]

    def used(self, one: Budget, *, now: float | None = None, with_open: bool = True) -> float:
        """What was used of a budget this month, from the ledger; also by requests at work."""
        start = _month_start(time.time() if now is None else now)
        amount = usage.c.cost if one.unit == "money" else (
            usage.c.n_prompt_token + usage.c.n_completion_token
        )  # fmt: skip
        query = select(func.coalesce(func.sum(amount), 0)).where(
            usage.c[f"{one.scope}_id"] == one.subject_id, usage.c.at >= start.timestamp()
        )
        if not with_open:
            query = query.where(usage.c.status != "open")
        with self._database.read() as connection:
            return float(connection.execute(query).scalar_one())

    def alerts(self, budgets: Sequence[Budget], *, limit: int = 100) -> list[Alert]:
        """The latest alerts of these budgets, newest first."""
        by_id = {one.budget_id: one for one in budgets}
        query = (
            select(budget_alert)
            .where(budget_alert.c.budget_id.in_(by_id))
            .order_by(budget_alert.c.alert_id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                Alert(budget=by_id[row.budget_id], month=row.month, threshold=row.threshold,
                      used=row.used, at=row.at)
                for row in connection.execute(query)
            ]  # fmt: skip

    def check(self, row: UsageRow, *, now: float | None = None) -> None:
        """Refuse a request whose hard budget is spent.

        Raises:
            RateLimitError: With `insufficient_quota`.
        """
        with self._lock:
            spent = [r.budget for r in self._of(row, time.time() if now is None else now)
                     if r.budget.is_hard and r.used >= r.budget.amount]  # fmt: skip
        if spent:
            one = spent[0]
            raise RateLimitError(
                f"the {one.scope}'s budget of {one.amount:g} {one.unit} a month is spent",
                retry_after_s=None,
                code="insufficient_quota",
                kind="insufficient_quota",
            )

    def count(
        self, row: UsageRow, n_token: int, cost: float, *, now: float | None = None
    ) -> list[Alert]:
        """Count what a request used, and tell of each threshold that it reached.

        To be called before the ledger says that the request has ended.
        """
        at = time.time() if now is None else now
        reached: list[Alert] = []
        with self._lock:
            for running in self._of(row, at):
                running.used += cost if running.budget.unit == "money" else n_token
                reached += _reached(running, at)
        told = [alert for alert in reached if self._is_new(alert)]
        for alert in told:
            self._tell(alert)
        return told

    def _is_new(self, alert: Alert) -> bool:
        values = {
            "budget_id": alert.budget.budget_id, "month": alert.month,
            "threshold": alert.threshold, "used": alert.used, "at": alert.at,
        }  # fmt: skip
        try:
            with self._database.write() as connection:
                connection.execute(insert(budget_alert).values(**values))
        except IntegrityError:
            return False
        return True

    def _of(self, row: UsageRow, at: float) -> list[_Running]:
        """The budgets that a request counts for; called with the lock held."""
        month = _month(at)
        if time.monotonic() - self._loaded_at > RELOAD_S:
            self._load(at, month)
        keys = [("key", row.key_id), ("application", row.application_id),
                ("person", row.person_id)]  # fmt: skip
        found = [running for key in keys for running in self._running.get(key, ())]
        for running in found:
            if running.month != month:
                fresh = self._run(running.budget, month, at)
                running.month, running.used, running.told = month, fresh.used, fresh.told
        return found

    def _load(self, at: float, month: str) -> None:
        self._loaded_at = time.monotonic()
        before = {r.budget: r for own in self._running.values() for r in own}
        self._running = {}
        for one in self.list():
            running = before.get(one) or self._run(one, month, at)
            self._running.setdefault((one.scope, one.subject_id), []).append(running)

    def _run(self, one: Budget, month: str, at: float) -> _Running:
        query = select(budget_alert.c.threshold).where(
            budget_alert.c.budget_id == one.budget_id, budget_alert.c.month == month
        )
        with self._database.read() as connection:
            told = {int(threshold) for threshold in connection.execute(query).scalars()}
        return _Running(one, month, self.used(one, now=at, with_open=False), told)

    def _forget(self) -> None:
        with self._lock:
            self._loaded_at = -RELOAD_S


def _reached(running: _Running, at: float) -> list[Alert]:
    one = running.budget
    due = [t for t in one.thresholds
           if running.used >= one.amount * t / 100 and t not in running.told]  # fmt: skip
    running.told.update(due)
    return [
        Alert(budget=one, month=running.month, threshold=t, used=running.used, at=at) for t in due
    ]


def _month_start(at: float) -> datetime:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _month(at: float) -> str:
    return _month_start(at).strftime("%Y-%m")


def _budget(row: Row[Any]) -> Budget:
    return Budget(
        budget_id=row.budget_id, scope=row.scope, subject_id=row.subject_id, unit=row.unit,
        amount=row.amount, thresholds=tuple(json.loads(row.thresholds)), is_hard=bool(row.is_hard),
        email=row.email, is_by_admin=bool(row.is_by_admin),
    )  # fmt: skip
