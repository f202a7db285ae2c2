"""What every source that asks a server does alike: skip, ask, count, remember.

A kind says only how to read; this says whether to ask, and what an answer means.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources.health import failed, remember, unseen
from kuaibao.bulletin.sources.protocol import (
    SourceContext,
    SourceResult,
    SourceSettings,
    SourceStatus,
)
from kuaibao.errors import KuaibaoError
from kuaibao.fetching import Response, Validators

__all__ = ["LayoutError", "ask", "conclude", "guarded", "newest_first", "skip_reason"]


class LayoutError(KuaibaoError):
    """The server answered, but what we look for is not where it was."""


def skip_reason(context: SourceContext) -> SourceResult | None:
    """A result if this source must not be asked now, or None."""
    if context.state.get("gone"):
        return SourceResult(
            state=context.state, status="gone", message="its server said that it is gone for good"
        )
    for name, said in (
        ("not_before", "its server asked us to wait until"),
        ("fresh_until", "nothing new is to be expected before"),
    ):
        until = _moment(context.state.get(name, ""))
        if until and until > context.now:
            message = f"{said} {until:%Y-%m-%d %H:%M} UTC"
            return SourceResult(state=context.state, status="skipped", message=message)
    return None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def guarded(context: SourceContext, fetch: Callable[[SourceContext], SourceResult]) -> SourceResult:
    """Run `fetch`; its troubles become a status, the state is kept."""
    skipped = skip_reason(context)
    if skipped is not None:
        return skipped
    try:
        return fetch(context)
    except LayoutError as error:
        state = remember(context.state, "changed_layout", (), context.now)
        return SourceResult(state=state, status="changed_layout", message=error.message)
    except KuaibaoError as error:
        return failed(error, context.state, context.now)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return failed(error, context.state, context.now)


def ask(
    context: SourceContext, url: str, *, max_bytes: int | None = None, obey_robots: bool = False
) -> tuple[Response, dict[str, str]]:
    """Ask with what is remembered of the address; gives the answer and the new state.

    A permanent move is remembered with the address that it is for, so that an edited
    configuration is not overruled by an old move.
    """
    state = dict(context.state)
    moved = state.get("moved_from") == url and state.get("moved_to", "")
    current = moved or url
    validators = Validators(
        etag=state.get("etag", ""), last_modified=state.get("last_modified", "")
    )
    if state.get("validated") != current:
        validators = Validators()
    answer = context.fetcher.get(
        current, validators=validators, max_bytes=max_bytes, obey_robots=obey_robots
    )
    if answer.moved_to:
        state["moved_from"], state["moved_to"] = url, answer.moved_to
        current = answer.moved_to
    if not answer.is_unchanged:
        state["etag"] = answer.validators.etag
        state["last_modified"] = answer.validators.last_modified
    state["validated"] = current
    for name in ("not_before", "fresh_until"):
        state.pop(name, None)
    if answer.fresh_for_s:
        until = context.now + timedelta(seconds=answer.fresh_for_s)
        state["fresh_until"] = until.isoformat()
    return answer, state


def newest_first(entries: list[Entry], settings: SourceSettings) -> tuple[Entry, ...]:
    """At most `limit` entries; dated ones by date, the others where they stood."""
    if len(entries) <= settings.limit:
        return tuple(entries)

    def age(pair: tuple[int, Entry]) -> tuple[float, int]:
        place, entry = pair
        date = entry.published or entry.updated
        return (-date.value.timestamp() if date else 0.0, place)

    ordered = sorted(enumerate(entries), key=age)
    return tuple(entry for _, entry in ordered[: settings.limit])


def conclude(
    context: SourceContext,
    entries: tuple[Entry, ...],
    state: dict[str, str],
    problems: tuple[str, ...] = (),
    *,
    message: str = "",
) -> SourceResult:
    """The result of an answer that could be read."""
    fresh = unseen(entries, context.state)
    status: SourceStatus = "new" if fresh else "nothing_new"
    said = message or (f"{len(fresh)} new of {len(entries)}" if fresh else "nothing new")
    return SourceResult(
        entries=entries,
        state=remember(state, status, entries, context.now),
        status=status,
        message=said,
        problems=problems,
    )
