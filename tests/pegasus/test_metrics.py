"""Figures of summaries against their definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.pegasus import bootstrap, measure_summary, summarize_figures
from kuaibao.pegasus.metrics import fragments

tokens = st.lists(st.sampled_from("abc"), max_size=12)


@given(tokens, tokens)
def test_fragments_stand_in_the_source_and_cover_what_it_has(
    source: list[str], summary: list[str]
) -> None:
    lengths = fragments(source, summary)
    assert sum(lengths) == sum(word in source for word in summary)
    text = "".join(source)
    at = 0
    for length in lengths:
        while summary[at] not in source:
            at += 1
        assert "".join(summary[at : at + length]) in text
        at += length


def test_a_copied_summary_is_all_covered_and_nothing_new() -> None:
    figures = measure_summary("the model writes text", document="Here the model writes text now")
    assert figures["coverage"] == 1.0
    assert figures["density"] == 4.0
    assert figures["novelty"] == 0.0
    assert figures["faithful_numbers"] == figures["faithful_names"] == 1.0


def test_invented_numbers_and_names_cost_faithfulness() -> None:
    figures = measure_summary(
        "It was shown by MIT in 1999 with 3 tools.",
        document="It was shown by CMU in 2020: 3 tools.",
    )
    assert figures["faithful_numbers"] == 0.5
    assert figures["faithful_names"] == 0.0


def test_rouge_and_repetition() -> None:
    figures = measure_summary("a b c a b c a b c", reference="a b c")
    assert figures["rouge1"] == pytest.approx(0.5)
    assert figures["repetition"] == pytest.approx(1 - 3 / 7)
    assert measure_summary("", reference="a", document="b")["rouge1"] == 0.0


def test_an_interval_holds_the_mean_and_narrows() -> None:
    few = bootstrap([0.0, 1.0] * 5)
    many = bootstrap([0.0, 1.0] * 500)
    assert few.low <= few.mean <= few.high
    assert many.high - many.low < few.high - few.low
    assert bootstrap([2.0]) == bootstrap([2.0, 2.0])
    with pytest.raises(ValueError, match="no values"):
        bootstrap([])
    assert summarize_figures([{"x": 1.0}, {"x": 3.0, "y": 1.0}])["x"].mean == 2.0
