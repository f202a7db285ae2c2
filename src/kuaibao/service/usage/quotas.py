"""Ceilings by minute, day and month: reserved before a request, settled after it."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kuaibao.service.errors import RateLimitError
from kuaibao.service.usage.ledger import Ledger

__all__ = ["Ceilings", "QuotaBook", "Reservation"]

MINUTE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """What an application may use; 0 means no ceiling."""

    requests_per_minute: int = 60
    requests_per_day: int = 0
    requests_per_month: int = 0
    tokens_per_minute: int = 60_000
    tokens_per_day: int = 1_000_000
    tokens_per_month: int = 20_000_000
    budget_per_month: float = 0.0
    """In the price list's currency."""
    max_input_tokens: int = 0
    max_output_tokens: int = 0
    end_user_requests_per_minute: int = 0
    """For each value of the `user` field; with it set, a request must carry one."""


@dataclass(eq=False)
class Reservation:
    """Tokens set aside for a request that runs."""

    at: float
    n_token: int
    is_settled: bool = False
    is_past: bool = False
    """Older than a minute."""


@dataclass
class _Account:
    """What an application has used; the day and the month are loaded from the ledger."""

    minute: deque[Reservation] = field(default_factory=deque[Reservation])
    minute_tokens: int = 0
    """The sum over `minute`."""
    day: str = ""
    month: str = ""
    day_requests: int = 0
    month_requests: int = 0
    day_tokens: int = 0
    month_tokens: int = 0
    month_cost: float = 0.0
    end_users: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])
    swept_at: float = 0.0
    """When end users that asked nothing for a minute were last forgotten."""


