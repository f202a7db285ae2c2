"""Questions over the archive: quoted or written by a model, always with what supports them."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources import SourceResult
from kuaibao.bulletin.store import Store
from kuaibao.bulletin.writing import answer_question

TEXTS = {
    "room": "The library opened a reading room in May. The reading room holds forty desks.",
    "tape": "The layout engine runs on a tape. A tape holds all candidates at once.",
    "zh": "图书馆新开了阅览室。阅览室有四十张书桌。",
}


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "archive.db"
    entries = tuple(
        Entry(
            source_id="s",
            entry_id=name,
            title=f"Story {name}",
            summary=text,
            language="zh" if name == "zh" else "en",
            url=f"https://example.org/{name}",
        )
        for name, text in TEXTS.items()
    )
    with Store.open(path) as store:
        run = store.begin_run(datetime(2020, 7, 1, tzinfo=UTC))
        store.save_fetch(run, "s", "feed", SourceResult(entries=entries, status="new"))
    return path


class Says:
    def __init__(self, text):
        self.text = text

    def answer(self, question, passages, *, language):
        self.passages, self.language = passages, language
        return self.text


def ask(archive, question, answerer=None):
    with Store.open(archive) as store:
        return answer_question(store, question, answerer)


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("How many desks does the reading room hold?", "The reading room holds forty desks."),
        ("阅览室有多少书桌？", "阅览室有四十张书桌。"),
    ],
)
def test_without_a_model_the_archive_is_quoted(archive, question, quote):
    found = ask(archive, question)
    assert found.citations[0].quote == quote
    assert found.text.startswith(f"{quote} [1]")
    assert not found.is_machine


def test_a_model_s_answer_keeps_the_citations_that_support_it(archive):
    model = Says("The room holds forty desks [1][2].")
    found = ask(archive, "How many desks does the reading room hold?", model)
    assert found.text == "The room holds forty desks. [1]"
    assert [c.title for c in found.citations] == ["Story room"]
    assert found.is_machine
    assert model.language == "en"


def test_a_number_that_no_passage_holds_is_flagged(archive):
    found = ask(
        archive,
        "How many desks does the reading room hold?",
        Says("The reading room holds 95 desks."),
    )
    assert any("95" in warning for warning in found.warnings)


def test_what_nothing_supports_is_no_answer(archive):
    found = ask(
        archive, "How many desks does the reading room hold?", Says("Bananas are yellow [1].")
    )
    assert found.text == ""
    assert found.citations == ()


@pytest.mark.parametrize("question", ["Who discovered penicillin?", "", "???", "the of and"])
def test_an_archive_that_does_not_tell_says_so(archive, question):
    assert ask(archive, question).text == ""


def test_from_the_shell(archive):
    from kuaibao.cli.ask import app

    run = CliRunner().invoke(app, ["How many desks?", str(archive), "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["citations"][0]["url"] == "https://example.org/room"
