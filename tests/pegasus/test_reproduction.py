"""The paper's claims in a plan: what it holds, how it is gone on with, what it says."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_training import pairs

from kuaibao.errors import InputError
from kuaibao.pegasus.reproduction import (
    SCALES,
    Outcome,
    Scale,
    Trial,
    find_scale,
    findings,
    plan,
    reproduce,
    write_report,
)
from kuaibao.pegasus.reproduction.plan import MASKED_WORDS, NONE, gap_sentences

TINY = Scale(
    name="tiny", n_layer=1, n_embd=16, n_head=2, n_inner=32, vocab_size=220, max_input=64,
    max_target=12, pretrain_steps=2, finetune_steps=2, batch_size=4, n_pairs=(4,), compared_at=4,
    n_test=6, seeds=(0,), claims="a",
)  # fmt: skip


def pairs_file(folder: Path) -> Path:
    splits = ["train"] * 6 + ["validation", "test"]
    rows = [{**pair, "split": splits[i % 8]} for i, pair in enumerate(pairs(48))]
    file = folder / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def test_the_full_plan_holds_each_claim_with_two_seeds() -> None:
    trials = plan(SCALES["full"])
    assert len(trials) == len({trial.name for trial in trials})
    # (a) 3 beginnings x 4 sizes, (b) 5 more strategies, (c) 3 more ratios; two seeds each.
    assert len(trials) == 2 * (12 + 5 + 3)
    assert {t.seed for t in trials} == {0, 1}
    assert [t.pretraining for t in trials[:3]] == [gap_sentences("ind-orig"), NONE, MASKED_WORDS]
    with pytest.raises(InputError, match="no scale"):
        find_scale("fulll")


def test_a_plan_is_run_in_pieces_and_nothing_is_done_twice(tmp_path: Path) -> None:
    file = pairs_file(tmp_path)
    out = tmp_path / "out"
    first, left = reproduce(TINY, file, out, budget_s=1e-6)
    assert first == []
    assert len(left) == len(plan(TINY))
    everything, left = reproduce(TINY, file, out)
    assert left == []
    assert [o.trial for o in everything] == plan(TINY)
    assert all(len(o.scores["rouge1"]) == 6 for o in everything)
    stamps = {p: p.stat().st_mtime_ns for p in out.rglob("*.safetensors")}
    again, _ = reproduce(TINY, file, out)
    assert again == everything
    assert stamps == {p: p.stat().st_mtime_ns for p in out.rglob("*.safetensors")}
    with pytest.raises(InputError, match="another plan"):
        reproduce(replace(TINY, n_embd=32), file, out)
    path = write_report(everything, [], TINY, tmp_path / "report")
    text = path.read_text(encoding="utf-8")
    assert "3 of 3 trials" in text
    assert "| masked-words | 4 | 1 |" in text
    assert (tmp_path / "report" / "reproduction.svg").read_text(encoding="utf-8").count("<svg") == 1


def test_a_process_may_take_one_seed_and_reports_what_others_finished(tmp_path: Path) -> None:
    file = pairs_file(tmp_path)
    both = replace(TINY, seeds=(0, 1))
    first, left = reproduce(both, file, tmp_path / "out", seed=1)
    assert {o.trial.seed for o in first} == {1}
    assert {t.seed for t in left} == {0}
    everything, left = reproduce(both, file, tmp_path / "out", seed=0)
    assert left == []
    assert [o.trial for o in everything] == plan(both)
    with pytest.raises(InputError, match="no seed 7"):
        reproduce(both, file, tmp_path / "out", seed=7)


def outcome(trial: Trial, scores: list[float]) -> Outcome:
    return Outcome(trial, dict.fromkeys(("rouge1", "rouge2", "rougeLsum"), scores), 1.0)


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [(0.2, "shows"), (-0.2, "the reverse shows"), (0.0, "does not show")],
)
def test_a_verdict_follows_from_the_paired_interval(shift: float, verdict: str) -> None:
    scores = [0.3 + 0.01 * (i % 7) for i in range(40)]
    outcomes: list[Outcome] = []
    for seed in (0, 1):
        noise = [0.02 * (-1) ** (i + seed) for i in range(40)]
        ours = [s + shift + n for s, n in zip(scores, noise, strict=True)]
        outcomes.append(outcome(Trial(gap_sentences("ind-orig"), 10, seed), ours))
        outcomes.append(outcome(Trial(NONE, 10, seed), scores))
    (found,) = findings(outcomes, SCALES["full"])
    assert (found.n_seed, found.n_pairs, found.verdict) == (2, 10, verdict)
    assert found.difference.mean == pytest.approx(shift, abs=1e-9)


def test_sides_with_different_seeds_are_not_compared() -> None:
    outcomes = [outcome(Trial(gap_sentences("ind-orig"), 10, s), [0.5, 0.4]) for s in (0, 1)]
    outcomes.append(outcome(Trial(NONE, 10, 0), [0.1, 0.2]))
    assert findings(outcomes, SCALES["full"]) == []
