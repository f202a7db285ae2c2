"""Original and translation: alignment, numbers, units, dates, terms, typing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsroom import SOURCE_TEXT, TRANSLATION, open_newsroom

from kuaibao.bulletin.desk import (
    PieceText,
    Term,
    add_term,
    check_terms,
    find_slips,
    get_piece,
    list_terms,
    mend,
    original_of,
    review_text,
)
from kuaibao.bulletin.desk.alignment import align_sentences
from kuaibao.bulletin.desk.quantities import compare_quantities, dates_in, units_in
from kuaibao.text import sentence_texts

SOURCE, TARGET = sentence_texts(SOURCE_TEXT), sentence_texts(TRANSLATION)


def test_sentences_pair_in_order():
    pairs = align_sentences(SOURCE, TARGET)
    assert [(p.source, p.target) for p in pairs] == [((i,), (i,)) for i in range(4)]
    assert all(p.is_sure for p in pairs[:2])


def test_a_summary_may_leave_sentences_out():
    pairs = align_sentences(SOURCE, [TARGET[0], TARGET[3]])
    assert [p.source for p in pairs] == [(0,), (3,)]


@given(st.lists(st.text(max_size=30), max_size=6), st.lists(st.text(max_size=30), max_size=6))
def test_every_sentence_of_a_translation_stands_in_one_pair(source, target):
    pairs = align_sentences(source, target)
    assert [j for p in pairs for j in p.target] == list(range(len(target)))
    used = [i for p in pairs for i in p.source]
    assert used == sorted(set(used))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("175 billion words", "1750 亿词"), ("on June 17, 2020", "2020 年 6 月 17 日"),
        ("17 June", "6 月 17 日"), ("96.3 %", "96.3%"), ("a 42-km route", "42 公里的路线"),
        ("$5 million", "500 万美元"), ("in June 2020", "2020 年 6 月"),
    ],
)  # fmt: skip
def test_equal_quantities_are_equal_in_both_languages(english, chinese):
    assert compare_quantities(english, chinese, is_complete=True) == ()


@pytest.mark.parametrize(
    ("english", "chinese", "kind"),
    [
        ("175 billion words", "175 亿词", "number_added"),
        ("on June 17, 2020", "2020 年 6 月 18 日", "date_added"),
        ("5 km away", "5 米以外", "unit_differs"),
        ("It has 12 layers", "它有 21 层", "number_added"),
        ("It took 3 days", "用了 3 小时", "unit_differs"),
    ],
)
def test_a_wrong_quantity_is_told(english, chinese, kind):
    assert kind in {d.kind for d in compare_quantities(english, chinese)}


def test_what_a_full_translation_lacks_is_told():
    found = compare_quantities("12 of 30 on 3 May 2020", "共 12 个", is_complete=True)
    assert {(d.kind, d.shown) for d in found} == {
        ("number_missing", "30"), ("date_missing", "3 May 2020"),
    }  # fmt: skip


def test_dates_keep_what_is_not_said():
    assert [d for d, _ in dates_in("June 2020; 17 May; 2021年")] == [
        (2020, 6, 0), (0, 5, 17), (2021, 0, 0),
    ]  # fmt: skip
    assert units_in("3 千米, 4 hours")[0][:2] == ("3", "kilometre")


@given(st.text(max_size=120))
def test_no_text_breaks_a_check(text):
    compare_quantities(text, text)
    find_slips(text, "zh")
    find_slips(text, "en")
    mend(text, "zh")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("使用GPT模型", "使用 GPT 模型"), ("共有3个", "共有 3 个"), ("你好,世界", "你好，世界"),
        ("他说(大概)是", "他说（大概）是"), ("完了.", "完了。"), ("等等...", "等等……"),
        ("完 。", "完。"), ("１２个", "12 个"), ("真的！！", "真的！"), ("甲--乙", "甲——乙"),
    ],
)  # fmt: skip
def test_slips_of_chinese_typing_are_mended(wrong, right):
    assert mend(wrong, "zh") == right


@pytest.mark.parametrize(
    "fine", ["见 https://a.org/x,y 页。", "`print(1,2)`是代码", "版本 3.12.1。", "“引文”"]
)
def test_addresses_code_and_versions_are_left_alone(fine):
    assert "https://a.org/x,y" in mend(fine, "zh") or mend(fine, "zh").replace(
        " ", ""
    ) == fine.replace(" ", "")


def test_an_open_bracket_is_told_but_left_to_a_person():
    (slip,) = find_slips("（没有关上。", "zh")
    assert (slip.rule, slip.better) == ("unpaired", "")


TERM = Term(
    source_language="en", target_language="zh", source="language model", target="语言模型",
    avoid=("语文模型",), needs_original=True,
)  # fmt: skip


def test_a_term_is_kept_to_with_its_original_at_first_use():
    source = "A language model reads."
    kinds = lambda target: [f.kind for f in check_terms([(source, target)], [TERM])]  # noqa: E731
    assert kinds("语言模型（language model）会阅读。") == []
    assert kinds("语言模型会阅读。") == ["term_without_original"]
    assert kinds("该模型会阅读。") == ["term_missing"]
    assert kinds("语文模型会阅读。") == ["term_avoided"]


def test_only_the_first_use_needs_the_original():
    pairs = [
        ("A language model.", "语言模型（language model）。"),
        ("Language models.", "语言模型。"),
    ]
    assert check_terms(pairs, [TERM]) == ()


def test_a_translation_is_reviewed_sentence_by_sentence(tmp_path):
    with open_newsroom(tmp_path, n_story=1) as room:
        add_term(room.desk, room.compiler, TERM)
        piece = get_piece(room.desk, room.editor, room.found()[0])
        original = original_of(room.desk, room.series, piece)
        text = PieceText(title="T", body=TRANSLATION.replace("3200", "3300"))
        review = review_text(
            text, original, language="zh", terms=list_terms(room.desk, room.editor),
            machine_sentences=frozenset({TARGET[0]}),
        )  # fmt: skip
    assert review.is_translation
    assert review.n_machine == 1
    assert [(s.evidence[0].sentence, [f.shown for f in s.findings]) for s in review.sentences] == [
        (0, []), (1, ["3300"]), (2, []), (3, []),
    ]  # fmt: skip
