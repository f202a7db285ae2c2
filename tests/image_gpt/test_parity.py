"""Random weights of transformers' image GPT: the same logits, features, samples and tokens."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from tiny_pictures import small_model

from kuaibao.errors import InputError
from kuaibao.image_gpt import (
    ImageClassifier,
    ImageGPT,
    Palette,
    features,
    load_image_gpt,
    save_image_gpt,
)
from kuaibao.image_gpt.objectives import autoregressive_loss, shifted_inputs
from kuaibao.image_gpt.sampling import draw_tokens
from kuaibao.transformer import CheckpointError

transformers = pytest.importorskip("transformers")

TOKENS = torch.randint(0, 8, (3, 16), generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def peer() -> torch.nn.Module:
    config = transformers.ImageGPTConfig(
        vocab_size=9, n_positions=16, n_embd=16, n_layer=3, n_head=2, resid_pdrop=0.0,
        embd_pdrop=0.0, attn_pdrop=0.0, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(3)
    model = transformers.ImageGPTForCausalImageModeling(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.endswith("bias"):
                parameter.normal_(0, 0.3)
    return model


def _save(peer: torch.nn.Module, folder: Path, *, pickled: bool = False) -> Path:
    if pickled:
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(peer.config.to_dict()))
        old = dict(peer.state_dict())
        for i in range(3):
            buffer = torch.ones(1, 1, 16, 16, dtype=torch.uint8).tril()
            old[f"transformer.h.{i}.attn.bias"] = buffer
            old[f"transformer.h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
        torch.save(old, folder / "pytorch_model.bin")
    else:
        peer.save_pretrained(folder)
    clusters = Palette.grey(8).centers.repeat(3, 1).tolist()
    value = {"clusters": clusters, "size": {"height": 4, "width": 4}}
    (folder / "preprocessor_config.json").write_text(json.dumps(value))
    return folder


@pytest.mark.parametrize("pickled", [False, True])
def test_folders_of_both_ages_give_the_peer_s_logits(
    peer: torch.nn.Module, tmp_path: Path, pickled: bool
) -> None:
    model = load_image_gpt(_save(peer, tmp_path / "hub", pickled=pickled))
    assert model.size == 4
    assert not model.is_grey
    with torch.inference_mode():
        inputs = shifted_inputs(TOKENS, 8)
        assert torch.allclose(model.decoder(inputs), peer(inputs).logits, atol=2e-5)


def test_features_are_the_peer_s_block_inputs_behind_their_norm(
    peer: torch.nn.Module, tmp_path: Path
) -> None:
    model = load_image_gpt(_save(peer, tmp_path / "hub"))
    found = features(model, TOKENS)
    with torch.inference_mode():
        states = peer.transformer(shifted_inputs(TOKENS, 8), output_hidden_states=True)
        for layer in range(3):
            normed = peer.transformer.h[layer].ln_1(states.hidden_states[layer])
            assert np.allclose(found[layer], normed.mean(1).numpy(), atol=2e-5)
    assert np.allclose(found[3], states.last_hidden_state.mean(1).numpy(), atol=2e-5)


def test_greedy_pictures_and_losses_are_the_peer_s(peer: torch.nn.Module, tmp_path: Path) -> None:
    model = load_image_gpt(_save(peer, tmp_path / "hub"))
    prompts = shifted_inputs(TOKENS, 8)[:, :6]
    theirs = peer.generate(
        prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=10, do_sample=False,
        pad_token_id=0, eos_token_id=None,
    )  # fmt: skip
    ours = draw_tokens(model.decoder, prompts.numpy(), 10, temperature=0)
    assert np.array_equal(ours, theirs[:, 6:].numpy())
    with torch.inference_mode():
        logits = peer(shifted_inputs(TOKENS, 8)).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), TOKENS.flatten())
        assert float(autoregressive_loss(model.decoder, TOKENS, 8)) == pytest.approx(
            float(loss), rel=1e-5
        )


def test_draws_are_those_of_the_peer_s_distribution(peer: torch.nn.Module, tmp_path: Path) -> None:
    model = load_image_gpt(_save(peer, tmp_path / "hub"))
    n = 4000
    prompts = np.full((n, 1), 8)
    first = draw_tokens(model.decoder, prompts, 1, temperature=0.8, top_k=5, seed=0)[:, 0]
    with torch.inference_mode():
        scores = (peer(torch.tensor([[8]])).logits[0, -1] / 0.8).clone()
        scores[scores < scores.topk(5).values[-1]] = -torch.inf
        wanted = torch.softmax(scores, -1).numpy()
    assert np.abs(np.bincount(first, minlength=8) / n - wanted).max() < 0.03


def test_their_class_reads_our_folder(tmp_path: Path) -> None:
    model = small_model()
    save_image_gpt(model, tmp_path)
    theirs = transformers.ImageGPTForCausalImageModeling.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        inputs = shifted_inputs(TOKENS, 8)
        assert torch.allclose(theirs(inputs).logits, model.decoder(inputs), atol=2e-5)


def test_a_classifier_comes_back_whole(tmp_path: Path) -> None:
    model = small_model()
    classifier = ImageClassifier(model.decoder, 3)
    torch.nn.init.normal_(classifier.head.weight)
    whole = ImageGPT(model.decoder, model.palette, classifier, ("a", "b", "c"))
    save_image_gpt(whole, tmp_path)
    again = load_image_gpt(tmp_path)
    assert again.classes == ("a", "b", "c")
    assert again.classifier is not None
    with torch.inference_mode():
        assert torch.equal(again.classifier(TOKENS)[1], classifier(TOKENS)[1])
    (tmp_path / "classifier.safetensors").write_bytes(b"cut")
    with pytest.raises(InputError, match="classifier is damaged"):
        load_image_gpt(tmp_path)


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    model = small_model()
    save_image_gpt(model, tmp_path)
    Palette.grey(9).save(tmp_path)
    with pytest.raises(InputError, match="the palette has 9"):
        load_image_gpt(tmp_path)
    (tmp_path / "clusters.npy").unlink()
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match="holds no palette"):
        load_image_gpt(tmp_path)
    with pytest.raises(CheckpointError):
        load_image_gpt(tmp_path / "nothing" / "there" / "at-all")
