"""Ranking by static word vectors: read from a folder, learnt from, and refused with a reason."""

import json
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from kuaibao.bulletin.config import load_config
from kuaibao.bulletin.model import Entry, Item
from kuaibao.bulletin.pipeline.readers import readers_of
from kuaibao.bulletin.reading.learning import Learner, Vocabulary, load_vectors
from kuaibao.bulletin.reading.learning.embeddings import centred
from kuaibao.bulletin.store import Decision
from kuaibao.errors import InputError, MissingExtraError

NOW = datetime(2020, 7, 1, tzinfo=UTC)
WORDS = {"[UNK]": 0, "sparrows": 1, "owls": 2, "graphs": 3, "trees": 4, "鸟": 5}
ROWS = np.array([[9, 9], [2, 0.1], [2, 0], [0, 1], [0.1, 1], [1, 0]], dtype=np.float32)


def _model(folder, words=WORDS, **tensors):
    folder.mkdir()
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file(tensors or {"embeddings": ROWS}, folder / "model.safetensors")
    return folder


def _item(title):
    return Item(item_id=title, entries=(Entry(source_id="s", entry_id=title, title=title),))


def test_a_text_is_the_mean_of_its_known_words_at_length_one(tmp_path):
    embed = load_vectors(_model(tmp_path / "m"))
    expected = np.array([2, 1.1]) / np.hypot(2, 1.1)
    assert embed("sparrows nobody graphs") == pytest.approx(expected)
    assert embed("鸟") == pytest.approx((1, 0))
    assert embed("nobody knows") == ()
    assert embed("") == ()


def test_weights_and_mapping_of_model2vec_are_used(tmp_path):
    few = np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)
    mapping = np.array([0, 1, 1, 2, 2, 1])
    weights = np.array([0, 3, 1, 4, 1, 1], dtype=np.float32)
    folder = _model(tmp_path / "m", embeddings=few, mapping=mapping, weights=weights)
    assert load_vectors(folder)("sparrows graphs") == pytest.approx((0.6, 0.8))


def test_a_table_of_any_name_will_do(tmp_path):
    assert load_vectors(_model(tmp_path / "m", glove=ROWS.astype(np.float16)))("鸟") == (1.0, 0.0)


def test_what_is_like_a_picked_item_in_other_words_comes_first(tmp_path):
    embed = load_vectors(_model(tmp_path / "m"))
    picked, alike, other = _item("sparrows"), _item("owls"), _item("trees")
    decision = Decision(item_id="sparrows", section="news", action="picked", at=NOW)
    learners = {
        name: Learner(Vocabulary.of([]), embed=vectors)
        for name, vectors in (("words", None), ("vectors", embed))
    }
    gain = {}
    for name, learner in learners.items():
        learner.decide(decision, picked)
        alike_found, other_found = (learner.weigh(one, "news") for one in (alike, other))
        gain[name] = alike_found.logit - other_found.logit
    assert gain["words"] == 0
    assert gain["vectors"] > 0
    reasons = learners["vectors"].weigh(alike, "news").reasons
    assert "what it is about" in reasons[0]
    assert "vector" not in reasons[0]


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"embeddings": ROWS[:4]}, "too few"),
        ({"a": ROWS, "b": ROWS}, "no table"),
        ({"embeddings": ROWS * np.float32("nan")}, "not finite"),
        ({"embeddings": ROWS, "mapping": np.array([0, 1, 2, 3, 4, 6])}, "too few"),
        ({"embeddings": ROWS, "weights": np.ones(2, np.float32)}, "`weights`"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(tmp_path, tensors, said):
    with pytest.raises(InputError, match=said):
        load_vectors(_model(tmp_path / "m", **tensors))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_missing_or_broken_file_is_named(tmp_path, name):
    folder = _model(tmp_path / "m")
    (folder / name).write_bytes(b"\xff{")
    with pytest.raises(InputError, match=name):
        load_vectors(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name} is not there"):
        load_vectors(folder)


def _bulletin(folder, setting):
    (folder / "bulletin.toml").write_text(f'series = "B"\n{setting}\n', encoding="utf-8")
    return load_config(folder)


def test_embeddings_are_off_unless_a_bulletin_names_them(tmp_path):
    assert readers_of(_bulletin(tmp_path, ""), None, NOW).embed is None
    _model(tmp_path / "vectors")
    readers = readers_of(_bulletin(tmp_path, f"embeddings = {json.dumps('vectors')}"), None, NOW)
    assert readers.embed("鸟") == (1.0, 0.0)


def test_without_the_extra_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingExtraError, match="embeddings") as caught:
        readers_of(_bulletin(tmp_path, 'embeddings = "vectors"'), None, NOW)
    assert "kuaibao[embeddings]" in str(caught.value) + caught.value.hint


def test_what_every_text_shares_is_no_likeness():
    shared = {"a": (0.9, 0.3, 0.0), "b": (0.9, -0.3, 0.0), "c": (0.9, 0.0, 0.4)}
    apart = centred(lambda text: shared.get(text, ()), ["a", "b", "c", "unknown"])
    assert sum(x * y for x, y in zip(apart("a"), apart("b"), strict=True)) < 0
    assert abs(sum(x * x for x in apart("c")) - 1) < 1e-9
    assert apart("unknown") == ()
