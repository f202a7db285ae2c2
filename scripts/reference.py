"""Writes docs/reference/ from the commands and settings themselves; `--check`: are they fresh?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer
from pydantic import TypeAdapter

from kuaibao.bulletin.settings import BulletinSettings
from kuaibao.bulletin.sources import source_kinds
from kuaibao.cli.main import VERBS, _is_present, _load
from kuaibao.diagrams.library import library_page
from kuaibao.files import write_text

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "cli.md": cli_page(),
        "settings.md": settings_page(),
        "../diagrams-library.md": library_page(),
    }


def cli_page() -> str:
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


def settings_page() -> str:
    """Every setting of bulletin.toml and of every kind of source."""
    schema = TypeAdapter(BulletinSettings).json_schema()
    tables: dict[str, Any] = schema.get("$defs", {})
    lines = ["# Settings", "", "Made by `make docs` from the program itself. A bulletin is a folder"
             " with a `bulletin.toml`; a key that is not listed here is refused.", "",
             "## bulletin.toml", "", *_setting_rows(schema)]  # fmt: skip
    for key, value in schema["properties"].items():
        name = _table_name(value)
        if name:
            brackets = f"[[{key}]]" if value.get("type") == "array" else f"[{key}]"
            lines += [f"### {brackets}", "", *_setting_rows(tables[name])]
    lines += ["## Sources", "", "Every `[[sources]]` table has `id` and `kind`; `section` puts its"
              " items into that section, `weight` multiplies their score. `item_kind`, `language`,"
              " `licence` and `limit` are the same for all kinds. Keys of services come from the"
              " environment, by the name that a setting gives.", ""]  # fmt: skip
    for kind, point in sorted(source_kinds().items()):
        source = point.load()
        about = (source.__doc__ or "").strip().splitlines()[0]
        rows = _setting_rows(TypeAdapter(source.settings_type).json_schema())
        lines += [f"### {kind}", "", about, "", *rows]
    return "\n".join(lines).rstrip() + "\n"


def _setting_rows(schema: dict[str, Any]) -> list[str]:
    required = set(schema.get("required", []))
    rows = ["| setting | default | |", "|---|---|---|"]
    for key, value in schema["properties"].items():
        if _table_name(value):
            continue
        default = "required" if key in required else f"`{json.dumps(value.get('default'))}`"
        text = " ".join(value.get("description", "").split()).replace("|", "\\|")
        rows.append(f"| `{key}` | {default} | {text} |")
    return [*rows, ""] if len(rows) > 2 else []


def _table_name(value: dict[str, Any]) -> str:
    """The settings class behind a table or a list of tables."""
    inner = value.get("items", {}) if value.get("type") == "array" else value
    reference = inner.get("$ref") or next(
        (part["$ref"] for part in inner.get("allOf", []) if "$ref" in part), ""
    )
    return reference.rpartition("/")[2]


def main() -> None:
    """Write the pages, or with `--check` exit with 1 if one is stale."""
    made = pages()
    if "--check" in sys.argv:
        stale = [
            name
            for name, text in made.items()
            if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
        ]
        for name in stale:
            typer.echo(f"docs/reference/{name} is stale: run `make docs`", err=True)
        raise SystemExit(int(bool(stale)))
    for name, text in made.items():
        write_text(FOLDER / name, text)


if __name__ == "__main__":
    main()
