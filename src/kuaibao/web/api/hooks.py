"""Web hooks."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from kuaibao.bulletin.hooks import Hook, add_hook, list_hooks, remove_hook, resume_hook
from kuaibao.web.access import DeskOf, NewsroomOf, TokenOrSession
from kuaibao.web.api.forms import HookForm
from kuaibao.web.api.pieces import PieceId

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["hooks"])


class NewHook(BaseModel):
    """A hook at the only moment when its secret is given."""

    secret: str
    hook: Hook


@router.get("/hooks")
def hooks(desk: DeskOf, actor: TokenOrSession) -> list[Hook]:
    """Every hook, without its secret."""
    return list_hooks(desk, actor)


@router.post("/hooks", status_code=201)
def new_hook(desk: DeskOf, actor: TokenOrSession, form: HookForm) -> NewHook:
    """A program that is told what happens from now on (Standard Webhooks signatures)."""
    hook, secret = add_hook(desk, actor, form.url, form.events)
    return NewHook(secret=secret, hook=hook)


@router.post("/hooks/{hook_id}/resume", status_code=204)
def try_hook(desk: DeskOf, actor: TokenOrSession, newsroom: NewsroomOf, hook_id: PieceId) -> None:
    """Try again at once."""
    resume_hook(desk, actor, hook_id)
    newsroom.hooks.wake()


@router.delete("/hooks/{hook_id}", status_code=204)
def drop_hook(desk: DeskOf, actor: TokenOrSession, hook_id: PieceId) -> None:
    """Tell it nothing more."""
    remove_hook(desk, actor, hook_id)
