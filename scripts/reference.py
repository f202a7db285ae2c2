"""Writes docs/reference/cli.md from the command line itself; `--check` says whether it is fresh."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from kuaibao.cli.main import VERBS, _is_present, _load
from kuaibao.files import write_text

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"


def reference() -> str:
    """Every verb, its arguments and its options, as Markdown."""
    lines = ["# Commands", "", "Made by `make docs` from the commands themselves.", ""]
    for room in dict.fromkeys(verb.room for verb in VERBS.values()):
        names = [n for n, v in VERBS.items() if v.room == room and _is_present(v)]
        if names:
            lines += [f"## {room}", ""]
        for name in names:
            lines += _describe(_load(name, VERBS[name]), f"kuaibao {name}")
    return "\n".join(lines).rstrip() + "\n"


def _describe(command: Any, title: str) -> list[str]:
    lines = [f"### {title}", "", (command.help or "").split("\f")[0].strip(), ""]
    rows = [_row(p) for p in command.params if p.name not in _TYPER_OWN]
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    for name, child in sorted(getattr(command, "commands", {}).items()):
        lines += _describe(child, f"{title} {name}")
    return lines


_TYPER_OWN = {"install_completion", "show_completion", "help"}


def _row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts) if is_option else (parameter.metavar or parameter.name.upper())
    text = " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")
    return f"| `{name.replace('|', ' or ')}` | {text} |"


def main() -> None:
    """Write the page, or with `--check` exit with 1 if it is stale."""
    fresh = reference()
    if "--check" in sys.argv:
        stale = not TARGET.exists() or TARGET.read_text(encoding="utf-8") != fresh
        if stale:
            typer.echo("docs/reference/cli.md is stale: run `make docs`", err=True)
        raise SystemExit(int(stale))
    write_text(TARGET, fresh)


if __name__ == "__main__":
    main()
