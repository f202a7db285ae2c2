"""Numbers, names and support of sentences."""

from __future__ import annotations

from kuaibao.text import align, unsupported_names, unsupported_numbers


def test_numbers_are_compared_by_value() -> None:
    source = "The model has 175 billion parameters, trained on 300,000 pages in ２０２０ for 3.5 %."
    assert unsupported_numbers("模型有 1750 亿参数，用 30 万页训练，2020 年。", source) == []
    assert unsupported_numbers("It has 176 billion parameters and 3.50%.", source) == [
        "176 billion"
    ]


def test_names_that_the_source_lacks_are_named() -> None:
    source = "Researchers at Carnegie Mellon University showed Penrose at SIGGRAPH."
    assert unsupported_names("The Penrose system was shown at SIGGRAPH.", source) == []
    assert unsupported_names("The system came from Stanford University.", source) == [
        "Stanford University"
    ]


def test_a_sentence_is_aligned_with_what_it_rests_on() -> None:
    source = ["Snow fell.", "The model masks whole sentences.", "It then writes the sentences."]
    assert align("The model masks sentences.", source)[0] == 1
    assert align("。", source) == []
    assert align("Nothing alike here", ["其他"]) == []
