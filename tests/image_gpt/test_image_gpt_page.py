"""The worked example of the page runs as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "image-gpt.md"


def _block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]


def test_the_worked_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    from kuaibao.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUAIBAO_CACHE", str(tmp_path / "cache"))
    Path("image-gpt.toml").write_text(_block("toml"))
    for line in _block("sh").strip().splitlines():
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line)[1:])
        assert ended.value.code in (0, None)
    assert Path("samples.png").is_file()
    assert Path("depth.png").is_file()
    capsys.readouterr()
    exec(compile(_block("python"), "image-gpt.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["True", "(4, 8, 8, 1)"]
