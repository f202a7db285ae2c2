"""What `kuaibao desk` has to do with the world: web hooks, and mail that came back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kuaibao.cli.desk_door import As, AsJson, Folder, acting, opened, tell

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (
        ("hooks", hooks), ("add-hook", add_hook), ("remove-hook", remove_hook),
        ("resume-hook", resume_hook), ("bounces", bounces),
    ):  # fmt: skip
        app.command(name)(command)


def hooks(folder: Folder, who: As, as_json: AsJson = False) -> None:
    """Web hooks, what they are told, and how they answer."""
    from kuaibao.bulletin.hooks import list_hooks, open_hooks

    with opened(folder, who) as (desk, _, actor):
        open_hooks(desk)
        found = list_hooks(desk, acting(actor))
    lines = [
        f"{h.hook_id}\t{'active' if h.is_active else 'paused'}\t{h.url}\t"
        f"{' '.join(h.events) or 'everything'}\t{h.message}"
        for h in found
    ]
    tell([asdict(h) for h in found], as_json, lines)


def add_hook(
    folder: Folder,
    who: As,
    url: Annotated[str, typer.Argument(help="Where events are posted to.")],
    event: Annotated[
        list[str] | None, typer.Option("--event", help="May repeat; none: everything.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a program what happens; the secret of its signatures is printed once."""
    from kuaibao.bulletin.hooks import add_hook as add
    from kuaibao.bulletin.hooks import open_hooks

    with opened(folder, who) as (desk, _, actor):
        open_hooks(desk)
        hook, secret = add(desk, acting(actor), url, event or ())
    value = {"hook": asdict(hook), "secret": secret}
    tell(value, as_json, [f"{hook.hook_id}\t{hook.url}", f"Secret (shown this once): {secret}"])


def remove_hook(
    folder: Folder, who: As, hook_id: Annotated[int, typer.Argument(help="Its number.")]
) -> None:
    """Tell a program nothing more."""
    from kuaibao.bulletin.hooks import open_hooks
    from kuaibao.bulletin.hooks import remove_hook as remove

    with opened(folder, who) as (desk, _, actor):
        open_hooks(desk)
        remove(desk, acting(actor), hook_id)


def resume_hook(
    folder: Folder, who: As, hook_id: Annotated[int, typer.Argument(help="Its number.")]
) -> None:
    """Try a hook again that was set aside; it is told all since it last answered."""
    from kuaibao.bulletin.hooks import open_hooks
    from kuaibao.bulletin.hooks import resume_hook as resume

    with opened(folder, who) as (desk, _, actor):
        open_hooks(desk)
        resume(desk, acting(actor), hook_id)


def bounces(
    folder: Folder,
    who: As,
    messages: Annotated[
        list[Path],
        typer.Argument(help="Messages that came back: files, folders of them, or Maildirs."),
    ],
    as_json: AsJson = False,
) -> None:
    """Read mail that came back, and end the subscriptions that it shows to be dead."""
    from kuaibao.bulletin.mailing import open_mailing, read_bounces, record_bounce

    with opened(folder, who) as (desk, _, actor):
        open_mailing(desk)
        found = read_bounces(messages)
        n_ended = sum(record_bounce(desk, acting(actor), one) for one in found)
    lines = [f"{b.address}\t{b.status}\t{'gone' if b.is_permanent else 'for now'}" for b in found]
    value = {"bounces": [asdict(b) for b in found], "n_ended": n_ended}
    tell(value, as_json, [*lines, f"{len(found)} bounces, {n_ended} subscriptions ended"])
