import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "house"))

import worked_examples  # noqa: E402


@pytest.mark.slow
def test_the_pages_worked_example_is_what_happens(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    text = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    worked_examples.write_files(text, tmp_path)
    for command in worked_examples.commands(text):
        done = worked_examples.run(command, tmp_path)
        assert done.returncode == 0, f"{command.line}\n{done.stderr}"
        if command.expected:
            assert worked_examples.matches(command.expected, done.stdout), done.stdout
