"""The ledger: one row a request, written when it begins, settled when it ends.

A row stands as `open` from the moment a request is admitted and is brought up to date while it
streams. A killed service leaves open rows behind; the next start closes them as they stand, so that
what was delivered is counted, once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update

from kuaibao.database import Database
from kuaibao.service.tables import usage
from kuaibao.service.usage.prices import PriceList

__all__ = ["GROUPS", "Ledger", "UsageRow", "UsageTotal"]

GROUPS = ("key_id", "person_id", "application_id", "model", "endpoint", "end_user", "day")


# Made once: putting a statement together takes longer than SQLite takes to run it.
_OPEN = insert(usage)
_UPDATE = (
    update(usage)
    .where(usage.c.request_id == bindparam("id_of_request"))
    .values(
        n_prompt_token=bindparam("n_prompt_token"),
        n_completion_token=bindparam("n_completion_token"),
        cost=bindparam("cost"),
        status=bindparam("status"),
    )
)


@dataclass(frozen=True, kw_only=True)
class UsageRow:
    """Who asks, for the ledger."""

    request_id: str
    application_id: int
    key_id: int
    person_id: int
    model: str
    endpoint: str
    end_user: str = ""
    """A hash of the caller's `user` field."""


@dataclass(frozen=True, kw_only=True)
class UsageTotal:
    """Sums of a group."""

    group: str
    n_request: int
    n_prompt_token: int
    n_completion_token: int
    cost: float


class Ledger:
    """Reads and writes usage; each call is one transaction."""

    def __init__(self, database: Database, prices: PriceList) -> None:
        self._database = database
        self.prices = prices

    def recover(self) -> int:
        """Close the rows that a killed service left open; gives their number."""
        with self._database.write() as connection:
            statement = update(usage).where(usage.c.status == "open").values(status="interrupted")
            return connection.execute(statement).rowcount

    def open(self, row: UsageRow, n_prompt_token: int, *, now: float | None = None) -> None:
        """Write a request down before its first token."""
        values = vars(row) | {
            "at": time.time() if now is None else now,
            "n_prompt_token": n_prompt_token,
            "n_completion_token": 0,
            "cost": self.prices.of(row.model).cost(n_prompt_token, 0),
            "status": "open",
        }
        with self._database.write() as connection:
            connection.execute(_OPEN, values)

    def update(
        self, row: UsageRow, n_prompt_token: int, n_completion_token: int, *, status: str = "open"
    ) -> None:
        """Bring a row up to date; `status` ends it (`done`, `cancelled`, `failed`)."""
        values: dict[str, Any] = {
            "id_of_request": row.request_id,
            "n_prompt_token": n_prompt_token,
            "n_completion_token": n_completion_token,
            "cost": self.prices.of(row.model).cost(n_prompt_token, n_completion_token),
            "status": status,
        }
        with self._database.write() as connection:
            connection.execute(_UPDATE, values)

    def tokens_since(self, application_id: int, since: float) -> tuple[int, int, float]:
        """Requests, tokens and cost of an application since a moment."""
        query = select(
            func.count(),
            func.coalesce(func.sum(usage.c.n_prompt_token + usage.c.n_completion_token), 0),
            func.coalesce(func.sum(usage.c.cost), 0.0),
        ).where(usage.c.application_id == application_id, usage.c.at >= since)
        with self._database.read() as connection:
            n_request, n_token, cost = connection.execute(query).one()
        return int(n_request), int(n_token), float(cost)

    def totals(
        self, by: str, *, since: float = 0.0, until: float | None = None,
        person_id: int | None = None,
    ) -> list[UsageTotal]:  # fmt: skip
        """Sums by one of `GROUPS`, largest first.

        Raises:
            ValueError: `by` is not a group.
        """
        group = _group_column(by, self._database.is_sqlite)
        query = (
            select(
                group,
                func.count(),
                func.sum(usage.c.n_prompt_token),
                func.sum(usage.c.n_completion_token),
                func.sum(usage.c.cost),
            )
            .where(*_conditions(since, until, person_id))
            .group_by(group)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        totals = [
            UsageTotal(
                group=str(name), n_request=n, n_prompt_token=p, n_completion_token=c, cost=cost
            )
            for name, n, p, c, cost in rows
        ]
        return sorted(totals, key=lambda t: (-t.n_prompt_token - t.n_completion_token, t.group))

    def rows(self, *, since: float = 0.0, person_id: int | None = None) -> Iterator[dict[str, Any]]:
        """Every row as a mapping, oldest first, for exports."""
        query = select(usage).where(*_conditions(since, None, person_id)).order_by(usage.c.usage_id)
        with self._database.read() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query).mappings():
                yield dict(row)


def _conditions(
    since: float, until: float | None, person_id: int | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [usage.c.at >= since]
    if until is not None:
        conditions.append(usage.c.at < until)
    if person_id is not None:
        conditions.append(usage.c.person_id == person_id)
    return conditions


def _group_column(by: str, is_sqlite: bool) -> ColumnElement[Any]:
    by = f"{by}_id" if by in ("key", "person", "application") else by
    if by not in GROUPS:
        raise ValueError(f"usage can be grouped by {', '.join(GROUPS)}, not by {by!r}")
    if by != "day":
        return usage.c[by]
    if is_sqlite:
        return func.strftime("%Y-%m-%d", usage.c.at, "unixepoch")
    return func.to_char(func.to_timestamp(usage.c.at), "YYYY-MM-DD")
