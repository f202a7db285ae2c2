"""Running the doctor in tests, and checking a report against its schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PATIENTS = Path(__file__).parent / "patients"


PATIENCE_S = 560
"""A process that imports torch takes half a minute on a crowded machine."""


def run_doctor(
    folder: Path, *options: str, script: Path | tuple[str, ...], arguments: tuple[str, ...] = ()
) -> Any:
    """`kuaibao doctor run`; gives the finished process and the report (None without one)."""
    target = folder / "report.json"
    words = script if isinstance(script, tuple) else (str(script),)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kuaibao", "doctor", "run", *options),
            *("--json", str(target), "--", "python", *words, *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=PATIENCE_S,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    report = json.loads(target.read_text()) if target.exists() else None
    return done, report


def decided(folder: Path, *options: str, **run: Any) -> Any:
    """The same, and again up to twice while the verdict is `undecided`: neighbours make noise."""
    for _ in range(3):
        done, report = run_doctor(folder, *options, **run)
        if report is None or report["verdict"] != "undecided":
            break
    return done, report


def mismatches(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "$") -> list:
    """Where a value breaks the parts of JSON Schema that our schema uses."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    found = []
    if "oneOf" in schema:
        tries = [mismatches(value, one, root, path) for one in schema["oneOf"]]
        return [] if any(not t for t in tries) else tries[0]
    kinds = schema.get("type")
    if kinds and not any(
        _is_of(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ):
        return [f"{path}: {value!r} is no {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{path}: {value!r} is not {schema['const']!r}")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                found.append(f"{path}: {name} is missing")
        for name, inner in value.items():
            rule = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if isinstance(rule, dict):
                found += mismatches(inner, rule, root, f"{path}.{name}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for i, inner in enumerate(value):
            found += mismatches(inner, schema["items"], root, f"{path}[{i}]")
    return found


def _is_of(value: Any, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, kinds[kind])
