"""The service's own models, and those of other servers, as few-shot writes with them."""

from __future__ import annotations

import asyncio

from kuaibao.service.completions import CompletionCall, Completions
from kuaibao.service.engine import LanguageModel, Sampling
from kuaibao.service.errors import InvalidRequestError, OverloadedError
from kuaibao.service.few_shot.writer import Writes
from kuaibao.service.likelihood import last_logprobs
from kuaibao.service.metering import metered
from kuaibao.service.remote import RemoteServer, ask
from kuaibao.service.service import Caller

__all__ = ["open_writer"]

_REMOTE_ROOM = 4096
_CHARACTERS_A_TOKEN = 3


async def open_writer(completions: Completions, caller: Caller, model: str) -> Writes:
    """A writer for one of the service's models; every call is metered and guarded.

    Raises:
        NotFoundError: No such model.
    """
    if server := completions.service.pool.spec(model).remote:
        return _RemoteWriter(completions, caller, model, server)
    return _EngineWriter(completions, caller, (await completions.scheduler(model)).model)


class _EngineWriter:
    def __init__(self, completions: Completions, caller: Caller, model: LanguageModel) -> None:
        self._completions, self._caller, self._model = completions, caller, model

    @property
    def room(self) -> int:
        return self._model.n_context

    def count(self, text: str) -> int:
        return len(self._model.encode(text)) + 1

    def _tokens(self, text: str) -> tuple[int, ...]:
        """A text begins behind the end of another, as in training."""
        return (self._model.end_token, *self._model.encode(text))

    async def complete(self, prompt: str, *, max_tokens: int, stop: str) -> str:
        call = CompletionCall(
            model=self._model.name,
            prompts=(self._tokens(prompt),),
            sampling=Sampling(max_tokens=max_tokens, temperature=0.0),
            stop=(stop,) if stop else (),
            endpoint="templates",
        )
        run = await self._completions.complete(self._caller, call)
        return run.choices[0].text

    async def score(self, prompt: str, answer: str) -> tuple[float, int]:
        own = self._model.encode(answer)
        if not own:
            return 0.0, 0
        (logprobs,) = await last_logprobs(
            self._completions, self._caller, self._model.name,
            [(*self._tokens(prompt), *own)], len(own), endpoint="templates",
        )  # fmt: skip
        return sum(logprobs), len(own)


class _RemoteWriter:
    room = _REMOTE_ROOM

    def __init__(
        self, completions: Completions, caller: Caller, model: str, server: RemoteServer
    ) -> None:
        self._service = completions.service
        self._caller, self._name, self._server = caller, model, server

    def count(self, text: str) -> int:
        return len(text) // _CHARACTERS_A_TOKEN + 1

    async def complete(self, prompt: str, *, max_tokens: int, stop: str) -> str:
        guard, application = self._service.guard, self._caller.application
        body = {
            "model": self._server.model, "prompt": prompt, "max_tokens": max_tokens,
            "temperature": 0,
        } | ({"stop": stop} if stop else {})  # fmt: skip
        meter = metered(
            self._service, self._caller, model=self._name, endpoint="templates",
            n_token=self.count(prompt), n_most=max_tokens,
        )  # fmt: skip
        with meter as used:
            body["prompt"] = await asyncio.to_thread(
                guard.let_pass, application, "input", prompt, request_id=used.request_id,
            )  # fmt: skip
            answer = await ask(self._server, "/completions", body)
            usage = answer.get("usage") or {}
            used.n_prompt_token = int(usage.get("prompt_tokens") or used.n_prompt_token)
            used.n_completion_token = int(usage.get("completion_tokens") or 0)
            try:
                text = str(answer["choices"][0]["text"])
            except (KeyError, IndexError, TypeError) as error:
                raise OverloadedError("the server behind this model answered no choice") from error
            return await asyncio.to_thread(
                guard.let_pass, application, "output", text, request_id=used.request_id
            )

    async def score(self, prompt: str, answer: str) -> tuple[float, int]:
        raise InvalidRequestError(
            "likelihood needs a model that is served here, not by another server", param="metric"
        )
