"""`kuaibao desk`: the desk's work from the shell, over the same functions as the pages."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.errors import InputError

if TYPE_CHECKING:
    from kuaibao.bulletin.config import BulletinConfig
    from kuaibao.bulletin.desk import Actor, Desk

app = typer.Typer(
    help="The desk from the shell: people, items, issues, publishing, backup.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder with bulletin.toml.")]
As = Annotated[str, typer.Option("--as", help="The name of the person who acts.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@contextmanager
def _open(folder: Path, name: str = "") -> Generator[tuple[Desk, BulletinConfig, Actor | None]]:
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


def _actor(actor: Actor | None) -> Actor:
    assert actor is not None
    return actor


def _print(value: Any, as_json: bool, lines: list[str]) -> None:
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
    else:
        for line in lines:
            typer.echo(line)


@app.command("add-person")
def add_person(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="What they sign in with.")],
    role: Annotated[list[str], typer.Option("--role", help="May repeat.")],
    who: As = "",
    display_name: Annotated[str, typer.Option("--display-name", help="Name in signatures.")] = "",
    email: Annotated[str, typer.Option("--email", help="Where notes are mailed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a person; a password is made and printed once. The first one becomes administrator."""
    import secrets

    from kuaibao.bulletin.desk import add_person as add
    from kuaibao.bulletin.desk import first_administrator, has_people

    with _open(folder, who) as (desk, _, actor):
        password = secrets.token_urlsafe(12)
        if not has_people(desk):
            made = first_administrator(desk, name, password)
            assert made is not None
            person = made[0]
        elif actor is None:
            raise InputError("say who adds them", hint="--as NAME, an administrator.")
        else:
            person = add(
                desk, actor, name, password=password, roles=role, display_name=display_name,
                email=email,
            )  # fmt: skip
    value = {"person": asdict(person), "password": password}
    _print(value, as_json, [f"{person.name}\t{' '.join(person.roles)}",
                            f"Password (shown this once): {password}"])  # fmt: skip


