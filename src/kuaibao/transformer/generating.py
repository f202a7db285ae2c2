"""One door to drawing and to beam search: `model.generate(...)`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from torch import Tensor

from kuaibao.errors import did_you_mean
from kuaibao.transformer.beams import beam_search
from kuaibao.transformer.errors import GenerationError
from kuaibao.transformer.generation import Generated, generate
from kuaibao.transformer.sampling import Sampling

__all__ = ["generate_with"]

_DRAW = ("max_new_tokens", "stop", "n", "best_of", "seed", "eos_id", "sources", "on_token")
_BEAM = ("max_new_tokens", "num_beams", "length_penalty", "early_stopping", "n", "eos_id",
         "sources", "on_token")  # fmt: skip
_SAMPLING = tuple(f.name for f in fields(Sampling))


def generate_with(model: Any, prompts: Any, settings: dict[str, Any]) -> list[list[Generated]]:
    """Continuations of each prompt.

    Args:
        model: `Decoder`, or `EncoderDecoder`, whose `prompts` are then the encoder's input.
        prompts: Lists of token ids, or a tensor (batch, position).
        settings: By name; unknown ones are refused.

    Raises:
        GenerationError: An unknown setting, or one out of range.
    """
    rows = prompts.tolist() if isinstance(prompts, Tensor) else [list(p) for p in prompts]
    is_beam = settings.get("num_beams", 1) > 1
    known = _BEAM if is_beam else (*_DRAW, "num_beams")
    for name in settings:
        if name not in known and name not in _SAMPLING:
            raise GenerationError(
                f"unknown setting '{name}'", hint=did_you_mean(name, (*known, *_SAMPLING))
            )
    drawing = {name: settings[name] for name in _SAMPLING if name in settings}
    rest: dict[str, Any] = {k: v for k, v in settings.items() if k in known and k != "num_beams"}
    if model.config.is_encoder_decoder and "sources" not in rest:
        rest["sources"] = rows
        rows = [[model.config.start_id or 0] for _ in rows]
    if is_beam:
        sampling = Sampling(**drawing) if drawing else None
        rest.setdefault("max_new_tokens", 16)
        return beam_search(model, rows, num_beams=settings["num_beams"], sampling=sampling, **rest)
    sampling = Sampling(**drawing) if drawing else Sampling(temperature=0)
    return generate(model, rows, sampling=sampling, **rest)
