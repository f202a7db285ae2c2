"""Tuning on the team's own issues: which texts, which are held out, when it becomes the default."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_training import pairs, trained_folder

from kuaibao.bulletin.model import (
    Draft,
    DraftSentence,
    Entry,
    Issue,
    IssueItem,
    IssueSection,
    Item,
    Signature,
)
from kuaibao.bulletin.store import Store, all_issues, save_issue
from kuaibao.bulletin.store.codec import encode
from kuaibao.bulletin.writing import back_pairs
from kuaibao.cli.main import main
from kuaibao.errors import InputError
from kuaibao.pegasus.metrics import Interval
from kuaibao.pegasus.pairs import Pair
from kuaibao.pegasus.tuning import Comparison, TuningSettings, adopt, divide, tune


def printed(i: int, *, summary: str = "", is_machine: bool = False, proofread: bool = False):
    pair = pairs(80)[i]
    entry = Entry(source_id="feed", entry_id=str(i), title=f"Tool {i}", content=pair["document"])
    draft = Draft(
        item_id=f"item-{i}", language="en", title=f"Tool {i}", is_machine=is_machine,
        sentences=(DraftSentence(text=summary or pair["summary"]),),
    )  # fmt: skip
    signatures = (Signature(role="proofread", person="Li"),) if proofread else ()
    return IssueItem(item=Item(item_id=f"item-{i}", entries=(entry,)), draft=draft,
                     signatures=signatures)  # fmt: skip


def issue(*items: IssueItem, number: int = 1) -> Issue:
    return Issue(
        series="B", title="T", language="en", number=number, running_number=number,
        day=date(2020, number, 1), sections=(IssueSection(kind="news", title="News", items=items),),
    )  # fmt: skip


def test_only_what_a_person_wrote_or_proofread_is_learned() -> None:
    own = issue(
        printed(0), printed(1, is_machine=True), printed(2, is_machine=True, proofread=True)
    )
    assert [p.item_id for p in back_pairs([own])] == ["item-0", "item-2"]
    assert len(back_pairs([own], include_machine=True)) == 3


def test_an_item_printed_twice_is_learned_as_it_was_printed_last() -> None:
    first = issue(printed(0, summary="old words"), number=1)
    second = issue(printed(0, summary="new words"), number=2)
    (pair,) = back_pairs([second, first])
    assert pair.summary == "new words"
    assert pair.document == pairs()[0]["document"]


def test_every_kept_issue_is_read_from_the_store(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.db") as store:
        save_issue(store, issue(number=2))
        save_issue(store, issue(number=1))
        assert [i.number for i in all_issues(store)] == [1, 2]


def test_the_same_items_are_held_out_whatever_else_is_there() -> None:
    keys = [f"item-{i % 50}" for i in range(100)]
    held = divide(keys, 0.2)
    assert len({k for k, h in zip(keys, held, strict=True) if h}) == 10
    by_key = dict(zip(keys, held, strict=True))
    assert [by_key[k] for k in keys] == held
    assert sum(divide(["a", "b"], 0.01)) == sum(divide(["a", "b"], 0.99)) == 1


def test_too_few_items_are_refused(tmp_path: Path) -> None:
    few = [Pair(p["document"], p["summary"]) for p in pairs(9)]
    with pytest.raises(InputError, match="too few"):
        tune(few, [str(i) for i in range(9)], str(tmp_path), tmp_path / "out", TuningSettings())


def test_the_command_tunes_compares_and_makes_the_better_model_the_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "archive"
    (archive / "2020-06").mkdir(parents=True)
    text = encode(issue(*(printed(i) for i in range(40))))
    (archive / "2020-06" / "issue.json").write_text(text, encoding="utf-8")
    base = trained_folder(tmp_path, steps=10)
    for missing in (["tune", str(archive)], ["tune", "--from-archive", str(archive)]):
        with pytest.raises(SystemExit) as refused:
            main(missing)
        assert refused.value.code == 2
    assert "--model" in capsys.readouterr().err
    arguments = ["tune", "--from-archive", str(archive), "--model", str(base), "--steps", "200",
                 "--learning-rate", "0.05", "--json"]  # fmt: skip
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert not end.value.code
    answer = json.loads(capsys.readouterr().out)
    assert (answer["n_train"], answer["n_held_out"]) == (32, 8)
    assert answer["after"]["rouge1"]["mean"] > answer["before"]["rouge1"]["mean"] + 0.2
    assert answer["is_better"]
    assert answer["default"] == str(archive / "models" / "tuned")
    learned = (archive / "models" / "tuning" / "pairs.jsonl").read_text(encoding="utf-8")
    assert len(learned.splitlines()) == 32
    assert (archive / "models" / "tuned" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("lsum", "faithfulness", "is_better"),
    [((0.01, 0.2), (-0.1, 0.1), True), ((-0.01, 0.2), (0.0, 0.1), False),
     ((0.01, 0.2), (-0.3, -0.1), False)],
)  # fmt: skip
def test_better_means_beyond_chance_and_not_less_faithful(
    tmp_path: Path, lsum: tuple[float, float], faithfulness: tuple[float, float], is_better: bool
) -> None:
    gain = {"rougeLsum": Interval(sum(lsum) / 2, *lsum),
            "faithfulness": Interval(sum(faithfulness) / 2, *faithfulness)}  # fmt: skip
    assert Comparison(30, 10, {}, {}, gain, tmp_path).is_better is is_better


def test_the_last_default_stays_beside_the_new_one(tmp_path: Path) -> None:
    for n in (1, 2):
        model = tmp_path / f"m{n}"
        model.mkdir()
        (model / "weights").write_text(str(n), encoding="utf-8")
        gain = dict.fromkeys(("rougeLsum", "faithfulness"), Interval(0.1, 0.05, 0.2))
        adopt(Comparison(30, 10, {}, {}, gain, model), tmp_path / "tuned")
    assert (tmp_path / "tuned" / "weights").read_text(encoding="utf-8") == "2"
    assert (tmp_path / "tuned-previous" / "weights").read_text(encoding="utf-8") == "1"
