"""How every command of the desk begins and ends: open it, say who acts, print."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.errors import InputError

if TYPE_CHECKING:
    from kuaibao.bulletin.config import BulletinConfig
    from kuaibao.bulletin.desk import Actor, Desk

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder with bulletin.toml.")]
As = Annotated[str, typer.Option("--as", help="The name of the person who acts.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@contextmanager
def opened(folder: Path, name: str = "") -> Generator[tuple[Desk, BulletinConfig, Actor | None]]:
    """The desk and who acts: whoever may read the database file may act for a person in it."""
    from kuaibao import accounts
    from kuaibao.bulletin.config import load_config
    from kuaibao.bulletin.desk import Actor, Desk, seed_series
    from kuaibao.bulletin.writing import pictures_of

    config = load_config(folder)
    desk = Desk.open(config.database, config.folder)
    desk.pictures = pictures_of(config)
    try:
        seed_series(desk, config)
        actor = None
        if name:
            with desk.store.database.read() as connection:
                person = accounts.find_person(connection, name)
            if person is None:
                raise InputError(
                    f"nobody is called {name!r}", hint="Add them: kuaibao desk add-person."
                )
            actor = Actor(person)
        yield desk, config, actor
    finally:
        desk.close()


def acting(actor: Actor | None) -> Actor:
    """Whoever `--as` named."""
    assert actor is not None
    return actor


def tell(value: Any, as_json: bool, lines: list[str]) -> None:
    """One JSON document, or lines."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
    else:
        for line in lines:
            typer.echo(line)
