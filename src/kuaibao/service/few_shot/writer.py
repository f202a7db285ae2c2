"""What a template is used with: something that completes, and may score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kuaibao.errors import InputError
from kuaibao.service.few_shot.template import Example, Template

__all__ = ["Writes", "complete_with", "prompt_that_fits"]


class Writes(Protocol):
    """A model as few-shot sees it."""

    @property
    def room(self) -> int:
        """Tokens that prompt and answer may have together."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...

    async def complete(self, prompt: str, *, max_tokens: int, stop: str) -> str:
        """The likeliest continuation, ended before `stop`."""
        ...

    async def score(self, prompt: str, answer: str) -> tuple[float, int]:
        """Log-probability of an answer behind a prompt, and its tokens."""
        ...


def prompt_that_fits(
    template: Template, text: str, shown: Sequence[Example], writer: Writes, n_answer: int
) -> str:
    """The prompt with as many of the last examples as the context holds.

    Raises:
        InputError: The question alone does not fit.
    """
    for first in range(len(shown) + 1):
        prompt = template.render(text, shown[first:])
        if writer.count(prompt) + n_answer <= writer.room:
            return prompt
    raise InputError(
        f"the question does not fit the model's {writer.room} tokens with {n_answer} for the answer"
    )


async def complete_with(
    template: Template, text: str, writer: Writes, *, without: int | None = None
) -> str:
    """Answer a question after the template's examples."""
    shown = template.shown_for(text, without=without)
    prompt = prompt_that_fits(template, text, shown, writer, template.max_tokens)
    answer = await writer.complete(prompt, max_tokens=template.max_tokens, stop=template.stop)
    return answer.strip()
