"""EleutherAI's evaluation harness (`lm_eval`) on our models, through its own interface.

The harness is installed beside us (`pip install lm_eval`); its published tasks fetch their data
from a hub, and a folder of YAML files names tasks of one's own (`include_path`).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from kuaibao.errors import InputError, KuaibaoError
from kuaibao.transformer import generate
from kuaibao.transformer.tokenizers import TextTokenizer

__all__ = ["evaluate_harness", "harness_model"]


def evaluate_harness(
    model: Any, tokenizer: TextTokenizer, tasks: Sequence[str], *, include_path: Path | None = None,
    n_shot: int | None = None, limit: int | None = None, seed: int = 0,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """The harness's figures of each task.

    Args:
        model: A decoder in evaluation mode.
        tokenizer: Its own.
        tasks: Names of tasks.
        include_path: A folder with tasks of one's own.
        n_shot: Solved examples before each question; the task's own number if not given.
        limit: At most so many questions a task.
        seed: Of the draw of examples.

    Raises:
        KuaibaoError: `lm_eval` is not installed.
        InputError: It knows no such task.
    """
    harness = _library("lm_eval")
    manager = _library("lm_eval.tasks").TaskManager(
        include_path=None if include_path is None else str(include_path)
    )
    known = set(manager.all_tasks)
    for task in tasks:
        if task not in known:
            raise InputError(f"lm_eval knows no task '{task}'", hint="lm_eval ls tasks")
    found = harness.simple_evaluate(
        model=harness_model(model, tokenizer), tasks=list(tasks), task_manager=manager,
        num_fewshot=n_shot, limit=limit, bootstrap_iters=0, log_samples=False,
        random_seed=seed, numpy_random_seed=seed, torch_random_seed=seed, fewshot_random_seed=seed,
    )  # fmt: skip
    return {
        name: {k.split(",")[0]: v for k, v in row.items() if isinstance(v, int | float)}
        for name, row in found["results"].items()
    }


def harness_model(model: Any, tokenizer: TextTokenizer) -> Any:
    """An `lm_eval.api.model.LM` that asks a decoder of ours.

    Raises:
        KuaibaoError: `lm_eval` is not installed.
    """
    base: Any = _library("lm_eval.api.model").LM

    class Kuaibao(base):
        """Likelihoods and texts of a decoder, one request after the other."""

        def loglikelihood(self, requests: Any, **_: Any) -> list[tuple[float, bool]]:
            """Log-probability of each continuation, and whether it is the likeliest."""
            return [_continued(model, tokenizer, *request.args) for request in requests]

        def loglikelihood_rolling(self, requests: Any, **_: Any) -> list[float]:
            """Log-probability of each whole text, window after window."""
            return [_rolled(model, tokenizer, request.args[0]) for request in requests]

        def generate_until(self, requests: Any, **_: Any) -> list[str]:
            """Text up to the first of some strings."""
            return [_written(model, tokenizer, *request.args) for request in requests]

    return Kuaibao()


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise KuaibaoError("lm_eval is not installed", hint="pip install lm_eval") from error


def _encode_pair(
    tokenizer: TextTokenizer, context: str, continuation: str
) -> tuple[list[int], list[int]]:
    """Tokens of both; a context's last spaces belong to the continuation, as in the harness."""
    stripped = context.rstrip()
    continuation = context[len(stripped) :] + continuation
    whole, before = tokenizer.encode(stripped + continuation), tokenizer.encode(stripped)
    return [tokenizer.eos_id, *before], whole[len(before) :]


@torch.inference_mode()
def _scores(model: Any, before: list[int], own: list[int]) -> tuple[float, bool]:
    """Log-probability of `own` after the end of `before` that the window holds."""
    n = model.config.n_positions
    own = own[-n:]
    ids = torch.tensor([[*before, *own][-(n + 1) :]], device=model.device)
    logits = model(ids[:, :-1])[0, -len(own) :].float()
    target = ids[0, -len(own) :]
    chosen = torch.log_softmax(logits, -1).gather(1, target[:, None])
    return float(chosen.sum()), bool((logits.argmax(-1) == target).all())


def _continued(
    model: Any, tokenizer: TextTokenizer, context: str, continuation: str
) -> tuple[float, bool]:
    before, own = _encode_pair(tokenizer, context, continuation)
    return _scores(model, before, own) if own else (0.0, True)


def _rolled(model: Any, tokenizer: TextTokenizer, text: str) -> float:
    tokens = tokenizer.encode(text)
    n, total = model.config.n_positions, 0.0
    for start in range(0, len(tokens), n):
        before = [tokenizer.eos_id] if start == 0 else tokens[start - 1 : start]
        total += _scores(model, before, tokens[start : start + n])[0]
    return total


def _written(model: Any, tokenizer: TextTokenizer, context: str, settings: dict[str, Any]) -> str:
    until = settings.get("until") or []
    ends = [until] if isinstance(until, str) else list(until)
    n = model.config.n_positions
    n_new = min(int(settings.get("max_gen_toks", 64)), n - 1)
    prompt = [tokenizer.eos_id, *tokenizer.encode(context)][-(n + 1 - n_new) :]
    ((found,),) = generate(model, [prompt], max_new_tokens=n_new)
    return _cut(tokenizer.decode(found.tokens), ends)


def _cut(text: str, ends: Sequence[str]) -> str:
    places = [text.find(end) for end in ends if end and end in text]
    return text[: min(places)] if places else text