class QuotaBook:
    """Keeps every application under its ceilings; safe to call from any thread."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._accounts: dict[int, _Account] = {}
        self._lock = threading.Lock()

    def reserve(
        self,
        application_id: int,
        ceilings: Ceilings,
        n_token: int,
        *,
        end_user: str = "",
        now: float | None = None,
    ) -> Reservation:
        """Set tokens aside, or refuse.

        Args:
            application_id: Whose account.
            ceilings: Its ceilings.
            n_token: The most that the request can use (prompt and completion).
            end_user: Hash of the `user` field.
            now: Seconds since 1970, for tests.

        Raises:
            RateLimitError: With the seconds until it may be tried again, or, when the day, month or
                budget is spent, with `insufficient_quota` and no time.
        """
        at = time.time() if now is None else now
        with self._lock:
            account = self._account(application_id, at)
            self._check_long(account, ceilings, n_token)
            self._check_minute(account, ceilings, n_token, at)
            self._check_end_user(account, ceilings, end_user, at)
            reservation = Reservation(at, n_token)
            account.minute.append(reservation)
            account.minute_tokens += n_token
            account.day_requests += 1
            account.month_requests += 1
            account.day_tokens += n_token
            account.month_tokens += n_token
            if end_user:
                account.end_users.setdefault(end_user, deque()).append(at)
        return reservation

    def settle(
        self, application_id: int, reservation: Reservation, n_token: int, cost: float
    ) -> None:
        """Replace what was set aside by what was used; only the first call counts."""
        with self._lock:
            if reservation.is_settled:
                return
            account = self._accounts[application_id]
            spare = reservation.n_token - n_token
            account.day_tokens -= spare
            account.month_tokens -= spare
            account.month_cost += cost
            if not reservation.is_past:
                account.minute_tokens -= spare
            reservation.n_token = n_token
            reservation.is_settled = True

    def headers(
        self, application_id: int, ceilings: Ceilings, *, now: float | None = None
    ) -> dict[str, str]:
        """`x-ratelimit-*` as OpenAI's service sends them."""
        at = time.time() if now is None else now
        with self._lock:
            account = self._account(application_id, at)
            n_request, n_token = len(account.minute), account.minute_tokens
            reset = max(0.0, account.minute[0].at + MINUTE_S - at) if account.minute else 0.0
        rows = (
            ("requests", ceilings.requests_per_minute, n_request),
            ("tokens", ceilings.tokens_per_minute, n_token),
        )
        headers: dict[str, str] = {}
        for name, limit, used in rows:
            if limit:
                headers[f"x-ratelimit-limit-{name}"] = str(limit)
                headers[f"x-ratelimit-remaining-{name}"] = str(max(0, limit - used))
                headers[f"x-ratelimit-reset-{name}"] = f"{reset:.3g}s"
        return headers

    def _account(self, application_id: int, at: float) -> _Account:
        account = self._accounts.setdefault(application_id, _Account())
        moment = datetime.fromtimestamp(at, UTC)
        day, month = moment.strftime("%Y-%m-%d"), moment.strftime("%Y-%m")
        if account.day != day:
            start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
            used = self._ledger.tokens_since(application_id, start.timestamp())
            account.day_requests, account.day_tokens, _ = used
            if account.month != month:
                used = self._ledger.tokens_since(application_id, start.replace(day=1).timestamp())
                account.month_requests, account.month_tokens, account.month_cost = used
            account.day, account.month = day, month
        while account.minute and account.minute[0].at <= at - MINUTE_S:
            past = account.minute.popleft()
            past.is_past = True
            account.minute_tokens -= past.n_token
        if account.swept_at <= at - MINUTE_S:
            account.swept_at = at
            users = account.end_users.items()
            for user in [user for user, times in users if times[-1] <= at - MINUTE_S]:
                del account.end_users[user]
        return account

    @staticmethod
    def _check_long(account: _Account, ceilings: Ceilings, n_token: int) -> None:
        rows = (
            ("requests a day", ceilings.requests_per_day, account.day_requests + 1),
            ("requests a month", ceilings.requests_per_month, account.month_requests + 1),
            ("tokens a day", ceilings.tokens_per_day, account.day_tokens + n_token),
            ("tokens a month", ceilings.tokens_per_month, account.month_tokens + n_token),
        )
        for what, limit, wanted in rows:
            if limit and wanted > limit:
                raise RateLimitError(
                    f"the application's quota of {limit} {what} is spent",
                    retry_after_s=None,
                    code="insufficient_quota",
                    kind="insufficient_quota",
                )
        if ceilings.budget_per_month and account.month_cost >= ceilings.budget_per_month:
            raise RateLimitError(
                f"the application's budget of {ceilings.budget_per_month:g} a month is spent",
                retry_after_s=None,
                code="insufficient_quota",
                kind="insufficient_quota",
            )

    @staticmethod
    def _check_minute(account: _Account, ceilings: Ceilings, n_token: int, at: float) -> None:
        limit = ceilings.requests_per_minute
        if limit and len(account.minute) >= limit:
            wait = account.minute[-limit].at + MINUTE_S - at
            raise RateLimitError(f"more than {limit} requests a minute", retry_after_s=wait)
        limit = ceilings.tokens_per_minute
        if not limit:
            return
        if n_token > limit:
            raise RateLimitError(
                f"one request of {n_token} tokens is above the ceiling of {limit} a minute",
                retry_after_s=None,
                kind="tokens",
            )
        used = account.minute_tokens
        for reservation in account.minute:
            if used + n_token <= limit:
                return
            used -= reservation.n_token
            if used + n_token <= limit:
                raise RateLimitError(
                    f"more than {limit} tokens a minute",
                    retry_after_s=reservation.at + MINUTE_S - at,
                    kind="tokens",
                )

    @staticmethod
    def _check_end_user(account: _Account, ceilings: Ceilings, end_user: str, at: float) -> None:
        limit = ceilings.end_user_requests_per_minute
        if not limit:
            return
        times = account.end_users.get(end_user, deque())
        while times and times[0] <= at - MINUTE_S:
            times.popleft()
        if len(times) >= limit:
            raise RateLimitError(
                f"more than {limit} requests a minute for one end user",
                retry_after_s=times[0] + MINUTE_S - at,
                code="end_user_rate_limit_exceeded",
            )
