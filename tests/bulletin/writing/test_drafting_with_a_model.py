"""Drafts with a summariser of one's own: evidence, warnings, the line of a tool, what falls back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kuaibao.bulletin.config import parse_config
from kuaibao.bulletin.model import Entry, Item
from kuaibao.bulletin.pipeline.editions import writer_of
from kuaibao.bulletin.writing import Writer, make_draft
from kuaibao.errors import InputError

TEXT = (
    "Penrose turns statements into diagrams of mathematics. A Style program says how each of its "
    "12 shapes is drawn. The layout is found by an optimiser that people need not know."
)


class FakeSummarizer:
    """Writes what it was given, and keeps what it was asked."""

    name = "fake"

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        self.asked: list[tuple[str, int, str]] = []

    def summarize(self, document: str, *, n_sentence: int, language: str) -> Sequence[str]:
        self.asked.append((document, n_sentence, language))
        return self.sentences[:n_sentence]


def item(
    summary: str = "", kind: str = "tool", content: str = TEXT, title: str = "Penrose"
) -> Item:
    entry = Entry(
        source_id="s", entry_id="e", kind=kind, title=title, summary=summary, content=content,
        language="en",
    )  # fmt: skip
    return Item(item_id="i", entries=(entry,), section="tools" if kind == "tool" else "news")


def test_written_sentences_carry_evidence_and_warnings() -> None:
    fake = FakeSummarizer("Penrose draws diagrams of mathematics.", "It has 15 shapes.")
    writer = Writer(strategy="pegasus", summarizer=fake)
    draft = make_draft(item(kind="news"), 0, "en", writer)
    assert [s.text for s in draft.sentences] == list(fake.sentences)
    assert draft.sentences[0].evidence[0].sentence == 0
    assert draft.sentences[0].warnings == ()
    assert draft.sentences[1].warnings == ("number not in the source: 15",)
    assert draft.strategy == "pegasus"


def test_a_summariser_that_writes_nothing_leaves_the_texts_own_sentences() -> None:
    draft = make_draft(
        item(kind="news"), 0, "en", Writer(strategy="pegasus", summarizer=FakeSummarizer())
    )
    assert draft.sentences
    assert all(s.text in TEXT for s in draft.sentences)


def test_a_tool_without_a_line_gets_one_and_one_with_a_line_keeps_it() -> None:
    fake = FakeSummarizer("program that turns statements into diagrams")
    draft = make_draft(item(), 0, "en", Writer(synopsis=fake))
    assert draft.sentences[0].text == "Program that turns statements into diagrams."
    assert len(draft.sentences) == 3
    assert draft.strategy == "ind-orig, synopsis"
    own = make_draft(item(summary="Diagrams from prose"), 0, "en", Writer(synopsis=fake))
    assert own.sentences[0].text == "Diagrams from prose."
    assert own.strategy == "ind-orig"
    assert len(fake.asked) == 1


def test_a_line_that_begins_with_the_tools_name_keeps_its_spelling() -> None:
    fake = FakeSummarizer("penrose turns statements into diagrams")
    draft = make_draft(item(title="penrose 3.0"), 0, "en", Writer(synopsis=fake))
    assert draft.sentences[0].text == "penrose turns statements into diagrams."


@pytest.mark.parametrize(
    "line",
    [
        "penrose",
        "module for chemistry",
        "program of of diagrams",
        "diagrams of statements into diagrams",
    ],
)
def test_a_line_that_its_text_does_not_bear_out_is_left_out(line: str) -> None:
    draft = make_draft(item(), 0, "en", Writer(synopsis=FakeSummarizer(line)))
    assert draft.strategy == "ind-orig"
    assert all(s.text in TEXT for s in draft.sentences)


def test_a_line_is_written_from_the_beginning_of_a_text() -> None:
    fake = FakeSummarizer("program of diagrams")
    more = " ".join(f"Sentence number {i} says more of it." for i in range(9))
    make_draft(item(content=f"{TEXT} {more}"), 0, "en", Writer(synopsis=fake))
    assert "number 8" not in fake.asked[0]


def test_news_get_no_line() -> None:
    fake = FakeSummarizer("a line")
    make_draft(item(kind="news"), 0, "en", Writer(synopsis=fake))
    assert fake.asked == []


def test_a_model_without_its_summariser_is_refused(tmp_path) -> None:
    text = 'series = "B"\n[writing]\nmodel = "here"\n[[sources]]\nid = "a"\nkind = "folder"\npath = "."\n'
    config = parse_config(text, folder=tmp_path)
    with pytest.raises(InputError, match="takes none"):
        writer_of(config)
