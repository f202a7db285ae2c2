"""`kuaibao items`: stories of the archive, why their entries were joined, and parting them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.cli.search import archive_of

if TYPE_CHECKING:
    from kuaibao.bulletin.store import Telling

app = typer.Typer(no_args_is_help=True)

ItemOption = Annotated[
    str, typer.Argument(metavar="ITEM", help="An item's id, or the beginning of it.")
]
FolderOption = Annotated[
    Path,
    typer.Option("--in", metavar="DIR", help="A folder with bulletin.toml, or the archive itself."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def show(item: ItemOption, folder: FolderOption = Path(), as_json: JsonOption = False) -> None:
    """The entries that tell a story, each with the reason for which it was joined."""
    from kuaibao.bulletin.store import Store, find_item, tellings_of

    with Store.open(archive_of(folder)) as store:
        item_id = find_item(store, item)
        told = tellings_of(store, item_id)
    if as_json:
        rows = [_row(number, one) for number, one in enumerate(told, 1)]
        typer.echo(json.dumps({"id": item_id, "entries": rows}, ensure_ascii=False))
        return
    typer.echo(item_id)
    for number, one in enumerate(told, 1):
        typer.echo(f"{number:3}. {one.entry.title}  [{one.entry.source_id}]")
        typer.echo(f"     {one.entry.url}")
        typer.echo(f"     {one.reason}")


@app.command()
def split(
    item: ItemOption,
    numbers: Annotated[
        list[int], typer.Argument(metavar="N…", min=1, help="Entries, as `items show` counts them.")
    ],
    folder: FolderOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Take entries out of a story into one of their own; nothing joins the two again."""
    from kuaibao.bulletin.reading import claims_of
    from kuaibao.bulletin.store import Store, find_item, split_item, tellings_of
    from kuaibao.errors import InputError

    with Store.open(archive_of(folder)) as store:
        item_id = find_item(store, item)
        told = tellings_of(store, item_id)
        if max(numbers) > len(told):
            raise InputError(f"{item_id[:12]} has {len(told)} entries, none with {max(numbers)}")
        references = [told[number - 1].reference for number in sorted(set(numbers))]
        new_id = split_item(store, item_id, references, claims_of)
    if as_json:
        typer.echo(json.dumps({"id": item_id, "new_id": new_id}))
        return
    typer.echo(f"{len(references)} entries of {item_id} are {new_id} now")


def _row(number: int, one: Telling) -> dict[str, Any]:
    return {
        "number": number,
        "title": one.entry.title,
        "url": one.entry.url,
        "source": one.entry.source_id,
        "reason": one.reason,
        "came_from": one.came_from or None,
    }
