"""A cure as a small change of the script's source: shown as a diff, written only when accepted."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kuaibao.doctor.distribute import distributed, last_import_line
from kuaibao.errors import InputError
from kuaibao.files import hash_file, write_text

__all__ = ["Edit", "apply_edit", "edit_for"]


@dataclass(frozen=True)
class Edit:
    """One file's new text, bound to the old one by its hash."""

    path: str
    old_sha256: str
    new_text: str
    diff: str

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def edit_for(cure: str, options: dict[str, Any], place: str) -> Edit | None:
    """The edit of the `DataLoader(...)` call at `place` (`file:line`); None when none is safe."""
    path, _, line = place.rpartition(":")
    if cure == "distributed_data_parallel":
        return _edit(path, distributed)
    if cure not in ("ram_cache", "workers", "persistent_workers") or not line.isdigit():
        return None

    def change(source: str) -> str | None:
        call = _loader_call(ast.parse(source), int(line))
        return None if call is None else _changed(source, call, cure, options)

    return _edit(path, change)


def _edit(path: str, change: Callable[[str], str | None]) -> Edit | None:
    try:
        source = Path(path).read_text(encoding="utf-8")
        changed = change(source)
    except (OSError, SyntaxError, ValueError):
        return None
    if changed is None or changed == source:
        return None
    diff = "".join(
        difflib.unified_diff(
            source.splitlines(keepends=True),
            changed.splitlines(keepends=True),
            f"a/{Path(path).name}",
            f"b/{Path(path).name}",
        )
    )
    return Edit(path, hash_file(path), changed, diff)


def apply_edit(value: dict[str, Any]) -> None:
    """Write an edit.

    Raises:
        InputError: The file has changed since the edit was made.
    """
    edit = Edit(**value)
    if hash_file(edit.path) != edit.old_sha256:
        raise InputError(f"{edit.path} has changed since it was examined", hint="Examine it again.")
    write_text(edit.path, edit.new_text)


def _loader_call(tree: ast.Module, line: int) -> ast.Call | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name == "DataLoader":
                return node
    return None


def _changed(source: str, call: ast.Call, cure: str, options: dict[str, Any]) -> str | None:
    settings: dict[str, str] = {}
    if "n_workers" in options:
        settings["num_workers"] = str(options["n_workers"])
    if cure == "persistent_workers":
        settings["persistent_workers"] = "True"
    edits = _keyword_edits(source, call, settings)
    if edits is None:
        return None
    if cure == "ram_cache":
        data = call.args[0] if call.args else _keyword(call, "dataset")
        if data is None:
            return None
        start, end = _span(source, data)
        inner = source[start:end]
        edits.append((start, end, f"RamCache({inner})"))
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    if cure == "ram_cache" and "RamCache" not in source.split("RamCache(", 1)[0]:
        source = _with_import(source, "from kuaibao.loading import RamCache")
    return source


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _keyword_edits(
    source: str, call: ast.Call, settings: dict[str, str]
) -> list[tuple[int, int, str]] | None:
    edits: list[tuple[int, int, str]] = []
    if any(k.arg is None for k in call.keywords) or any(
        isinstance(a, ast.Starred) for a in call.args
    ):
        return None  # settings hidden in *args or **kwargs: a change could contradict them
    missing: list[str] = []
    for name, value in settings.items():
        old = _keyword(call, name)
        if old is None:
            if not (name == "num_workers" and value == "0"):
                missing.append(f"{name}={value}")
        else:
            edits.append((*_span(source, old), value))
    if settings.get("num_workers") == "0":
        for name, neutral in (("persistent_workers", "False"), ("prefetch_factor", "None")):
            old = _keyword(call, name)
            if old is not None:
                edits.append((*_span(source, old), neutral))
    if missing:
        last = max([*call.args, *[k.value for k in call.keywords]], key=lambda n: _span(source, n))
        end = _span(source, last)[1]
        edits.append((end, end, ", " + ", ".join(missing)))
    return edits


def _span(source: str, node: ast.expr) -> tuple[int, int]:
    lines = source.splitlines(keepends=True)

    def offset(line: int, column: int) -> int:
        before = sum(len(text) for text in lines[: line - 1])
        return before + len(lines[line - 1].encode()[:column].decode())

    return (
        offset(node.lineno, node.col_offset),
        offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
    )


def _with_import(source: str, line: str) -> str:
    lines = source.splitlines(keepends=True)
    lines.insert(last_import_line(ast.parse(source)), line + "\n")
    return "".join(lines)
