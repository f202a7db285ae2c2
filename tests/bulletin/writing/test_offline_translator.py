"""Translation packages of both layouts, made here: real files, random weights, real libraries."""

import io
import json
import sys

import ctranslate2
import numpy as np
import pytest
import sentencepiece
from ctranslate2.specs import TransformerSpec

from kuaibao.bulletin.config import parse_config
from kuaibao.bulletin.errors import ConfigError
from kuaibao.bulletin.writing import find_translator
from kuaibao.bulletin.writing.offline_translator import OfflineTranslator
from kuaibao.errors import InputError, MissingExtraError

TEXTS = ["The model reads 3,200 pages in 4 hours.", "Readers may try it from 1 July 2026.",
         "A library trained a model without a network.", "It runs on one machine."]  # fmt: skip
WIDTH = 8


def make_pieces():
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 20), model_writer=made, vocab_size=60, model_type="unigram",
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    return made.getvalue()


def make_model(folder, pieces, *, extra=(), **config):
    """A one-layer transformer over the vocabulary of `pieces`."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=pieces)
    words = [processor.id_to_piece(i) for i in range(processor.get_piece_size())] + list(extra)
    random = np.random.default_rng(7)

    def some(*shape):
        return random.normal(0, 0.5, shape).astype(np.float32)

    spec = TransformerSpec.from_config((1, 1), 2)
    for side in (spec.encoder, spec.decoder):
        table = side.embeddings[0] if isinstance(side.embeddings, list) else side.embeddings
        table.weight = some(len(words), WIDTH)
        side.position_encodings.encodings = some(520, WIDTH)
        (layer,) = side.layer
        attentions = [(layer.self_attention, (3 * WIDTH, WIDTH))]
        if side is spec.decoder:
            attentions.append((layer.attention, (WIDTH, 2 * WIDTH, WIDTH)))
        for attention, widths in attentions:
            for linear, width in zip(attention.linear, widths, strict=True):
                linear.weight, linear.bias = some(width, WIDTH), some(width)
        norms = [a.layer_norm for a, _ in attentions] + [layer.ffn.layer_norm, side.layer_norm]
        for norm in norms:
            norm.gamma, norm.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
        layer.ffn.linear_0.weight, layer.ffn.linear_0.bias = some(16, WIDTH), some(16)
        layer.ffn.linear_1.weight, layer.ffn.linear_1.bias = some(WIDTH, 16), some(WIDTH)
    spec.decoder.projection.weight = some(len(words), WIDTH)
    spec.decoder.projection.bias = np.zeros(len(words), np.float32)
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    for name, value in config.items():
        setattr(spec.config, name, value)
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))


@pytest.fixture(scope="module")
def pieces():
    return make_pieces()


@pytest.fixture(scope="module")
def argos(tmp_path_factory, pieces):
    folder = tmp_path_factory.mktemp("argos") / "translate-en_zh-1_0"
    make_model(folder / "model", pieces)
    (folder / "sentencepiece.model").write_bytes(pieces)
    described = {"from_code": "en", "to_code": "zh", "type": "translate", "target_prefix": ""}
    (folder / "metadata.json").write_text(json.dumps(described))
    return folder


def directly(folder, pieces, source, **options):
    """The library's own answer to a sequence of tokens."""
    model = ctranslate2.Translator(str(folder), device="cpu")
    found = model.translate_batch([source], beam_size=4, max_decoding_length=512, **options)
    decoded = sentencepiece.SentencePieceProcessor(model_proto=pieces).decode(
        found[0].hypotheses[0]
    )
    return " ".join(decoded.replace("▁", " ").split())


def encoded(pieces, text):
    return sentencepiece.SentencePieceProcessor(model_proto=pieces).encode(text, out_type=str)


def test_an_argos_package_answers_as_its_model_does_sentence_by_sentence(argos, pieces):
    got = find_translator("offline", str(argos)).translate(
        [TEXTS[0], "", TEXTS[1]], source="en", target="zh-CN"
    )
    wanted = [directly(argos / "model", pieces, encoded(pieces, t)) for t in TEXTS[:2]]
    assert got == [wanted[0], "", wanted[1]]
    assert wanted[0]


def test_an_opus_package_gets_its_end_and_its_target_language_as_tokens(tmp_path, pieces):
    folder = tmp_path / "opus-mt-en-zh"
    make_model(folder, pieces, extra=[">>cmn_Hans<<"], decoder_start_token="</s>")
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces)
    got = OfflineTranslator(folder).translate([TEXTS[0]], source="en", target="zh")
    source = [">>cmn_Hans<<", *encoded(pieces, TEXTS[0]), "</s>"]
    assert got == [directly(folder, pieces, source)]
    assert got != [directly(folder, pieces, encoded(pieces, TEXTS[0]))]


def test_a_sentence_longer_than_the_models_positions_is_translated_in_parts(argos):
    long = " ".join(TEXTS * 60)
    (got,) = OfflineTranslator(argos).translate([long], source="en", target="zh")
    assert got


def test_a_folder_of_packages_holds_a_direction_each(tmp_path, pieces):
    for direction in ("en-zh", "zh-en"):
        make_model(tmp_path / f"opus-mt-{direction}", pieces)
        (tmp_path / f"opus-mt-{direction}" / "sentencepiece.model").write_bytes(pieces)
    found = OfflineTranslator(tmp_path)
    assert len(found.translate(TEXTS, source="zh", target="en")) == len(TEXTS)
    with pytest.raises(InputError, match="from fr to zh") as caught:
        found.translate(TEXTS, source="fr", target="zh")
    assert "en-zh, zh-en" in caught.value.hint


def test_a_wrong_folder_is_named_with_what_it_lacks(tmp_path, pieces):
    with pytest.raises(InputError, match="told no folder"):
        find_translator("offline")
    with pytest.raises(InputError, match="does not exist"):
        OfflineTranslator(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no translation package"):
        OfflineTranslator(tmp_path)
    folder = tmp_path / "made"
    make_model(folder, pieces)
    with pytest.raises(InputError, match="which languages") as caught:
        OfflineTranslator(folder)
    assert "metadata.json" in caught.value.hint
    (folder / "metadata.json").write_text('{"from_code": "en", "to_code": "zh"}')
    with pytest.raises(InputError, match=r"lacks source\.spm or sentencepiece\.model"):
        OfflineTranslator(folder)
    (folder / "sentencepiece.model").write_bytes(b"no model")
    with pytest.raises(InputError, match="can't be loaded"):
        OfflineTranslator(folder).translate(["x"], source="en", target="zh")
    (folder / "metadata.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="can't be read"):
        OfflineTranslator(folder)


@pytest.mark.parametrize("missing", ["ctranslate2", "sentencepiece"])
def test_without_the_extra_it_is_named(argos, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError) as caught:
        find_translator("offline", str(argos))
    assert caught.value.extra == "ctranslate2"


def test_a_folder_without_its_translator_is_a_mistake_in_the_settings(tmp_path):
    text = 'series = "x"\n[writing]\ntranslator = "few-shot"\ntranslator_folder = "models/en-zh"\n'
    with pytest.raises(ConfigError, match="translator_folder is for the translator 'offline'"):
        parse_config(text, folder=tmp_path)
