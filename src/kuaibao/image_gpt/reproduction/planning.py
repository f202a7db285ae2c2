"""Studies cut to the time that one has, by the speed of this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from kuaibao.errors import InputError
from kuaibao.files import write_json
from kuaibao.image_gpt.objectives import autoregressive_loss
from kuaibao.image_gpt.reproduction.studies import STUDIES, Study
from kuaibao.transformer import TransformerConfig, build_model

__all__ = ["plan_studies", "training_rate"]

PLAN_FILE = "plan.json"
_OTHER_WORK = 1.4
"""All of a study over its training alone: evaluations, probes, baselines (seen here)."""
_MIN_STEPS = 20


def training_rate(study: Study, n_step: int = 3) -> float:
    """Pixels a second that this machine trains a study's model with."""
    config = TransformerConfig(
        family="imagegpt", vocab_size=study.n_color, n_extra_input=1, n_positions=study.size**2,
        n_embd=study.n_embd, n_layer=study.n_layer, n_head=study.n_head, norm="rms",
        activation="quick_gelu", has_bias=False, tie_head=False, start_id=study.n_color,
        eos_id=None,
    )  # fmt: skip
    model = build_model(config, seed=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    tokens = torch.randint(0, study.n_color, (study.batch_size, study.size**2))
    started = 0.0
    for i in range(n_step + 1):  # the first one warms up
        if i == 1:
            started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=study.precision == "bf16"):
            loss = autoregressive_loss(model, tokens, study.n_color)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return n_step * tokens.numel() / (time.perf_counter() - started)


def plan_studies(
    names: Sequence[str], n_seed: int, minutes: float, folder: Path
) -> dict[str, Study]:
    """Studies whose steps fit the minutes, each cut in the same proportion.

    The plan is written down, so that the same command goes on with the same steps.

    Args:
        names: Of studies.
        n_seed: Runs of each.
        minutes: For all of them together; more than the whole gives the whole.
        folder: Where the plan is kept.

    Raises:
        InputError: The plan that is kept is damaged.
    """
    file = folder / PLAN_FILE
    asked = {"sets": list(names), "seeds": n_seed, "minutes": minutes}
    try:
        kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if kept.get("asked") == asked:
            return {n: _cut(STUDIES[n], float(kept["share"])) for n in names}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} holds no plan: {error}", hint="Delete it.") from error
    rates = {n: training_rate(STUDIES[n]) for n in names}
    whole = n_seed * sum(_pixels(STUDIES[n]) / rates[n] for n in names) * _OTHER_WORK
    share = min(1.0, 60 * minutes / whole)
    write_json(file, {"asked": asked, "share": share, "pixels_per_second": rates,
                      "minutes_of_the_whole": whole / 60})  # fmt: skip
    return {n: _cut(STUDIES[n], share) for n in names}


def _pixels(study: Study) -> int:
    """Seen in training: two objectives, and three fine-tunings."""
    return (2 * study.steps + 3 * study.tune_steps) * study.batch_size * study.size**2


def _cut(study: Study, share: float) -> Study:
    return replace(
        study, steps=max(_MIN_STEPS, round(study.steps * share)),
        tune_steps=max(_MIN_STEPS, round(study.tune_steps * share)),
    )  # fmt: skip
