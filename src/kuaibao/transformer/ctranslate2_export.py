"""Decoders for CTranslate2, a fast engine for CPUs and GPUs, behind the same `generate`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kuaibao.errors import MissingExtraError
from kuaibao.transformer.errors import CheckpointError, GenerationError
from kuaibao.transformer.generation import Generated

__all__ = ["CTranslate2Decoder", "export_ctranslate2"]

_ACTIVATIONS = {"gelu_new": "GELUTanh", "gelu": "GELU", "quick_gelu": "GELUSigmoid",
                "relu": "RELU", "silu": "SWISH", "tanh": "Tanh", "sigmoid": "Sigmoid"}  # fmt: skip


def export_ctranslate2(
    model: Any, folder: str | os.PathLike[str], *, quantization: str = "int8"
) -> None:
    """Write a GPT-2-like decoder in CTranslate2's layout; its tokens are the ids as words.

    Args:
        model: A `Decoder` with layer norm.
        folder: Replaced.
        quantization: `int8`, `float16`, `int16` or `float32`.

    Raises:
        MissingExtraError: ctranslate2 is not installed.
        CheckpointError: The model has a part that CTranslate2 lacks.
    """
    specs = _library().specs
    config = model.config
    is_plain = (
        config.norm == "layer" and config.has_bias and not config.is_encoder_decoder
        and not config.attention_window and not config.scale_attention_by_layer
        and config.scale_attention and config.activation in _ACTIVATIONS
    )  # fmt: skip
    if not is_plain:
        raise CheckpointError("CTranslate2 has no counterpart for a part of this model")
    activation = getattr(specs.common_spec.Activation, _ACTIVATIONS[config.activation])
    spec = specs.TransformerDecoderModelSpec.from_config(
        config.n_layer, config.n_head, activation=activation
    )
    weights = {k: v.detach().float().numpy() for k, v in model.state_dict().items()}
    decoder = spec.decoder
    decoder.scale_embeddings = config.scale_embedding
    decoder.embeddings.weight = weights["tokens.weight"]
    decoder.position_encodings.encodings = weights["positions.weight"]
    decoder.projection.weight = weights.get("head.weight", weights["tokens.weight"])
    _norm(decoder.layer_norm, weights, "norm")
    for i, layer in enumerate(decoder.layer):
        own = f"blocks.{i}"
        _norm(layer.self_attention.layer_norm, weights, f"{own}.norm_1")
        _linear(layer.self_attention.linear[0], weights, f"{own}.attention.qkv")
        _linear(layer.self_attention.linear[1], weights, f"{own}.attention.out")
        _norm(layer.ffn.layer_norm, weights, f"{own}.norm_2")
        _linear(layer.ffn.linear_0, weights, f"{own}.feed_forward.up")
        _linear(layer.ffn.linear_1, weights, f"{own}.feed_forward.down")
    end = str(config.eos_id if config.eos_id is not None else 0)
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = end
    spec.register_vocabulary([str(i) for i in range(config.vocab_size)])
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    spec.validate()
    spec.optimize(quantization=None if quantization == "float32" else quantization)
    spec.save(str(target))


class CTranslate2Decoder:
    """An exported decoder that generates as `Decoder.generate` does, as far as CTranslate2 goes.

    Args:
        folder: Written by `export_ctranslate2`.
        n_thread: CPU threads.

    Raises:
        MissingExtraError: ctranslate2 is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str], *, n_thread: int = 1) -> None:
        self._generator = _library().Generator(str(folder), intra_threads=n_thread)

    def generate(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int = 16,
        temperature: float = 0.0, top_k: int = 0, top_p: float = 1.0,
        repetition_penalty: float = 1.0, num_beams: int = 1, length_penalty: float = 1.0,
        n: int = 1, min_new_tokens: int = 0, eos_id: int | None = None,
    ) -> list[list[Generated]]:  # fmt: skip
        """Continuations of each prompt; the likeliest ones where the temperature is 0.

        Raises:
            GenerationError: An empty prompt.
        """
        if not all(len(p) for p in prompts):
            raise GenerationError("a prompt is empty", hint="Begin with the start or end token.")
        is_drawn = temperature > 0 and num_beams == 1
        results = self._generator.generate_batch(
            [[str(t) for t in p] for p in prompts], max_length=max_new_tokens,
            min_length=min_new_tokens,
            include_prompt_in_result=False, return_scores=True, num_hypotheses=n,
            beam_size=num_beams, length_penalty=length_penalty,
            repetition_penalty=repetition_penalty,
            sampling_topk=(top_k if is_drawn else 1), sampling_topp=top_p if is_drawn else 1.0,
            sampling_temperature=temperature if is_drawn else 1.0,
            end_token=[] if eos_id is None else [eos_id],
        )  # fmt: skip
        return [
            [
                Generated(list(ids), [], "stop" if len(ids) < max_new_tokens else "length", score)
                for ids, score in zip(result.sequences_ids, result.scores, strict=True)
            ]
            for result in results
        ]


def _norm(spec: Any, weights: dict[str, np.ndarray[Any, Any]], name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _linear(spec: Any, weights: dict[str, np.ndarray[Any, Any]], name: str) -> None:
    spec.weight, spec.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _library() -> Any:
    try:
        import ctranslate2
    except ModuleNotFoundError as error:
        raise MissingExtraError("ctranslate2", needed_for="This engine") from error
    return ctranslate2
