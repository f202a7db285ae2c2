"""Prompts shared out over the processes that `torchrun` started: the texts that one would write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import distributed

from kuaibao.training.distributed import World
from kuaibao.transformer.engines import Engine
from kuaibao.transformer.generation import Generated

__all__ = ["generate_shared"]


def generate_shared(
    engine: Engine, prompts: Sequence[Sequence[int]], world: World, **settings: Any
) -> list[list[Generated]]:
    """Continuations of all prompts, in every process; each process writes its own share of them.

    A prompt's draws follow from its place among all prompts, so the shares change nothing.

    Args:
        engine: The same model in every process.
        prompts: All of them, in every process.
        world: The processes.
        settings: As `Engine.generate` takes them.
    """
    if world.size == 1:
        return engine.generate(prompts, **settings)
    ends = np.linspace(0, len(prompts), world.size + 1).round().astype(int).tolist()
    first, end = ends[world.rank], ends[world.rank + 1]
    own = dict(settings)
    if own.get("seed") is not None:
        own["seed"] += first * (own.get("best_of") or own.get("n", 1))
    found = engine.generate(prompts[first:end], **own) if end > first else []
    shares: list[Any] = [None] * world.size
    distributed.all_gather_object(shares, found)
    return [texts for share in shares for texts in share]
