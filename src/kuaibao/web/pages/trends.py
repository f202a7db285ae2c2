"""What rises and falls in the archive."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from kuaibao.bulletin.desk import Desk
from kuaibao.bulletin.reading.trends import Trends, find_trends, trends_page
from kuaibao.bulletin.store import items_since
from kuaibao.web.access import ActorOf, DeskOf
from kuaibao.web.rendering import make_ui, render_page
from kuaibao.web.security import PUBLISHED_POLICY

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

N_MONTH = 12
MAX_AGE_S = 900.0


@router.get("/trends")
def trends(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """Phrases that rise, that fall and that stand often, each a way into the archive."""
    actor.require("read_desk")
    found = _found(desk)
    lists = (("rising", found.rising), ("falling", found.falling), ("often", found.phrases))
    return render_page(
        request, "trends.html", found=found, lists=lists, most=max(found.n_item, default=0) or 1
    )


@router.get("/trends/map")
def trends_map(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """The page with plots and the map of the last month, as `kuaibao trends --out` writes it."""
    actor.require("read_desk")
    ui = make_ui(request)
    html = trends_page(_found(desk), language=ui.words.language)
    return HTMLResponse(html, headers={"content-security-policy": PUBLISHED_POLICY})


def _found(desk: Desk) -> Trends:
    """Counted anew every quarter of an hour at most: it reads a year of the archive."""
    known = desk.cache.get("trends")
    if known is not None and desk.now - known[0] < MAX_AGE_S:
        return known[1]
    last = desk.today
    first = (last - timedelta(days=31 * (N_MONTH - 1))).replace(day=1)

    def chosen():
        for item in items_since(desk.store, first):
            moment = item.lead.published or item.lead.updated
            if moment is not None and first <= moment.day <= last:
                yield item

    found = find_trends(chosen(), n_month=N_MONTH)
    desk.cache["trends"] = (desk.now, found)
    return found