@app.command("add-token")
def add_token(
    folder: Folder,
    who: As,
    scope: Annotated[list[str], typer.Option("--scope", help="read, write, publish, admin.")],
    label: Annotated[str, typer.Option("--label", help="What for.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="How long.")] = 90,
) -> None:
    """Make a token for the API; printed once."""
    from kuaibao.bulletin.desk import add_token as add

    with _open(folder, who) as (desk, _, actor):
        secret, _key = add(desk, _actor(actor), label, scope, days=days)
    typer.echo(secret)


@app.command()
def collect(folder: Folder, who: As, as_json: AsJson = False) -> None:
    """Ask every source and file what is new."""
    from kuaibao.bulletin.desk import collect as ask
    from kuaibao.fetching import Fetcher, FetchSettings

    with _open(folder, who) as (desk, config, actor):
        own = config.settings.fetching
        settings = FetchSettings(
            contact=own.contact, allowed_addresses=own.allowed_addresses, proxy=own.proxy,
            total_s=own.total_s, n_retry=own.n_retry,
        )  # fmt: skip
        with Fetcher(settings) as fetcher:
            records, n_new = ask(desk, _actor(actor), config, fetcher)
    lines = [f"{r.source_id}\t{r.status}\t{r.n_new} new\t{r.message}" for r in records]
    value = {"sources": [asdict(r) for r in records], "n_new": n_new}
    _print(value, as_json, [*lines, f"{n_new} new items at the desk"])


@app.command()
def items(
    folder: Folder,
    who: As,
    state: Annotated[list[str] | None, typer.Option("--state", help="May repeat.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Items in these states, the best first."""
    from kuaibao.bulletin.desk import STATES, list_pieces
    from kuaibao.errors import did_you_mean

    for one in state or ():
        if one not in STATES:
            raise InputError(f"unknown state {one!r}", hint=did_you_mean(one, STATES))
    with _open(folder, who) as (desk, _, actor):
        pieces = list_pieces(desk, _actor(actor), states=state or (), limit=limit)
    lines = [f"{p.piece_id}\t{p.state}\t{p.score:.1f}\t{p.shown_title}" for p in pieces]
    _print([asdict(p) for p in pieces], as_json, lines)


@app.command()
def move(
    folder: Folder,
    who: As,
    piece_id: Annotated[int, typer.Argument(help="The item's number.")],
    step: Annotated[str, typer.Argument(help="pick, drop, take, compile, proofread, accept, …")],
    as_json: AsJson = False,
) -> None:
    """Take a step of the workflow."""
    from kuaibao.bulletin.desk import move_piece
    from kuaibao.bulletin.desk.workflow import MOVES
    from kuaibao.errors import did_you_mean

    if step not in MOVES:
        raise InputError(f"unknown step {step!r}", hint=did_you_mean(step, MOVES))
    with _open(folder, who) as (desk, _, actor):
        piece = move_piece(desk, _actor(actor), piece_id, step)
    _print(asdict(piece), as_json, [f"{piece.piece_id}\t{piece.state}\t{piece.shown_title}"])


@app.command()
def issues(folder: Folder, as_json: AsJson = False) -> None:
    """Every issue with its state and hash."""
    from kuaibao.bulletin.desk import list_issues

    with _open(folder) as (desk, _, _actor):
        found = list_issues(desk)
    lines = [
        f"{i.issue_id}\t{i.year}-{i.number:02d}\t{i.state}\t{i.content_hash[:16]}\t{i.title}"
        for i in found
    ]
    _print([asdict(i) for i in found], as_json, lines)


@app.command()
def close(
    folder: Folder,
    who: As,
    issue_id: Annotated[int, typer.Argument(help="The issue's number in `issues`.")],
    as_json: AsJson = False,
) -> None:
    """Freeze an issue; every obstacle is named."""
    from kuaibao.bulletin.desk import close_issue

    with _open(folder, who) as (desk, _, actor):
        issue = close_issue(desk, _actor(actor), issue_id)
    _print(asdict(issue), as_json, [f"closed {issue.content_hash}"])


@app.command()
def publish(
    folder: Folder,
    who: As,
    issue_id: Annotated[int, typer.Argument(help="A closed issue.")],
    as_json: AsJson = False,
) -> None:
    """Publish a closed issue in all its forms; a killed publication goes on here, too."""
    from kuaibao.bulletin.desk import issue_folder, publish_issue

    with _open(folder, who) as (desk, _, actor):
        issue = publish_issue(desk, _actor(actor), issue_id)
        where = issue_folder(desk, issue)
    value = asdict(issue) | {"folder": str(where)}
    _print(value, as_json, [str(where / name) for name in issue.files.values()])


@app.command()
def export(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    as_json: AsJson = False,
) -> None:
    """Write every published issue as a static site with an index of all issues."""
    from kuaibao.bulletin.desk import export_site

    with _open(folder) as (desk, _, _actor):
        paths = export_site(desk, out)
    _print([str(p) for p in paths], as_json, [str(p) for p in paths])


@app.command()
def backup(folder: Folder, target: Annotated[Path, typer.Argument(help="The copy.")]) -> None:
    """Copy the whole database while everybody goes on working."""
    from kuaibao.database import back_up

    with _open(folder) as (desk, _, _actor):
        typer.echo(str(back_up(desk.store.database, target)))


@app.command()
def restore(
    folder: Folder, copy: Annotated[Path, typer.Argument(help="A copy made by `backup`.")]
) -> None:
    """Put a copy in the place of the database; stop the desk before."""
    from kuaibao.bulletin.config import load_config
    from kuaibao.database import restore as put_back

    config = load_config(folder)
    if "://" in config.database:
        raise InputError("a PostgreSQL database is restored with pg_restore")
    typer.echo(str(put_back(copy, config.database)))


@app.command()
def audit(folder: Folder, who: As) -> None:
    """Walk the whole audit chain: was anything changed or removed?"""
    from kuaibao import accounts
    from kuaibao.bulletin.desk import AUDIT_CHAIN

    with _open(folder, who) as (desk, _, actor):
        _actor(actor).require("see_audit")
        with desk.store.database.read() as connection:
            n_entry = accounts.verify_audit(connection, chain=AUDIT_CHAIN)
    typer.echo(f"The chain of {n_entry} entries holds.")
