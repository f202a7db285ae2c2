"""Hugging Face's names for our weights: gpt2, imagegpt and pegasus.

A layout is a list of rows (ours, theirs, how): `same`, `transpose` for GPT-2's (in, out) matrices,
`stack` for projections that they keep apart and we keep together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from kuaibao.errors import did_you_mean
from kuaibao.transformer.config import Activation, TransformerConfig
from kuaibao.transformer.errors import CheckpointError

__all__ = ["Row", "config_from_hub", "config_to_hub", "layout_rows"]

How = Literal["same", "transpose", "stack"]


@dataclass(frozen=True, slots=True)
class Row:
    """One of our tensors and where it stands in their file."""

    ours: str
    theirs: tuple[str, ...]
    how: How = "same"


def layout_rows(config: TransformerConfig) -> list[Row]:
    """Every tensor of a model of this configuration."""
    if config.family == "pegasus":
        return _pegasus_rows(config)
    return _gpt_rows(config)


def _gpt_rows(config: TransformerConfig) -> list[Row]:
    parts = ["weight", "bias"] if config.has_bias else ["weight"]
    norm_parts = ["weight", "bias"] if config.norm == "layer" else ["weight"]
    rows = [Row("tokens.weight", ("transformer.wte.weight",)),
            Row("positions.weight", ("transformer.wpe.weight",))]  # fmt: skip
    linear = {"attention.qkv": "attn.c_attn", "attention.out": "attn.c_proj",
              "feed_forward.up": "mlp.c_fc", "feed_forward.down": "mlp.c_proj"}  # fmt: skip
    for i in range(config.n_layer):
        for ours, theirs in (("norm_1", "ln_1"), ("norm_2", "ln_2")):
            rows += [Row(f"blocks.{i}.{ours}.{p}", (f"transformer.h.{i}.{theirs}.{p}",))
                     for p in norm_parts]  # fmt: skip
        for ours, theirs in linear.items():
            rows += [
                Row(f"blocks.{i}.{ours}.{p}", (f"transformer.h.{i}.{theirs}.{p}",),
                    "transpose" if p == "weight" else "same")
                for p in parts
            ]  # fmt: skip
    rows += [Row(f"norm.{p}", (f"transformer.ln_f.{p}",)) for p in norm_parts]
    if not config.tie_head:
        rows.append(Row("head.weight", ("lm_head.weight",)))
    return rows


def _pegasus_rows(config: TransformerConfig) -> list[Row]:
    rows = [Row("tokens.weight", ("model.shared.weight",)),
            Row("logits_bias", ("final_logits_bias",))]  # fmt: skip
    stacks = (("encoder", "encoder", config.n_encoder_layer), ("blocks", "decoder", config.n_layer))
    for ours, theirs, n in stacks:
        for i in range(n):
            rows += _pegasus_block(f"{ours}.{i}", f"model.{theirs}.layers.{i}", ours == "blocks")
    for p in ("weight", "bias"):
        rows.append(Row(f"encoder_norm.{p}", (f"model.encoder.layer_norm.{p}",)))
        rows.append(Row(f"norm.{p}", (f"model.decoder.layer_norm.{p}",)))
    if not config.tie_head:
        rows.append(Row("head.weight", ("lm_head.weight",)))
    return rows


def _pegasus_block(ours: str, theirs: str, has_cross: bool) -> list[Row]:
    rows: list[Row] = []
    for p in ("weight", "bias"):
        qkv = tuple(f"{theirs}.self_attn.{x}_proj.{p}" for x in "qkv")
        rows += [
            Row(f"{ours}.attention.qkv.{p}", qkv, "stack"),
            Row(f"{ours}.attention.out.{p}", (f"{theirs}.self_attn.out_proj.{p}",)),
            Row(f"{ours}.norm_1.{p}", (f"{theirs}.self_attn_layer_norm.{p}",)),
            Row(f"{ours}.feed_forward.up.{p}", (f"{theirs}.fc1.{p}",)),
            Row(f"{ours}.feed_forward.down.{p}", (f"{theirs}.fc2.{p}",)),
            Row(f"{ours}.norm_2.{p}", (f"{theirs}.final_layer_norm.{p}",)),
        ]
        if has_cross:
            kv = tuple(f"{theirs}.encoder_attn.{x}_proj.{p}" for x in "kv")
            rows += [
                Row(f"{ours}.cross.q.{p}", (f"{theirs}.encoder_attn.q_proj.{p}",)),
                Row(f"{ours}.cross.kv.{p}", kv, "stack"),
                Row(f"{ours}.cross.out.{p}", (f"{theirs}.encoder_attn.out_proj.{p}",)),
                Row(f"{ours}.norm_cross.{p}", (f"{theirs}.encoder_attn_layer_norm.{p}",)),
            ]
    return rows


_ACTIVATIONS = {name: name for name in get_args(Activation)} | {
    "gelu_pytorch_tanh": "gelu_new", "gelu_fast": "gelu_new", "gelu_accurate": "gelu_new",
    "gelu_python": "gelu", "swish": "silu",
}  # fmt: skip


def config_from_hub(value: dict[str, Any]) -> TransformerConfig:
    """Our configuration of a Hugging Face `config.json`.

    Raises:
        CheckpointError: Another kind of model, or a switch that these rooms don't have.
    """
    kind = value.get("model_type")
    try:
        if kind == "gpt2":
            return _gpt2_config(value)
        if kind == "imagegpt":
            return _imagegpt_config(value)
        if kind == "pegasus":
            return _pegasus_config(value)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"config.json is incomplete or wrong: {error}") from error
    raise CheckpointError(
        f"model_type {kind!r} is not read here", hint="Known: gpt2, imagegpt, pegasus."
    )


def _activation(name: str) -> Any:
    if name not in _ACTIVATIONS:
        raise CheckpointError(
            f"activation {name!r} is not known here", hint=did_you_mean(name, _ACTIVATIONS)
        )
    return _ACTIVATIONS[name]


def _gpt_sizes(v: dict[str, Any]) -> dict[str, Any]:
    # reorder_and_upcast_attn only asks for float32 inside, which is what we have.
    if v.get("add_cross_attention"):
        raise CheckpointError("a GPT-2 with cross-attention is not read here")
    return {
        "n_positions": int(v.get("n_positions") or v["n_ctx"]), "n_embd": int(v["n_embd"]),
        "n_layer": int(v["n_layer"]), "n_head": int(v["n_head"]),
        "n_inner": int(v.get("n_inner") or 0), "norm_eps": float(v.get("layer_norm_epsilon", 1e-5)),
        "scale_attention": bool(v.get("scale_attn_weights", True)),
        "scale_attention_by_layer": bool(v.get("scale_attn_by_inverse_layer_idx", False)),
    }  # fmt: skip


def _gpt2_config(v: dict[str, Any]) -> TransformerConfig:
    return TransformerConfig(
        family="gpt2", vocab_size=int(v["vocab_size"]),
        activation=_activation(v.get("activation_function", "gelu_new")),
        tie_head=bool(v.get("tie_word_embeddings", True)),
        attention_window=int(v.get("kuaibao_attention_window", 0)),
        eos_id=_id(v.get("eos_token_id")), start_id=_id(v.get("bos_token_id")),
        pad_id=_id(v.get("pad_token_id")), **_gpt_sizes(v),
    )  # fmt: skip


def _imagegpt_config(v: dict[str, Any]) -> TransformerConfig:
    n_token = int(v["vocab_size"]) - 1
    return TransformerConfig(
        family="imagegpt", vocab_size=n_token, n_extra_input=1,
        activation=_activation(v.get("activation_function", "quick_gelu")), norm="rms",
        has_bias=bool(v.get("kuaibao_has_bias", False)), tie_head=False, start_id=n_token,
        eos_id=None, causal=bool(v.get("kuaibao_causal", True)), **_gpt_sizes(v),
    )  # fmt: skip


def _pegasus_config(v: dict[str, Any]) -> TransformerConfig:
    return TransformerConfig(
        family="pegasus", vocab_size=int(v["vocab_size"]), n_embd=int(v["d_model"]),
        n_positions=int(v["max_position_embeddings"]), n_layer=int(v["decoder_layers"]),
        n_encoder_layer=int(v["encoder_layers"]), n_head=int(v["decoder_attention_heads"]),
        n_inner=int(v["decoder_ffn_dim"]), n_encoder_head=int(v["encoder_attention_heads"]),
        n_encoder_inner=int(v["encoder_ffn_dim"]),
        tie_head=bool(v.get("tie_word_embeddings", True)), position="sinusoidal",
        activation=_activation(v.get("activation_function", "relu")),
        scale_embedding=bool(v.get("scale_embedding", True)), dropout=float(v.get("dropout", 0.1)),
        start_id=_id(v.get("decoder_start_token_id", 0)), eos_id=_id(v.get("eos_token_id", 1)),
        pad_id=_id(v.get("pad_token_id", 0)),
    )  # fmt: skip


def _id(value: Any) -> int | None:
    return int(value[0] if isinstance(value, list) else value) if value is not None else None


def config_to_hub(config: TransformerConfig) -> dict[str, Any]:
    """The `config.json` that Hugging Face's classes read."""
    if config.family == "pegasus":
        return _pegasus_to_hub(config)
    value: dict[str, Any] = {
        "model_type": config.family,
        "architectures": ["GPT2LMHeadModel" if config.family == "gpt2"
                          else "ImageGPTForCausalImageModeling"],
        "vocab_size": config.vocab_size + config.n_extra_input,
        "n_positions": config.n_positions, "n_embd": config.n_embd, "n_layer": config.n_layer,
        "n_head": config.n_head, "n_inner": config.n_inner or None,
        "activation_function": config.activation, "layer_norm_epsilon": config.norm_eps,
        "tie_word_embeddings": config.tie_head, "resid_pdrop": 0.0, "embd_pdrop": 0.0,
        "attn_pdrop": 0.0, "scale_attn_weights": config.scale_attention,
        "scale_attn_by_inverse_layer_idx": config.scale_attention_by_layer,
        "bos_token_id": config.start_id, "eos_token_id": config.eos_id,
        "pad_token_id": config.pad_id,
    }  # fmt: skip
    if config.attention_window:
        value["kuaibao_attention_window"] = config.attention_window
    if config.family == "imagegpt":
        value |= {"kuaibao_has_bias": config.has_bias, "kuaibao_causal": config.causal}
    return value


def _pegasus_to_hub(config: TransformerConfig) -> dict[str, Any]:
    return {
        "model_type": "pegasus", "architectures": ["PegasusForConditionalGeneration"],
        "vocab_size": config.vocab_size, "d_model": config.n_embd,
        "encoder_layers": config.n_encoder_layer, "decoder_layers": config.n_layer,
        "encoder_attention_heads": config.encoder.n_head,
        "decoder_attention_heads": config.n_head, "encoder_ffn_dim": config.encoder.d_inner,
        "decoder_ffn_dim": config.d_inner,
        "max_position_embeddings": config.n_positions, "activation_function": config.activation,
        "scale_embedding": config.scale_embedding, "dropout": config.dropout,
        "attention_dropout": config.dropout, "activation_dropout": 0.0,
        "decoder_start_token_id": config.start_id, "eos_token_id": config.eos_id,
        "forced_eos_token_id": config.eos_id, "pad_token_id": config.pad_id,
        "tie_word_embeddings": config.tie_head, "is_encoder_decoder": True,
        "num_hidden_layers": config.n_layer,
    }  # fmt: skip
