"""`kuaibao env`: what is installed here, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import sqlite3
import sys
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from kuaibao import __version__

app = typer.Typer()

EXTRAS: dict[str, tuple[str, ...]] = {
    "base": ("numpy", "numba", "lxml", "httpx2", "sqlalchemy", "typst", "jinja2", "trafilatura"),
    "models": ("torch", "safetensors", "tokenizers", "sentencepiece"),
    "serve": ("starlette", "uvicorn", "argon2"),
    "ctranslate2": ("ctranslate2", "sentencepiece"),
    "embeddings": ("safetensors", "tokenizers"),
    "postgres": ("psycopg",),
    "cluster": ("ray",),
}


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    required: bool
    found: str
    hint: str = ""


def checks() -> list[Check]:
    """Look at Python, SQLite, fonts, the packages of each extra, cores."""
    found = [
        Check("kuaibao", True, True, __version__),
        Check("python", sys.version_info >= (3, 11), True, platform.python_version()),
        _sqlite(),
        _fonts(),
    ]
    found += [_extra(extra, modules) for extra, modules in EXTRAS.items()]
    found.append(Check("cores", True, False, str(len(os.sched_getaffinity(0)))
                       if hasattr(os, "sched_getaffinity") else str(os.cpu_count())))  # fmt: skip
    return found


def _sqlite() -> Check:
    with sqlite3.connect(":memory:") as connection:
        options = {row[0] for row in connection.execute("pragma compile_options")}
    ok = "ENABLE_FTS5" in options
    hint = "" if ok else "Python's SQLite lacks FTS5: use a Python built with it."
    return Check("sqlite with full-text search", ok, True, sqlite3.sqlite_version, hint)


def _fonts() -> Check:
    from kuaibao.bulletin.publishing.fonts import INSTALL_HINT, find_cjk_font

    font = find_cjk_font()
    return Check(
        "Chinese font",
        font is not None,
        False,
        font.family if font else "none",
        "" if font else f"Chinese PDFs need one. {INSTALL_HINT}",
    )


def _extra(extra: str, modules: tuple[str, ...]) -> Check:
    missing = [m for m in modules if importlib.util.find_spec(m) is None]
    present = [m for m in modules if m not in missing]
    hint = f"pip install 'kuaibao[{extra}]'" if missing else ""
    found = ", ".join(f"{m} {_version(m)}" for m in present) or "not installed"
    return Check(extra, not missing, extra == "base", found, hint)


def _version(module: str) -> str:
    names = importlib.metadata.packages_distributions().get(module, [module])
    return importlib.metadata.version(names[0])


@app.command()
def env(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check this installation; exit status 1 if something required is missing."""
    report = checks()
    ok = all(c.ok for c in report if c.required)
    if as_json:
        document = {"ok": ok, "checks": [asdict(c) for c in report],
                    "browser": shutil.which("chromium")}  # fmt: skip
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for check in report:
            mark = "✓" if check.ok else ("✗" if check.required else "–")
            typer.echo(f"{mark} {check.name}: {check.found}")
            if check.hint:
                typer.echo(f"    {check.hint}")
    raise typer.Exit(0 if ok else 1)
