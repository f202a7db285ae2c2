"""The worked examples of docs/models.md run as they stand."""

import re
import shlex
from pathlib import Path

import pytest

from kuaibao.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.S)


def test_the_page_runs_from_top_to_bottom(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    text = "The bulletin tracks a field, reads, writes, draws and publishes.\n"
    Path("text.txt").write_text(text * 1500)
    (recipe,) = blocks("toml")
    Path("tiny.toml").write_text(recipe)
    (shell,) = blocks("console")
    for line in shell.splitlines():
        command = shlex.split(line.removeprefix("$ "))
        assert command[0] == "kuaibao"
        with pytest.raises(SystemExit) as ended:
            main(command[1:])
        assert not ended.value.code, (line, capfd.readouterr().err)
    for code in blocks("python"):
        exec(compile(code, "docs/models.md", "exec"), {})
    assert Path("copy/model.safetensors").is_file()
    assert Path("tuned/model.safetensors").is_file()
