"""`kuaibao desk`: the desk's work from the shell, over the same functions as the pages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kuaibao.cli import desk_outside
from kuaibao.cli.desk_door import As, AsJson, Folder, acting, opened, tell
from kuaibao.errors import InputError

app = typer.Typer(
    help="The desk from the shell: people, items, issues, publishing, backup.",
    no_args_is_help=True,
)


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

    with opened(folder, who) as (desk, _, actor):
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
    tell(value, as_json, [f"{person.name}\t{' '.join(person.roles)}",
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

    with opened(folder, who) as (desk, _, actor):
        secret, _key = add(desk, acting(actor), label, scope, days=days)
    typer.echo(secret)


@app.command()
def collect(folder: Folder, who: As, as_json: AsJson = False) -> None:
    """Ask every source and file what is new."""
    from kuaibao.bulletin.desk import collect as ask
    from kuaibao.fetching import Fetcher

    with opened(folder, who) as (desk, config, actor):
        with Fetcher(config.settings.fetching.limits()) as fetcher:
            records, n_new = ask(desk, acting(actor), config, fetcher)
    lines = [f"{r.source_id}\t{r.status}\t{r.n_new} new\t{r.message}" for r in records]
    value = {"sources": [asdict(r) for r in records], "n_new": n_new}
    tell(value, as_json, [*lines, f"{n_new} new items at the desk"])


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
    with opened(folder, who) as (desk, _, actor):
        pieces = list_pieces(desk, acting(actor), states=state or (), limit=limit)
    lines = [f"{p.piece_id}\t{p.state}\t{p.score:.1f}\t{p.shown_title}" for p in pieces]
    tell([asdict(p) for p in pieces], as_json, lines)


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
    with opened(folder, who) as (desk, _, actor):
        piece = move_piece(desk, acting(actor), piece_id, step)
    tell(asdict(piece), as_json, [f"{piece.piece_id}\t{piece.state}\t{piece.shown_title}"])


@app.command()
def issues(folder: Folder, as_json: AsJson = False) -> None:
    """Every issue with its state and hash."""
    from kuaibao.bulletin.desk import list_issues

    with opened(folder) as (desk, _, _actor):
        found = list_issues(desk)
    lines = [
        f"{i.issue_id}\t{i.year}-{i.number:02d}\t{i.state}\t{i.content_hash[:16]}\t{i.title}"
        for i in found
    ]
    tell([asdict(i) for i in found], as_json, lines)


@app.command()
def close(
    folder: Folder,
    who: As,
    issue_id: Annotated[int, typer.Argument(help="The issue's number in `issues`.")],
    as_json: AsJson = False,
) -> None:
    """Freeze an issue; every obstacle is named."""
    from kuaibao.bulletin.desk import close_issue

    with opened(folder, who) as (desk, _, actor):
        issue = close_issue(desk, acting(actor), issue_id)
    tell(asdict(issue), as_json, [f"closed {issue.content_hash}"])


@app.command()
def publish(
    folder: Folder,
    who: As,
    issue_id: Annotated[int, typer.Argument(help="A closed issue.")],
    as_json: AsJson = False,
) -> None:
    """Publish a closed issue in all its forms; a killed publication goes on here, too."""
    from kuaibao.bulletin.desk import issue_folder, publish_issue

    with opened(folder, who) as (desk, _, actor):
        issue = publish_issue(desk, acting(actor), issue_id)
        where = issue_folder(desk, issue)
    value = asdict(issue) | {"folder": str(where)}
    tell(value, as_json, [str(where / name) for name in issue.files.values()])


@app.command()
def export(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    as_json: AsJson = False,
) -> None:
    """Write every published issue as a static site with an index of all issues."""
    from kuaibao.bulletin.desk import export_site

    with opened(folder) as (desk, _, _actor):
        paths = export_site(desk, out)
    tell([str(p) for p in paths], as_json, [str(p) for p in paths])


@app.command()
def backup(folder: Folder, target: Annotated[Path, typer.Argument(help="The copy.")]) -> None:
    """Copy the whole database while everybody goes on working."""
    from kuaibao.database import back_up

    with opened(folder) as (desk, _, _actor):
        typer.echo(str(back_up(desk.store.database, target)))


@app.command()
def restore(
    folder: Folder, copy: Annotated[Path, typer.Argument(help="A copy made by `backup`.")]
) -> None:
    """Put a copy in the place of the database, while the desk runs; everybody signs in anew."""
    from kuaibao.bulletin.config import load_config
    from kuaibao.bulletin.restoring import restore_desk

    config = load_config(folder)
    if "://" in config.database:
        raise InputError("a PostgreSQL database is restored with pg_restore")
    typer.echo(str(restore_desk(copy, Path(config.database))))


@app.command()
def audit(folder: Folder, who: As) -> None:
    """Walk the whole audit chain: was anything changed or removed?"""
    from kuaibao import accounts
    from kuaibao.bulletin.desk import AUDIT_CHAIN

    with opened(folder, who) as (desk, _, actor):
        acting(actor).require("see_audit")
        with desk.store.database.read() as connection:
            n_entry = accounts.verify_audit(connection, chain=AUDIT_CHAIN)
    typer.echo(f"The chain of {n_entry} entries holds.")


desk_outside.add_to(app)
