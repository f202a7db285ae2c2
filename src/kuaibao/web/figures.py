"""The bulletin's diagrams in the browser: the gallery over the folder `diagrams`."""

from __future__ import annotations

from fastapi import Request
from starlette.routing import Mount

from kuaibao.web.access import visitor_of
from kuaibao.web.gallery import Host, Programs, gallery_routes
from kuaibao.web.newsroom import Newsroom
from kuaibao.web.rendering import language_of, theme_of

__all__ = ["FOLDER", "figures"]

FOLDER = "diagrams"
"""Beside `bulletin.toml`; its programs are the figures of the items."""


def figures(newsroom: Newsroom) -> Mount:
    """The gallery at `/figures`: who reads the desk looks, who writes texts may bake."""
    host = Host(
        check=_check,
        may_write=_may_write,
        language=_language,
        theme=theme_of,
        home=("/inbox", "快报"),
    )
    programs = Programs(newsroom.config.folder / FOLDER)
    return Mount("/figures", routes=gallery_routes(programs, host))


def _check(request: Request) -> None:
    visitor_of(request).signed_in.require("read_desk")


def _may_write(request: Request) -> bool:
    return visitor_of(request).signed_in.may("edit_text")


def _language(request: Request) -> str:
    return language_of(request, visitor_of(request))
