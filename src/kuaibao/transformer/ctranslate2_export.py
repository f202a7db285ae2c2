"""Decoders for CTranslate2, a fast engine for CPUs and GPUs, behind the same `generate`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kuaibao.errors import MissingExtraError, did_you_mean
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

    def generate(self, prompts: Sequence[Sequence[int]], **settings: Any) -> list[list[Generated]]:
        """Continuations of each prompt; the likeliest ones where the temperature is 0.

        Settings are those of `Decoder.generate`, and `min_new_tokens`; there are no
        log-probabilities of single tokens.

        Raises:
            GenerationError: An empty prompt, or a setting that CTranslate2 lacks.
        """
        given = _DEFAULTS | settings
        lacking = [k for k, v in settings.items() if k not in _DEFAULTS and v not in (0, 1, None)]
        lacking = [k for k in lacking if settings[k] != []]
        if lacking:
            raise GenerationError(
                f"CTranslate2 takes no setting '{lacking[0]}'",
                hint=did_you_mean(lacking[0], _DEFAULTS),
            )
        if not all(len(p) for p in prompts):
            raise GenerationError("a prompt is empty", hint="Begin with the start or end token.")
        n_new, beams = given["max_new_tokens"], given["num_beams"]
        is_drawn = given["temperature"] > 0 and beams == 1
        end = given["eos_id"]
        if is_drawn and given["seed"] is not None:
            _library().set_random_seed(given["seed"])
        results = self._generator.generate_batch(
            [[str(t) for t in p] for p in prompts], max_length=n_new,
            min_length=given["min_new_tokens"],
            include_prompt_in_result=False, return_scores=True, num_hypotheses=given["n"],
            beam_size=beams, length_penalty=given["length_penalty"],
            repetition_penalty=given["repetition_penalty"],
            no_repeat_ngram_size=given["no_repeat_ngram_size"],
            sampling_topk=(given["top_k"] if is_drawn else 1),
            sampling_topp=given["top_p"] if is_drawn else 1.0,
            sampling_temperature=given["temperature"] if is_drawn else 1.0,
            end_token=[] if end is None else [end],
        )  # fmt: skip
        return [
            [
                Generated(list(ids), [], "stop" if len(ids) < n_new else "length", score)
                for ids, score in zip(result.sequences_ids, result.scores, strict=True)
            ]
            for result in results
        ]


_DEFAULTS: dict[str, Any] = {
    "max_new_tokens": 16, "temperature": 0.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0, "num_beams": 1, "length_penalty": 1.0, "n": 1, "min_new_tokens": 0,
    "seed": None, "eos_id": None,
}  # fmt: skip


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
