"""The command line: a table of verbs, errors as sentences."""

import importlib.metadata
import json
import subprocess
import sys

import pytest

from kuaibao.cli.main import VERBS, _is_present


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "kuaibao", *arguments], capture_output=True, text=True
    )


def test_help_lists_every_verb_under_its_room():
    text = _run("--help").stdout
    for name, verb in VERBS.items():
        if _is_present(verb):
            assert name in text
            assert verb.room in text


def test_the_version_is_the_package_s():
    assert _run("--version").stdout.strip() == importlib.metadata.version("kuaibao")


@pytest.mark.parametrize("name", [n for n, v in VERBS.items() if _is_present(v)])
def test_each_verb_explains_itself_without_torch(name):
    code = (
        "import sys\nfrom kuaibao.cli.main import main\n"
        f"try: main([{name!r}, '--help'])\n"
        "except SystemExit as e: code = e.code\n"
        "assert 'torch' not in sys.modules, 'help imported torch'\nsys.exit(code)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "Usage" in run.stdout


def test_an_unknown_verb_is_named_and_exits_with_2():
    run = _run("sumarize")
    assert run.returncode == 2
    assert "sumarize" in run.stderr
    assert "Traceback" not in run.stderr


def test_env_reports_as_json():
    run = _run("env", "--json")
    report = json.loads(run.stdout)
    assert report["ok"] is (run.returncode == 0)
    assert {"python", "base", "models"} <= {check["name"] for check in report["checks"]}
