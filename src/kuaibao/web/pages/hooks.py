"""Web hooks: which programs are told what, and how they answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from kuaibao.bulletin.hooks import HOOK_EVENTS, add_hook, list_hooks, remove_hook, resume_hook
from kuaibao.web.access import CHECKED, ActorOf, DeskOf, NewsroomOf
from kuaibao.web.rendering import render_page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/hooks")
def hooks_page(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """Every hook."""
    return _page(request, desk, actor)


@router.post("/hooks", dependencies=CHECKED)
def new_hook(
    request: Request,
    desk: DeskOf,
    actor: ActorOf,
    url: Annotated[str, Form()],
    event: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """A new hook; its secret is shown once."""
    _, secret = add_hook(desk, actor, url, event or [])
    return _page(request, desk, actor, secret)


@router.post("/hooks/{hook_id}/remove", dependencies=CHECKED)
def drop_hook(desk: DeskOf, actor: ActorOf, hook_id: int) -> Response:
    """Tell it nothing more."""
    remove_hook(desk, actor, hook_id)
    return RedirectResponse("/hooks", 303)


@router.post("/hooks/{hook_id}/resume", dependencies=CHECKED)
def try_hook(desk: DeskOf, actor: ActorOf, newsroom: NewsroomOf, hook_id: int) -> Response:
    """Try again at once."""
    resume_hook(desk, actor, hook_id)
    newsroom.hooks.wake()
    return RedirectResponse("/hooks", 303)


def _page(request: Request, desk: DeskOf, actor: ActorOf, secret: str = "") -> Response:
    hooks = list_hooks(desk, actor)
    return render_page(request, "hooks.html", hooks=hooks, events=HOOK_EVENTS, secret=secret)
