"""A corpus for pre-training: streamed, cut into pieces, opened again, refused by its line."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kuaibao.errors import InputError
from kuaibao.pegasus.corpus import iterate_texts, prepare_corpus, split_texts
from kuaibao.pegasus.tokenizer import PegasusTokenizer
from kuaibao.text import sentence_texts

ENGLISH = "Parsers read text. They build trees from it. Trees are easy to walk. People like trees. "
CHINESE = "解析器读文本。它从中建树。树很容易走。人们喜欢树。"


def corpus_folder(folder: Path, n: int = 30) -> Path:
    root = folder / "texts"
    root.mkdir()
    for i in range(n):
        (root / f"{i}.txt").write_text(f"Text {i}. " + (ENGLISH if i % 2 else CHINESE), "utf-8")
    (root / "alone.txt").write_text("A sentence stands alone.", "utf-8")
    return root


def test_pieces_fit_the_encoder_and_together_are_the_corpus(tmp_path: Path) -> None:
    root = corpus_folder(tmp_path)
    corpus = prepare_corpus([root], tmp_path / "cache", vocab_size=220, max_input=48)
    words = corpus.tokenizer
    assert isinstance(words, PegasusTokenizer)
    found: list[str] = []
    for part in (corpus.train, corpus.validation):
        for i in range(len(part)):
            sentences = part[i]
            found += sentences
            assert part.lengths[i] == min(48, sum(words.count_tokens(sentences)) + 1)
    wanted = [s for text in iterate_texts([root]) for s in sentence_texts(text)]
    assert sorted(found) == sorted(wanted)
    assert len(corpus.validation) >= 1
    gapped = corpus.train.with_context()
    assert 0 < len(gapped) < len(corpus.train)
    assert all(len(gapped[i]) > 1 for i in range(len(gapped)))


def test_a_prepared_corpus_is_opened_and_a_changed_one_made_anew(tmp_path: Path) -> None:
    root = corpus_folder(tmp_path)
    cache = tmp_path / "cache"
    first = prepare_corpus([root], cache, vocab_size=220, max_input=64)
    stamp = (cache / "sentences.txt").stat().st_mtime_ns
    again = prepare_corpus([root], cache, vocab_size=220, max_input=64)
    assert (cache / "sentences.txt").stat().st_mtime_ns == stamp
    assert np.array_equal(first.train.ranges, again.train.ranges)
    (root / "new.txt").write_text("A new text stands here. It is short.", "utf-8")
    changed = prepare_corpus([root], cache, vocab_size=220, max_input=64)
    assert len(changed.train.sentences) > len(first.train.sentences)


def test_of_two_who_want_a_corpus_at_once_one_makes_it(tmp_path: Path) -> None:
    root = corpus_folder(tmp_path)
    told: dict[int, list[str]] = {0: [], 1: []}

    def make(who: int) -> int:
        corpus = prepare_corpus(
            [root], tmp_path / "cache", vocab_size=220, max_input=64,
            progress=lambda what, done, total: told[who].append(what),
        )  # fmt: skip
        return len(corpus.train)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(make, told)
    assert first == second > 0
    assert [bool(steps) for steps in told.values()].count(True) == 1


def test_a_damaged_cache_is_told_and_made_again(tmp_path: Path) -> None:
    root = corpus_folder(tmp_path)
    cache = tmp_path / "cache"
    prepare_corpus([root], cache, vocab_size=220, max_input=64)
    (cache / "train.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="is damaged"):
        prepare_corpus([root], cache, vocab_size=220, max_input=64)
    assert len(prepare_corpus([root], cache, vocab_size=220, max_input=64).train) > 0


def test_workers_give_the_sentences_of_one_process_in_its_order() -> None:
    texts = [f"Text {i}. {ENGLISH}" for i in range(450)]
    assert list(split_texts(iter(texts), n_worker=2)) == [sentence_texts(t) for t in texts]


def test_lines_of_other_splits_are_passed_over_and_bad_ones_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [{"text": "one", "split": "train"}, {"text": "two", "split": "test"}, {"text": "three"},
            "four", {"paragraphs": ["five"]}, {"content": ["six", "seven"]}]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, rows)) + "\n{oops\n", "utf-8")
    texts = iterate_texts([file], split="train")
    assert [next(texts) for _ in range(5)] == ["one", "three", "four", "", "six\n\nseven"]
    with pytest.raises(InputError, match=r"a\.jsonl:7"):
        next(texts)
    with pytest.raises(InputError, match="does not exist"):
        list(iterate_texts([tmp_path / "none"]))
