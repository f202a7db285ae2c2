"""The `kuaibao` command: a table of verbs, each loaded only when it is called."""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kuaibao import __version__
from kuaibao.errors import KuaibaoError, MissingExtraError

__all__ = ["app", "main"]


@dataclass(frozen=True)
class Verb:
    """One row of the table: where a command lives and what `--help` says of it."""

    module: str
    """Module under `kuaibao.cli`; it holds `app`, a `typer.Typer`, or one function per verb."""
    room: str
    help: str
    name: str = "app"
    extra: str = ""
    """The extra to name when the module's imports are missing."""


VERBS: dict[str, Verb] = {
    "build": Verb("build", "Bulletin", "Make an issue from a folder with bulletin.toml."),
    "summarize": Verb("summarize", "Bulletin", "Choose or write the sentences that matter."),
    "serve": Verb("serve", "Bulletin", "The desk in the browser.", extra="serve"),
    "headline": Verb("headline", "Bulletin", "Draft headlines with a text service."),
    "desk": Verb("desk", "Bulletin", "The desk's work from the shell.", extra="serve"),
    "feed": Verb("feed", "Tracking", "Read saved feeds."),
    "extract": Verb("extract", "Tracking", "Title, text, authors and date of a saved page."),
    "dedupe": Verb("dedupe", "Tracking", "Join records that tell one story."),
    "items": Verb("items", "Tracking", "Why entries are one story; part those that are not."),
    "search": Verb("search", "Tracking", "Search the archive."),
    "ask": Verb("ask", "Tracking", "Ask the archive; answers cite their items."),
    "sources": Verb("sources", "Tracking", "Check sources, import and export OPML."),
    "watch": Verb("watch", "Tracking", "Track the sources without end."),
    "trends": Verb("trends", "Tracking", "Rising and falling topics of the archive."),
    "draw": Verb("draw", "Diagrams", "Turn Substance, Style and Domain into pictures."),
    "gallery": Verb("gallery", "Diagrams", "Many layouts to choose from; drag, pin, bake."),
    "illustrate": Verb("illustrate", "Diagrams", "Draw the statements of a text beside them."),
    "doctor": Verb("doctor", "Efficient PyTorch", "Find and cure a pipeline's bottleneck.",
                   extra="models"),
    "train": Verb("train", "Models", "Train a model from a recipe.", extra="models"),
    "generate": Verb("generate", "Models", "Continue a prompt.", extra="models"),
    "tune": Verb("tune", "Models", "Fine-tune on the team's own archive.", extra="models"),
    "evaluate": Verb("evaluate", "Models", "Score summaries and models.", extra="models"),
    "reproduce": Verb("reproduce", "Models", "Run a paper's claims on this machine.",
                      extra="models"),
    "probe": Verb("probe", "Image GPT", "Linear probe on a model's features.", extra="models"),
    "complete": Verb("complete", "Image GPT", "Complete the lower half of a picture.",
                     extra="models"),
    "figures": Verb("figures", "Image GPT", "Sort an item's pictures.", extra="models"),
    "cover": Verb("cover", "Image GPT", "Make an issue's cover strip.", extra="models"),
    "serve-models": Verb("serve_models", "Text service", "The OpenAI-compatible API.",
                         extra="serve"),
    "service": Verb("service", "Text service", "Applications, keys, usage, audit.",
                    extra="serve"),
    "env": Verb("env", "House", "Check this installation."),
}  # fmt: skip


class _Verbs(TyperGroup):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All verbs whose module is there, room by room."""
        return [name for name, verb in VERBS.items() if _is_present(verb)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What a listing shows of a verb; its module stays unread."""
        verb = VERBS.get(cmd_name)
        return _listed(cmd_name, verb) if verb is not None and _is_present(verb) else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb that is called, with its module."""
        verb = VERBS.get(args[0])
        if verb is None or not _is_present(verb):
            return super().resolve_command(ctx, args)
        return args[0], _load(args[0], verb), args[1:]


def _is_present(verb: Verb) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(__file__), verb.module + ".py"))


def _listed(name: str, verb: Verb) -> Any:
    shell = typer.Typer(rich_markup_mode=None)

    def command() -> None:
        pass

    shell.command(name, help=verb.help, rich_help_panel=verb.room)(command)
    listed = typer.main.get_command(shell)
    listed.name = name
    return listed


def _load(name: str, verb: Verb) -> Any:
    try:
        module = importlib.import_module(f"kuaibao.cli.{verb.module}")
    except ModuleNotFoundError as error:
        if verb.extra and not (error.name or "").startswith("kuaibao"):
            raise MissingExtraError(verb.extra, needed_for=f"kuaibao {name}") from error
        raise
    room: typer.Typer = getattr(module, verb.name)
    room._add_completion = False  # `kuaibao` itself offers it once
    command = typer.main.get_command(room)
    command.name = name
    command.help = command.help or verb.help
    return command


app = typer.Typer(
    cls=_Verbs,
    help="Kuaibao (快报): track a field, read, write, draw and publish a research bulletin.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    pass


def main(argv: list[str] | None = None) -> None:
    """Run the command line; errors that a user can mend become a sentence and an exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        app(args=arguments, prog_name="kuaibao")
    except KuaibaoError as error:
        if "--json" in arguments:
            typer.echo(json.dumps(error.to_json(), ensure_ascii=False))
        typer.secho(f"kuaibao: {error}", err=True, fg=typer.colors.RED)
        raise SystemExit(error.exit_code) from error
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
