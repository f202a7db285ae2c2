"""Sentences, languages, words, ROUGE, key phrases and summaries of text."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.text import (
    detect_language,
    join_sentences,
    key_phrases,
    rouge,
    segment_words,
    split_sentences,
    summarize,
    words,
)

texts = st.text(
    alphabet=st.sampled_from("ab zA.!?。！？”)（( \n\t模型是…1-•'\"é\u3000"), max_size=120
)


@given(texts)
def test_sentences_hold_every_visible_character_in_order(text: str) -> None:
    end = 0
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text == sentence.text.strip()
        assert sentence.start >= end
        assert not text[end : sentence.start].strip()
        end = sentence.end
    assert not text[end:].strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith wrote it. It works, e.g. here.", ["Dr. Smith wrote it.", "It works, e.g. here."]),
        ("它能画图。你试过吗？“试过！”他说。", ["它能画图。", "你试过吗？", "“试过！”", "他说。"]),
        ("见图（参见附录。共三页。）后文。", ["见图（参见附录。共三页。）后文。"]),
        ("快报使用 GPT-3。The API is new. 很好！", ["快报使用 GPT-3。", "The API is new.", "很好！"]),
        ("Title without stop\n\nA paragraph.", ["Title without stop", "A paragraph."]),
        ("- one item\n- another item", ["- one item", "- another item"]),
        ("It costs 3.50 dollars in version 1.2.3 today.", ["It costs 3.50 dollars in version 1.2.3 today."]),
        ("", []),
        (" \n\t ", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert [s.text for s in split_sentences(text)] == expected


def test_a_megabyte_without_a_mark_is_read() -> None:
    assert split_sentences("word " * 200_000)
    assert split_sentences("（" * 300_000)
    assert split_sentences("。" * 300_000)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The model reads a document and writes a summary of it.", "en"),
        ("该模型读取文档并写出摘要。", "zh"),
        ("該模型讀取文檔並寫出摘要。", "zh"),
        ("PEGASUS、GPT-3 与 Image GPT 的 Transformer 结构相同", "zh"),
        ("このモデルは文書を読んで要約を書きます。", "ja"),
        ("이 모델은 문서를 읽고 요약을 씁니다.", "ko"),
        ("Модель читает документ и пишет его краткое изложение.", "ru"),
        ("Das Programm liest den Text und schreibt eine Zusammenfassung davon.", "de"),
        ("Le modèle lit un document et en écrit un résumé pour les lecteurs.", "fr"),
        ("GPT-3", "en"),
        ("12 + 3 = 15", ""),
        ("", ""),
    ],
)
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert detect_language(text) == language


@given(st.text(max_size=200))
def test_any_text_has_a_language_or_none(text: str) -> None:
    assert isinstance(detect_language(text), str)
    assert isinstance(key_phrases(text), list)


@pytest.mark.parametrize("use_stemmer", [False, True])
def test_rouge_is_that_of_rouge_score(use_stemmer: bool) -> None:
    rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")
    kinds = ["rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"]
    scorer = rouge_scorer.RougeScorer(kinds, use_stemmer=use_stemmer)
    generator = random.Random(11)
    vocabulary = ["summaries", "the", "models", "running", "gap", "text.", "a", "Sentences", "3.5"]
    for _ in range(150):
        target, prediction = (
            "\n".join(
                " ".join(generator.choices(vocabulary, k=generator.randint(0, 9)))
                for _ in range(generator.randint(0, 4))
            )
            for _ in range(2)
        )
        theirs = scorer.score(target, prediction)
        ours = rouge(target, prediction, kinds, use_stemmer=use_stemmer)
        for kind in kinds:
            assert (ours[kind].precision, ours[kind].recall, ours[kind].f1) == pytest.approx(
                (theirs[kind].precision, theirs[kind].recall, theirs[kind].fmeasure)
            )


def test_chinese_is_scored_by_characters() -> None:
    assert words("GPT-3 写文本") == ["gpt", "3", "写", "文", "本"]
    assert rouge("写文本", "写文章", ["rouge1"])["rouge1"].f1 == pytest.approx(2 / 3)


def test_chinese_words_are_found_by_a_dictionary() -> None:
    assert "自然语言" in segment_words("自然语言处理") or "语言" in segment_words("自然语言处理")
    text = "图像生成模型能补全图片。图像生成模型由变换器构成。训练数据没有标注。"
    assert "图像生成" in " ".join(phrase.text for phrase in key_phrases(text, n=3))


def test_key_phrases_name_what_a_text_is_about() -> None:
    text = (
        "Gap sentences are chosen by overlap. A model that writes gap sentences learns to "
        "summarise. Gap sentences stand for the rest of the document."
    )
    assert key_phrases(text, n=1)[0].text.lower() == "gap sentences"


def test_a_summary_points_at_its_sources() -> None:
    text = (
        "Contents\n\nPenrose draws mathematics from plain statements. The statements say what is "
        "true. A style says how what is true is drawn. Snow fell."
    )
    summary = summarize(text, n_sentences=2, strategy="seq-orig")
    assert summary.n_sentence == 5
    assert [text[s.start : s.end] for s in summary.sentences] == [s.text for s in summary.sentences]
    assert "Contents" not in summary.text
    assert summarize("").sentences == ()
    assert len(summarize(text, n_sentences=99).sentences) == 5


def test_sentences_are_joined_as_their_script_wants() -> None:
    assert join_sentences(["它能画图。", "很好！", "Yes.", "No."]) == "它能画图。很好！Yes. No."
