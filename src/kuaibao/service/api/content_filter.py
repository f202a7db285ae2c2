"""The content filter of 2020: an engine whose one-token answer is 0, 1 or 2.

Its protocol: prompt = end-of-text, the text, a newline, two dashes, a newline, `Label:`; a 2 counts
only if its log-probability is at least -0.355, else the likelier of 0 and 1.
"""

from __future__ import annotations

import math
import re
import secrets
import time
from typing import Any

from kuaibao.service.api.forms import CompletionForm
from kuaibao.service.errors import InvalidRequestError
from kuaibao.service.policy.checks import label_probabilities

__all__ = ["ENGINES", "content_filter_answer", "is_content_filter"]

ENGINES = ("content-filter-alpha", "content-filter-alpha-c4")

_PROTOCOL = re.compile(r"\A(?:<\|endoftext\|>)?(?P<text>.*?)(?:\n--\nLabel:)?\s*\Z", re.S)


def is_content_filter(model: str) -> bool:
    """Whether the name is the filter's."""
    return model in ENGINES


def content_filter_answer(form: CompletionForm) -> dict[str, Any]:
    """A completion whose text is the label.

    Raises:
        InvalidRequestError: The prompt is not text.
    """
    if isinstance(form.prompt, str):
        prompts = [form.prompt]
    elif isinstance(form.prompt, list) and all(isinstance(p, str) for p in form.prompt):
        prompts = [str(p) for p in form.prompt]
    else:
        raise InvalidRequestError("the content filter reads text prompts", param="prompt")
    return {
        "id": f"cmpl-{secrets.token_hex(12)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": form.model,
        "choices": [_choice(i, prompt, form.logprobs) for i, prompt in enumerate(prompts)],
    }


def _choice(index: int, prompt: str, n_logprobs: int | None) -> dict[str, Any]:
    match = _PROTOCOL.match(prompt)
    text = match["text"] if match else prompt
    logprobs = {str(i): math.log(p) for i, p in enumerate(label_probabilities(text))}
    label = max(logprobs, key=lambda name: logprobs[name])
    shown = None
    if n_logprobs is not None:
        shown = {
            "tokens": [label],
            "token_logprobs": [logprobs[label]],
            "top_logprobs": [logprobs],
            "text_offset": [len(prompt)],
        }
    return {"text": label, "index": index, "logprobs": shown, "finish_reason": "length"}
