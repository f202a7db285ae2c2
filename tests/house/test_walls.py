"""Who may import whom, and what importing costs."""

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import kuaibao

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "pydantic", "lxml", "sqlalchemy", "numba", "numpy", "httpx2")


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_imports_point_down():
    """Runs the contracts of pyproject.toml: a planted upward import fails here with its line."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_importing_the_package_loads_nothing_heavy():
    assert not _modules_after("import kuaibao") & set(HEAVY)


def test_help_loads_no_engine():
    statement = (
        "from kuaibao.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass"
    )  # fmt: skip
    assert not _modules_after(statement) & set(HEAVY)


@pytest.mark.parametrize(
    "room", ["kuaibao.text", "kuaibao.files", "kuaibao.diagrams", "kuaibao.bulletin"]
)
def test_a_base_room_needs_no_torch(room):
    assert "torch" not in _modules_after(f"import {room}")


@pytest.mark.parametrize(
    "room", sorted(m.name for m in pkgutil.iter_modules(kuaibao.__path__) if m.ispkg)
)
def test_what_a_room_exports_exists(room):
    module = importlib.import_module(f"kuaibao.{room}")
    exported = list(getattr(module, "__all__", []))
    assert len(exported) == len(set(exported))
    missing = [name for name in exported if not hasattr(module, name)]
    assert not missing
