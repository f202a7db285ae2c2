"""A service's data folder from the shell: opened as its owner, beside a server or without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuaibao.errors import InputError

if TYPE_CHECKING:
    from kuaibao.service.service import Service

__all__ = ["FOLDER", "Data", "Json", "open_data", "print_lines"]

Data = Annotated[Path, typer.Option("--data", help="The service's data folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
FOLDER = Path("kuaibao-service")


def open_data(data: Path, models: dict[str, str] | None = None) -> Service:
    """The service over a data folder, with no model but those named.

    Raises:
        InputError: There is no service in the folder.
    """
    from kuaibao.service.models import make_spec
    from kuaibao.service.service import Service, make_pool, open_service_database
    from kuaibao.service.settings import load_settings

    if not (data / "service.db").exists():
        raise InputError(
            f"{data} holds no service", hint="Start one with: kuaibao serve-models --data DIR"
        )
    settings = load_settings(data=str(data))
    specs = {name: make_spec(settings, name, where) for name, where in (models or {}).items()}

    def no_model(name: str, folder: str) -> Any:
        raise InputError(f"models are not loaded here ({name} in {folder})")

    database = open_service_database(data)
    return Service(settings, database, make_pool(settings, specs), no_model, is_running=False)


def print_lines(value: Any, as_json: bool, lines: list[str]) -> None:
    """One JSON document, or lines for people."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(lines))
