"""`kuaibao evaluate summaries` through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from kuaibao.pegasus.debian import split_of


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kuaibao", "evaluate", "summaries", *arguments],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_a_strategy_is_scored_with_intervals(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [
        {"document": f"The tool number {i} draws. It costs {i} euros. Snow fell.",
         "summary": f"The tool number {i} draws."}
        for i in range(12)
    ]  # fmt: skip
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    result = run(str(file), "--model", "lead", "-n", "1", "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["n"] == 12
    assert figures["rouge_unit"] == "words"
    for kind in ("rouge1", "rouge2", "rougeLsum", "coverage", "faithfulness"):
        assert figures[kind] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert figures["novelty"]["mean"] == 0.0


def test_chinese_is_said_to_be_scored_by_characters(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(
        '{"text": "模型读文本。天下雪。", "summary": "模型读文本。"}\n', encoding="utf-8"
    )
    figures = json.loads(run(str(file), "-m", "lead", "-n", "1", "--json").stdout)
    assert figures["rouge_unit"] == "characters"
    assert figures["rougeLsum"]["mean"] == 1.0


def test_bad_lines_and_names_are_named(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"document": "a", "summary": "b"}\n{"document": 3}\n', encoding="utf-8")
    wrong_line = run(str(file))
    assert wrong_line.returncode == 2
    assert "pairs.jsonl:2" in wrong_line.stderr
    wrong_name = run(str(file), "--limit", "1", "-m", "leed")
    assert wrong_name.returncode == 2
    assert "Traceback" not in wrong_name.stderr + wrong_line.stderr


def test_siblings_stand_on_one_side_of_the_split() -> None:
    splits = [split_of(f"source-{i}") for i in range(4000)]
    assert splits[7] == split_of("source-7")
    assert 0.88 < splits.count("train") / 4000 < 0.92
    assert {"train", "validation", "test"} == set(splits)
