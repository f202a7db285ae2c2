"""Work that is no completion, in the books all the same: reserved, entered, settled."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from kuaibao.service.service import Caller, Service
from kuaibao.service.usage import UsageRow

__all__ = ["Meter", "metered"]


@dataclass
class Meter:
    """What a request used; its route sets it right when it knows better."""

    request_id: str
    n_prompt_token: int
    n_completion_token: int = 0


@contextmanager
def metered(
    service: Service, caller: Caller, *, model: str, endpoint: str, n_token: int, n_most: int = 0
) -> Generator[Meter]:
    """Keep a request under its application's ceilings and enter it in the ledger.

    Args:
        service: Whose books.
        caller: Who asks.
        model: Named in the ledger.
        endpoint: Named in the ledger, and the beginning of the request's id.
        n_token: Tokens that came in.
        n_most: The most that can come out.

    Raises:
        RateLimitError: A ceiling is reached.
    """
    row = UsageRow(
        request_id=f"{endpoint[:4]}-{secrets.token_hex(12)}",
        application_id=caller.application.application_id,
        key_id=caller.key.key_id,
        person_id=caller.person.person_id,
        model=model,
        endpoint=endpoint,
    )
    reservation = service.admit(caller, row, n_token, n_token + n_most)
    meter = Meter(row.request_id, n_token)
    status = "failed"
    try:
        yield meter
        status = "done"
    finally:
        service.settle(row, reservation, meter.n_prompt_token, meter.n_completion_token, status)
