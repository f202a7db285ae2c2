"""An exported decoder says what ours says."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("ctranslate2", reason="extra 'ctranslate2' is not installed")

sys.path.insert(0, str(Path(__file__).parent))

from families import hub_model

from kuaibao.transformer import CheckpointError, load_pretrained
from kuaibao.transformer.ctranslate2_export import CTranslate2Decoder, export_ctranslate2


@pytest.mark.parametrize(
    "more", [{}, {"tie_word_embeddings": False, "activation_function": "relu"}]
)
def test_greedy_text_and_beams_are_ours(more, tmp_path):
    hub_model("gpt2", **more).save_pretrained(tmp_path / "hub")
    ours = load_pretrained(tmp_path / "hub")
    export_ctranslate2(ours, tmp_path / "fast", quantization="float32")
    fast = CTranslate2Decoder(tmp_path / "fast")
    prompts = [[5, 6, 7], [9, 3, 2, 8]]
    for settings in ({}, {"num_beams": 3}):
        expected = ours.generate(prompts, max_new_tokens=10, **settings)
        found = fast.generate(prompts, max_new_tokens=10, **settings)
        assert [g[0].tokens for g in found] == [g[0].tokens for g in expected]


def test_what_it_lacks_is_refused(tmp_path):
    hub_model("imagegpt").save_pretrained(tmp_path / "hub")
    with pytest.raises(CheckpointError, match="no counterpart"):
        export_ctranslate2(load_pretrained(tmp_path / "hub"), tmp_path / "fast")
