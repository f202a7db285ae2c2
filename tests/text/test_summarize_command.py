"""`kuaibao summarize` through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TEXT = (
    "Penrose turns statements into diagrams. The statements are typed in Substance. A Style "
    "program says how diagrams are drawn. The weather was fine."
)


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kuaibao", "summarize", *arguments],
        input=stdin, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_json_gives_sentences_with_their_places(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text(TEXT, encoding="utf-8")
    result = run(str(file), "--sentences", "2", "--strategy", "seq-uniq", "--json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["strategy"] == "seq-uniq"
    assert answer["language"] == "en"
    assert len(answer["sentences"]) == 2
    for sentence in answer["sentences"]:
        assert answer["text"][sentence["start"] : sentence["end"]] == sentence["text"]


def test_pages_are_read_without_what_stands_around(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    body = "".join(f"<p>{TEXT}</p>" for _ in range(3))
    page.write_text(
        f"<html><head><title>Penrose</title></head><body><nav>Home Login</nav>"
        f"<article><h1>Penrose</h1>{body}</article><footer>Imprint</footer></body></html>",
        encoding="utf-8",
    )
    answer = json.loads(run(str(page), "--ratio", "1", "--json").stdout)
    assert answer["title"] == "Penrose"
    assert "Login" not in answer["text"]


def test_chinese_comes_from_standard_input() -> None:
    result = run("-", "-n", "1", stdin="快报每月出版。模型读文档，模型写摘要。人校对模型写的摘要。")
    assert result.stdout.strip() in ("模型读文档，模型写摘要。", "人校对模型写的摘要。")


def test_errors_name_the_fault_without_a_traceback(tmp_path: Path) -> None:
    for arguments in (["-", "--strategy", "seqorig"], ["-", "--ratio", "2"], [str(tmp_path / "x")]):
        result = run(*arguments)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr
        assert result.stderr.startswith("kuaibao:")


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path):
    from typer.testing import CliRunner

    from kuaibao.cli.main import app

    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 9)
    result = CliRunner().invoke(app, ["summarize", str(picture)])
    assert result.exit_code != 0
    assert "no text" in f"{result.output}{result.exception}"
    assert "picture.png" in f"{result.output}{result.exception}"
