"""The archive, and figures for those who watch the machine."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from sqlalchemy import func, select

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.store import Found, search_archive
from kuaibao.bulletin.store import tables as store_tables
from kuaibao.web.access import DeskOf, NewsroomOf, TokenOrSession

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["reading"])
_STARTED = time.time()


@router.get("/archive")
def archive(
    desk: DeskOf,
    actor: TokenOrSession,
    q: Annotated[str, Query(min_length=1, max_length=1000)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[Found]:
    """Search of everything that ever came."""
    actor.require("read_desk")
    return search_archive(desk.store, q, limit=limit)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(desk: DeskOf, actor: TokenOrSession, newsroom: NewsroomOf) -> str:
    """Figures in Prometheus' text form; a token of the scope `read` is enough."""
    actor.require("see_sources")
    lines: list[str] = []

    def gauge(name: str, help: str, rows: dict[str, float]) -> None:
        lines.extend([f"# HELP kuaibao_{name} {help}", f"# TYPE kuaibao_{name} gauge"])
        lines.extend(f"kuaibao_{name}{labels} {value:g}" for labels, value in rows.items())

    piece, source, issue = tables.piece.c, store_tables.source.c, tables.issue.c
    with desk.store.database.read() as connection:
        states = connection.execute(select(piece.state, func.count()).group_by(piece.state)).all()
        sources = connection.execute(
            select(source.status, func.count()).group_by(source.status)
        ).all()
        issues = connection.execute(select(issue.state, func.count()).group_by(issue.state)).all()
        waiting = connection.execute(
            select(func.count()).where(issue.publish_at.is_not(None), issue.published_at.is_(None))
        ).scalar_one()
    gauge("pieces", "Items by state.", {f'{{state="{s}"}}': n for s, n in states})
    gauge("sources", "Sources by what they last said.",
          {f'{{status="{s}"}}': n for s, n in sources})  # fmt: skip
    gauge("issues", "Issues by state.", {f'{{state="{s}"}}': n for s, n in issues})
    gauge("publications_waiting", "Issues that are asked for and not yet written.", {"": waiting})
    gauge("live_listeners", "Browsers that watch.", {"": newsroom.hub.n_listener})
    gauge("uptime_seconds", "Since the process started.", {"": time.time() - _STARTED})
    return "\n".join(lines) + "\n"
