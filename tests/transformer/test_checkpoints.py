"""Models of transformers load here, ours load there, and both say the same."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from families import hub_model

from kuaibao.transformer import (
    CheckpointError,
    build_model,
    count_parameters,
    load_pretrained,
    named_config,
    save_pretrained,
)

FAMILIES = ["gpt2", "imagegpt", "pegasus"]


def run(model, family, batch=3, n=20):
    ids = torch.arange(batch * n).reshape(batch, n) * 7 % 32 + 1
    if family != "pegasus":
        return model(ids)
    return model(ids, decoder_input_ids=(ids + 5)[:, :11])


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_transformers(family, tmp_path):
    theirs = hub_model(family)
    theirs.save_pretrained(tmp_path)
    ours = load_pretrained(tmp_path)
    with torch.no_grad():
        expected = run(theirs, family).logits
        found = run(ours, family)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4


def test_an_encoder_decoder_starts_as_the_authors_of_pegasus_start_theirs():
    config = replace(named_config("pegasus-base"), n_layer=1, n_encoder_layer=1, n_embd=192,
                     n_head=4, n_inner=768, vocab_size=2_000)  # fmt: skip
    state = build_model(config, seed=0).state_dict()
    assert float(state["tokens.weight"].std()) == pytest.approx(192**-0.5, rel=0.02)
    glorot = {"attention.qkv": 192 + 192, "cross.kv": 192 + 192, "feed_forward.up": 192 + 768}
    for name, fans in glorot.items():
        weight = state[f"blocks.0.{name}.weight"]
        assert float(weight.abs().max()) == pytest.approx((6 / fans) ** 0.5, rel=0.01)
        assert float(weight.std()) == pytest.approx((2 / fans) ** 0.5, rel=0.02)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_we_save_transformers_loads(family, tmp_path):
    import transformers

    hub_model(family, seed=3).save_pretrained(tmp_path / "theirs")
    ours = load_pretrained(tmp_path / "theirs")
    save_pretrained(ours, tmp_path / "ours")
    kind = {"gpt2": transformers.GPT2LMHeadModel, "pegasus": transformers.PegasusForConditionalGeneration,
            "imagegpt": transformers.ImageGPTForCausalImageModeling}[family]  # fmt: skip
    back = kind.from_pretrained(tmp_path / "ours").eval()
    with torch.no_grad():
        assert (run(back, family).logits - run(ours, family)).abs().max() < 1e-4
    again = load_pretrained(tmp_path / "ours")
    for name, tensor in ours.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


ODD = [
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
    ("gpt2", {"scale_attn_weights": False}),
    ("gpt2", {"reorder_and_upcast_attn": True, "n_inner": 56, "layer_norm_epsilon": 1e-3}),
    ("gpt2", {"tie_word_embeddings": False}),
    *(("gpt2", {"activation_function": name}) for name in (
        "gelu", "relu", "silu", "swish", "tanh", "gelu_fast", "gelu_pytorch_tanh", "quick_gelu",
        "sigmoid", "relu2", "relu6", "mish", "leaky_relu", "linear", "gelu_accurate")),
    ("imagegpt", {"activation_function": "gelu", "n_inner": 40}),
    ("imagegpt", {"scale_attn_by_inverse_layer_idx": True, "layer_norm_epsilon": 1e-2}),
    ("pegasus", {"scale_embedding": True, "activation_function": "gelu"}),
    ("pegasus", {"scale_embedding": False}),
    ("pegasus", {"scale_embedding": True, "activation_function": "silu"}),
    ("pegasus", {"encoder_attention_heads": 2, "encoder_ffn_dim": 48}),
]  # fmt: skip


@pytest.mark.parametrize(("family", "more"), ODD, ids=str)
def test_odd_configurations_go_both_ways(family, more, tmp_path):
    theirs = hub_model(family, seed=5, **more)
    theirs.save_pretrained(tmp_path / "theirs")
    ours = load_pretrained(tmp_path / "theirs")
    save_pretrained(ours, tmp_path / "ours")
    back = type(theirs).from_pretrained(tmp_path / "ours").eval()
    with torch.no_grad():
        expected = run(theirs, family).logits
        assert (run(ours, family) - expected).abs().max() < 1e-4
        assert (run(back, family).logits - expected).abs().max() < 1e-4


def test_an_image_gpt_with_biases_keeps_them(tmp_path):
    theirs = hub_model("imagegpt")
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if name.endswith(".bias"):
                parameter.normal_(0, 0.2)
    theirs.save_pretrained(tmp_path / "theirs")
    ours = load_pretrained(tmp_path / "theirs")
    save_pretrained(ours, tmp_path / "ours")
    back = type(theirs).from_pretrained(tmp_path / "ours").eval()
    with torch.no_grad():
        expected = run(theirs, "imagegpt").logits
        assert (run(ours, "imagegpt") - expected).abs().max() < 1e-4
        assert (run(back, "imagegpt").logits - expected).abs().max() < 1e-4


def test_a_hub_cache_is_read_without_a_network(tmp_path, monkeypatch):
    import huggingface_hub

    theirs = hub_model("gpt2")
    repository = tmp_path / "hub" / "models--some--model"
    theirs.save_pretrained(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    snapshot = huggingface_hub.snapshot_download
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **more: snapshot(
        name, cache_dir=tmp_path / "hub", local_files_only=True, **more))  # fmt: skip
    with torch.no_grad():
        difference = run(load_pretrained("some/model"), "gpt2") - run(theirs, "gpt2").logits
    assert difference.abs().max() < 1e-4
    with pytest.raises(CheckpointError, match="not be fetched"):
        load_pretrained("other/model")


@pytest.mark.parametrize("family", ["gpt2", "pegasus"])
def test_any_name_of_a_shared_tensor_will_do(family, tmp_path):
    from safetensors.torch import load_file, save_file

    theirs = hub_model(family)
    theirs.save_pretrained(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    shared = "transformer.wte.weight" if family == "gpt2" else "model.shared.weight"
    stored["lm_head.weight"] = stored.pop(shared)
    save_file(stored, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with torch.no_grad():
        difference = run(load_pretrained(tmp_path), family) - run(theirs, family).logits
    assert difference.abs().max() < 1e-4


def test_one_step_of_training_is_that_of_transformers(tmp_path):
    theirs = hub_model("gpt2").train()
    theirs.save_pretrained(tmp_path)
    ours = load_pretrained(tmp_path).train()
    ids = torch.arange(60).reshape(3, 20) * 7 % 90
    expected = theirs(ids, labels=ids).loss
    for recompute in (False, True):
        ours.recompute = recompute
        ours.zero_grad()
        logits = ours(ids)[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        theirs.zero_grad()
        theirs(ids, labels=ids).loss.backward()
        assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
        pairs = [
            (ours.tokens.weight.grad, theirs.transformer.wte.weight.grad),
            (ours.blocks[1].attention.qkv.weight.grad.T, theirs.transformer.h[1].attn.c_attn.weight.grad),
            (ours.blocks[2].feed_forward.down.bias.grad, theirs.transformer.h[2].mlp.c_proj.bias.grad),
            (ours.norm.weight.grad, theirs.transformer.ln_f.weight.grad),
        ]  # fmt: skip
        for own, other in pairs:
            assert (own - other).abs().max() < 1e-5


def test_an_attention_mask_hides_padding():
    theirs = hub_model("gpt2")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours = load_pretrained(folder)
    ids = torch.tensor([[0, 0, 5, 6, 7], [1, 2, 3, 4, 5]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    with torch.no_grad():
        padded = ours(ids, mask)
        alone = ours(ids[:1, 2:])
        expected = theirs(ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0))
    assert (padded[0, 2:] - alone[0]).abs().max() < 1e-5
    assert (padded[1] - expected.logits[1]).abs().max() < 1e-4
    pegasus = hub_model("pegasus")
    with tempfile.TemporaryDirectory() as folder:
        pegasus.save_pretrained(folder)
        ours = load_pretrained(folder)
    ids, mask = torch.tensor([[5, 6, 7, 0, 0]]), torch.tensor([[1, 1, 1, 0, 0]])
    with torch.no_grad():
        assert (
            ours(ids, torch.tensor([[0, 4]]), mask) - ours(ids[:, :3], torch.tensor([[0, 4]]))
        ).abs().max() < 1e-5


def test_sharded_and_old_files(tmp_path):
    theirs = hub_model("gpt2")
    theirs.save_pretrained(tmp_path / "sharded", max_shard_size="20KB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 1
    with torch.no_grad():
        expected = run(theirs, "gpt2").logits
        assert (run(load_pretrained(tmp_path / "sharded"), "gpt2") - expected).abs().max() < 1e-4
        # Old files: a pickle of tensors, without the prefix, with the mask buffers.
        old = {k.removeprefix("transformer."): v for k, v in theirs.state_dict().items()
               if k != "lm_head.weight"}  # fmt: skip
        old["h.0.attn.bias"] = torch.ones(1, 1, 48, 48, dtype=torch.uint8)
        old["h.0.attn.masked_bias"] = torch.tensor(-1e4)
        (tmp_path / "old").mkdir()
        torch.save(old, tmp_path / "old" / "pytorch_model.bin")
        theirs.config.save_pretrained(tmp_path / "old")
        assert (run(load_pretrained(tmp_path / "old"), "gpt2") - expected).abs().max() < 1e-4


def test_nothing_in_a_file_is_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    hub_model("gpt2").config.save_pretrained(tmp_path)
    torch.save({"x": Trap()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="not read"):
        load_pretrained(tmp_path)
    assert not (tmp_path / "executed").exists()


def test_damaged_folders_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        load_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="no folder"):
        load_pretrained(tmp_path / "nowhere")
    save_pretrained(build_model(named_tiny()), tmp_path)
    data = (tmp_path / "model.safetensors").read_bytes()
    for cut in (0, 7, 100, len(data) - 5):
        (tmp_path / "model.safetensors").write_bytes(data[:cut])
        with pytest.raises(CheckpointError):
            load_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(data)
    config = json.loads((tmp_path / "config.json").read_text())
    for change, message in (
        ({"n_layer": 5}, "missing"), ({"n_layer": 1}, "not understood"),
        ({"n_positions": 9}, "shape"), ({"model_type": "bert"}, "bert"),
        ({"n_embd": "x"}, "wrong"), ({"activation_function": "softplus"}, "softplus"),
        ({"n_head": 5}, "divide"), ({"add_cross_attention": True}, "cross-attention"),
    ):  # fmt: skip
        (tmp_path / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(Exception, match=message):
            load_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(CheckpointError):
        load_pretrained(tmp_path)


def named_tiny(**more):
    from kuaibao.transformer import TransformerConfig

    sizes = {"vocab_size": 64, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
    return TransformerConfig(**(sizes | {"eos_id": 0} | more))


@pytest.mark.parametrize(
    ("name", "millions", "share"),
    [
        ("gpt2", 124.44, 1e-3), ("gpt2-medium", 354.82, 1e-3), ("gpt2-large", 774.03, 1e-3),
        ("gpt2-xl", 1557.61, 1e-3), ("gpt3-small", 125, 0.02), ("gpt3-medium", 350, 0.03),
        ("gpt3-large", 760, 0.02), ("gpt3-xl", 1300, 0.03), ("gpt3-2.7b", 2700, 0.03),
        ("gpt3-6.7b", 6700, 0.02), ("gpt3-13b", 13_000, 0.02), ("gpt3-175b", 175_000, 0.01),
        ("imagegpt-small", 76.57, 1e-3), ("imagegpt-medium", 455.16, 1e-3),
        ("imagegpt-large", 1362.25, 1e-3), ("imagegpt-xl", 6800, 0.01),
        ("pegasus-base", 223, 0.01), ("pegasus-large", 568, 0.01),
    ],
)  # fmt: skip
def test_sizes_are_those_of_the_papers(name, millions, share):
    assert count_parameters(named_config(name)) / 1e6 == pytest.approx(millions, rel=share)


def test_every_second_layer_sees_a_band_only():
    torch.manual_seed(1)
    model = build_model(named_tiny(attention_window=4, n_layer=2), seed=1).eval()
    wide = build_model(named_tiny(n_layer=2), seed=1).eval()
    ids = torch.arange(20)[None] % 60
    with torch.no_grad():
        assert torch.allclose(model(ids)[:, :4], wide(ids)[:, :4], atol=1e-6)
        assert not torch.allclose(model(ids)[:, 10:], wide(ids)[:, 10:], atol=1e-4)
    # One banded layer alone: what lies further back than the window changes nothing.
    block = model.blocks[1]
    x = torch.randn(1, 12, 16)
    y = x.clone()
    y[:, :8] += 1
    with torch.no_grad():
        assert torch.allclose(block(x, causal=True)[:, 11], block(y, causal=True)[:, 11], atol=1e-6)


def test_hidden_states_are_the_papers_features(tmp_path):
    theirs = hub_model("imagegpt")
    theirs.save_pretrained(tmp_path)
    ours = load_pretrained(tmp_path)
    ids = torch.arange(24).reshape(2, 12) % 32
    with torch.no_grad():
        states = theirs(ids, output_hidden_states=True).hidden_states
        found = list(ours.hidden_states(ids))
        assert len(found) == 4
        for layer in range(3):
            expected = theirs.transformer.h[layer].ln_1(states[layer])
            assert (found[layer] - expected).abs().max() < 1e-4
        assert (found[3] - states[3]).abs().max() < 1e-4


def test_positions_that_pegasus_would_not_compute_are_refused(tmp_path):
    theirs = hub_model("pegasus")
    theirs.model.encoder.embed_positions.weight.data.normal_()
    theirs.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="sines and cosines"):
        load_pretrained(tmp_path)
