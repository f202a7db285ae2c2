"""vLLM, the engine of clusters and GPUs, behind the same `generate`.

It reads the folders that `save_pretrained` writes. vLLM is no part of any extra: its wheels want
one torch of their own, so it is installed beside it (`pip install vllm`) where it is to run.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kuaibao.errors import KuaibaoError, did_you_mean
from kuaibao.transformer.errors import GenerationError
from kuaibao.transformer.generation import Generated

__all__ = ["VLLMEngine"]

_AS_THEY_ARE = ("temperature", "top_p", "repetition_penalty", "presence_penalty",
                "frequency_penalty")  # fmt: skip
_KNOWN = (*_AS_THEY_ARE, "top_k", "logit_bias", "max_new_tokens", "n", "best_of", "seed", "stop",
          "eos_id")  # fmt: skip


class VLLMEngine:
    """A decoder under vLLM.

    Args:
        folder: Of a model in Hugging Face's layout.
        options: Of `vllm.LLM`, such as `tensor_parallel_size`.

    Raises:
        KuaibaoError: vLLM is not installed.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        try:
            self._library: Any = importlib.import_module("vllm")
        except ModuleNotFoundError as error:
            raise KuaibaoError("vLLM is not installed", hint="pip install vllm") from error
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._end: int | None = config.get("eos_token_id")
        self._model = self._library.LLM(model=str(folder), skip_tokenizer_init=True, **options)

    def generate(self, prompts: Sequence[Sequence[int]], **settings: Any) -> list[list[Generated]]:
        """Continuations of each prompt; no beams, and no ban on repeated n-grams.

        Raises:
            GenerationError: An empty prompt, or a setting that vLLM lacks.
        """
        lacking = [k for k, v in settings.items() if k not in _KNOWN and v not in (0, 1, None)]
        if lacking:
            raise GenerationError(
                f"vLLM takes no setting '{lacking[0]}'", hint=did_you_mean(lacking[0], _KNOWN)
            )
        if not all(len(p) for p in prompts):
            raise GenerationError("a prompt is empty", hint="Begin with the start or end token.")
        n = settings.get("n", 1)
        drawn = settings.get("best_of") or n
        if not 1 <= n <= drawn:
            raise GenerationError(f"best_of ≥ n ≥ 1 is wanted, got n={n}, best_of={drawn}")
        stop = [list(s) for s in settings.get("stop", ()) if s]
        wanted = [self._parameters(settings, drawn, place) for place in range(len(prompts))]
        rows = [{"prompt_token_ids": list(p)} for p in prompts]
        answers = self._model.generate(rows, wanted, use_tqdm=False)
        found = [
            [_generated(one, stop, self._ends(settings)) for one in a.outputs] for a in answers
        ]
        return [own if len(own) == n else sorted(own, key=lambda g: -g.score)[:n] for own in found]

    def _ends(self, settings: dict[str, Any]) -> list[int]:
        end = settings.get("eos_id")
        end = self._end if end is None else end
        return [] if end is None or end < 0 else [end]

    def _parameters(self, settings: dict[str, Any], drawn: int, place: int) -> Any:
        """As ours are named there; each prompt has a seed of its own, as with our core."""
        own = {k: settings[k] for k in _AS_THEY_ARE if k in settings}
        own.setdefault("temperature", 0.0)
        if settings.get("top_k"):
            own["top_k"] = settings["top_k"]
        if settings.get("logit_bias"):
            own["logit_bias"] = settings["logit_bias"]
        if settings.get("seed") is not None:
            own["seed"] = settings["seed"] + place * drawn
        stop = [s[0] for s in settings.get("stop", ()) if len(s) == 1]
        return self._library.SamplingParams(
            n=drawn, max_tokens=settings.get("max_new_tokens", 16), logprobs=0, detokenize=False,
            stop_token_ids=[*self._ends(settings), *stop], ignore_eos=True, **own,
        )  # fmt: skip


def _generated(output: Any, stop: list[list[int]], ends: list[int]) -> Generated:
    """Tokens up to the end token or the first stop sequence, with their log-probabilities."""
    tokens = list(output.token_ids)
    scores = [row[token].logprob for token, row in zip(tokens, output.logprobs, strict=True)]
    cut, reason = len(tokens), "length"
    for i in range(len(tokens)):
        ended = next((s for s in [*stop, *([e] for e in ends)] if _ends_with(tokens, i, s)), None)
        if ended is not None:
            cut, reason = i + 1 - len(ended), "stop"
            break
    tokens, scores = tokens[:cut], scores[:cut]
    return Generated(tokens, scores, reason, sum(scores) / len(scores) if scores else 0.0)


def _ends_with(tokens: list[int], last: int, run: list[int]) -> bool:
    return tokens[max(0, last + 1 - len(run)) : last + 1] == run
