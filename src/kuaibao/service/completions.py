"""One completion from request to answer: ceilings, policy, ledger, engine, text.

This is the handler behind every URL form: `/v1/completions`, `/v1/engines/{id}/completions`, chat,
search, classifications, answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

from kuaibao.service.engine import (
    Generation,
    GenerationRequest,
    LanguageModel,
    Sampling,
    Scheduler,
    TokenEvent,
)
from kuaibao.service.engine.inbox import Inbox, Post
from kuaibao.service.engine.text import Piece, TextAssembler
from kuaibao.service.errors import (
    ApiError,
    ClientGoneError,
    InvalidRequestError,
    OverloadedError,
)
from kuaibao.service.policy import Application, Guard
from kuaibao.service.service import Caller, Service
from kuaibao.service.usage import Reservation, UsageRow

__all__ = ["Batch", "Choice", "CompletionCall", "Completions", "Run", "pass_prompts"]

_SENTENCE_ENDS = tuple(".!?。！？\n")
_LOOK_EVERY_S = 0.5
"""How often a request that is not streamed asks whether its client is still there."""
_SAVE_EVERY = 32
"""Tokens after which a streaming request's row is brought up to date."""


@dataclass(frozen=True, kw_only=True)
class CompletionCall:
    """A checked request; prompts are token ids."""

    model: str
    prompts: tuple[tuple[int, ...], ...]
    sampling: Sampling
    n: int = 1
    best_of: int = 1
    stop: tuple[str, ...] = ()
    echo: bool = False
    user: str = ""
    endpoint: str = "completions"


@dataclass
class Choice:
    """One completion with its tokens."""

    index: int
    pieces: list[Piece] = field(default_factory=list[Piece])
    held: list[Piece] = field(default_factory=list[Piece])
    """Not yet seen by the output policy."""
    n_generated: int = 0
    logprob_sum: float = 0.0
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        """The text, prompt included when it was echoed."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def mean_logprob(self) -> float:
        """What `best_of` ranks by."""
        return self.logprob_sum / max(1, self.n_generated)


Batch = list[tuple[Choice, Piece]]
"""What has come since the last one: several tokens where the engine is ahead of the client."""

Event = TokenEvent | BaseException


@dataclass
class Run:
    """A request at work: its choices fill as `pieces` is read."""

    request_id: str
    created: int
    call: CompletionCall
    choices: list[Choice]
    n_prompt_token: int
    n_completion_token: int = 0


class Completions:
    """Runs completion calls for a service.

    Args:
        service: Whose models and books.
        is_gone: Whether the client has left; what it asked for is then given up.
    """

    def __init__(
        self, service: Service, *, is_gone: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        self.service = service
        self._is_gone = is_gone

    async def scheduler(self, model: str, *, is_exact: bool = False) -> Scheduler:
        """The model's scheduler; loading happens off the event loop."""
        pool = self.service.pool
        found = pool.loaded(model, is_exact=is_exact)
        return found or await asyncio.to_thread(pool.get, model, is_exact=is_exact)

    async def complete(self, caller: Caller, call: CompletionCall) -> Run:
        """The whole answer; `best_of` candidates are ranked and all are billed."""
        run, stream = await self.start(caller, call, is_patient=True)
        work = asyncio.ensure_future(_drain(stream))
        try:
            while not (await asyncio.wait({work}, timeout=_LOOK_EVERY_S))[0]:
                if self._is_gone is not None and await self._is_gone():
                    raise ClientGoneError("the client has left")
            work.result()
        finally:
            if not work.done():
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
        if call.best_of > call.n:
            run.choices = _best(run.choices, call)
        return run

    async def start(
        self, caller: Caller, call: CompletionCall, *, is_patient: bool = False
    ) -> tuple[Run, AsyncIterator[Batch]]:
        """Admit a request; gives the run and its pieces as they come.

        Args:
            caller: Who asks.
            call: For what.
            is_patient: Whether nobody looks at it before its end; pieces then come late.

        Raises:
            ApiError: A ceiling, the policy or the engine refuses.
        """
        wants_numbers = call.sampling.n_logprobs is not None
        scheduler = await self.scheduler(call.model, is_exact=wants_numbers)
        n_prompt, n_most = self._check_ceilings(caller, call)
        end_user = self._end_user(caller, call)
        request_id = f"cmpl-{secrets.token_hex(12)}"
        if caller.application.policy.input:
            prompts = await asyncio.to_thread(
                pass_prompts, self.service.guard, caller.application, call.prompts,
                scheduler.model, request_id,
            )  # fmt: skip
            call = replace(call, prompts=prompts)
            n_prompt, n_most = self._check_ceilings(caller, call)
        row = UsageRow(
            request_id=request_id,
            application_id=caller.application.application_id,
            key_id=caller.key.key_id,
            person_id=caller.person.person_id,
            model=call.model,
            endpoint=call.endpoint,
            end_user=end_user,
        )
        reservation = self.service.admit(caller, row, n_prompt, n_most)
        n_choice = len(call.prompts) * call.best_of
        run = Run(
            request_id=request_id,
            created=int(time.time()),
            call=call,
            choices=[Choice(index) for index in range(n_choice)],
            n_prompt_token=n_prompt,
        )
        # An output policy may end a text early: it looks at it as it comes.
        is_patient = is_patient and not caller.application.policy.output
        return run, self._work(caller, run, row, scheduler, reservation, is_patient)

    def _check_ceilings(self, caller: Caller, call: CompletionCall) -> tuple[int, int]:
        ceilings = caller.application.ceilings
        n_prompt = sum(len(p) for p in call.prompts)
        longest = max(len(p) for p in call.prompts)
        if ceilings.max_input_tokens and longest > ceilings.max_input_tokens:
            raise InvalidRequestError(
                f"this application may send {ceilings.max_input_tokens} tokens a prompt, "
                f"got {longest}",
                param="prompt",
                code="input_ceiling",
            )
        if ceilings.max_output_tokens and call.sampling.max_tokens > ceilings.max_output_tokens:
            raise InvalidRequestError(
                f"this application may ask for {ceilings.max_output_tokens} tokens, "
                f"got max_tokens={call.sampling.max_tokens}",
                param="max_tokens",
                code="output_ceiling",
            )
        n_output = len(call.prompts) * call.best_of * call.sampling.max_tokens
        return n_prompt, n_prompt + n_output

    def _end_user(self, caller: Caller, call: CompletionCall) -> str:
        if not call.user:
            if caller.application.ceilings.end_user_requests_per_minute:
                raise InvalidRequestError(
                    "this application's requests must carry the 'user' field",
                    param="user",
                    code="user_required",
                )
            return ""
        return self.service.hash_end_user(call.user)

    async def _work(
        self,
        caller: Caller,
        run: Run,
        row: UsageRow,
        scheduler: Scheduler,
        reservation: Reservation,
        is_patient: bool,
    ) -> AsyncIterator[Batch]:
        status = "cancelled"
        generations: list[Generation] = []
        inbox: Inbox[tuple[int, Event]] = Inbox(Post.here())
        try:
            assemblers = self._submit(caller, run, scheduler, generations, inbox, is_patient)
            if echoed := [(choice, piece) for choice in run.choices for piece in choice.pieces]:
                yield echoed
            n_open, saved = len(generations), 0
            while n_open:
                fresh: dict[int, list[Piece]] = {}
                failure: ApiError | None = None
                for index, event in await inbox.take():
                    choice = run.choices[index]
                    failure = self._failure(run, choice, event)
                    if failure is not None or isinstance(event, BaseException):
                        break
                    if choice.finish_reason is not None:
                        continue  # the engine had gone on when the text was already at its end
                    piece = assemblers[index].feed(event)
                    if piece.finish_reason is not None:
                        choice.finish_reason = piece.finish_reason
                        n_open -= 1
                        generations[index].cancel()
                    checked = await self._pass_output(caller, row, choice, piece)
                    if checked is not None:
                        fresh.setdefault(index, []).append(checked)
                if fresh:
                    yield _batch(run, fresh)
                if failure is not None:
                    raise failure
                if run.n_completion_token - saved >= _SAVE_EVERY:
                    saved = run.n_completion_token
                    self.service.ledger.update(row, run.n_prompt_token, saved)
            status = "done"
        except ApiError:
            status = "failed"
            raise
        finally:
            for generation in generations:
                generation.cancel()
            for index, event in inbox.rest():  # was made, so it is billed
                self._failure(run, run.choices[index], event)
            self.service.settle(
                row, reservation, run.n_prompt_token, run.n_completion_token, status
            )

    def _submit(
        self, caller: Caller, run: Run, scheduler: Scheduler, generations: list[Generation],
        inbox: Inbox[tuple[int, Event]], is_patient: bool,
    ) -> list[TextAssembler]:  # fmt: skip
        call, model = run.call, scheduler.model
        assemblers: list[TextAssembler] = []

        def listen(index: int, event: Event) -> None:
            inbox.put((index, event))

        for choice in run.choices:
            prompt = call.prompts[choice.index // call.best_of]
            sampling = call.sampling
            seed = sampling.seed + choice.index % call.best_of
            n_logprobs = sampling.n_logprobs
            if n_logprobs is None and call.best_of > call.n:
                n_logprobs = 0
            request = GenerationRequest(
                prompt=prompt,
                sampling=replace(sampling, seed=seed, n_logprobs=n_logprobs),
                stop=tuple(s.encode() for s in call.stop),
                score_prompt=call.echo and sampling.n_logprobs is not None,
                tenant=str(caller.application.application_id),
                deadline=time.monotonic() + self.service.settings.timeout_s,
            )
            assembler = TextAssembler(model.token_bytes, model.end_token, call.stop)
            if call.echo and not request.score_prompt:
                for token in prompt:
                    piece = assembler.feed(TokenEvent(token=token, is_prompt=True))
                    choice.pieces.append(piece)
            assemblers.append(assembler)
            generation = scheduler.submit(
                request, partial(listen, choice.index), flush=inbox.post.flush,
                is_patient=is_patient,
            )  # fmt: skip
            generations.append(generation)
        return assemblers

    @staticmethod
    def _failure(run: Run, choice: Choice, event: Event) -> ApiError | None:
        """Count an event; gives the error that it means."""
        if isinstance(event, BaseException):
            return _as_api_error(event)
        if not event.is_prompt and event.token >= 0:
            choice.n_generated += 1
            choice.logprob_sum += event.logprob or 0.0
            run.n_completion_token += 1
        if event.finish_reason == "deadline":
            return OverloadedError("the request was not done in time")
        return None

    async def _pass_output(
        self, caller: Caller, row: UsageRow, choice: Choice, piece: Piece
    ) -> Piece | None:
        """With an output policy, text goes on sentence by sentence, each looked at before."""
        if not caller.application.policy.output:
            return piece
        choice.held.append(piece)
        is_last = piece.finish_reason is not None
        if not (is_last or piece.text.rstrip(" \t").endswith(_SENTENCE_ENDS)):
            return None
        whole = Piece.joined(choice.held)
        choice.held = []
        text = await asyncio.to_thread(
            self.service.guard.let_pass,
            caller.application,
            "output",
            whole.text,
            request_id=row.request_id,
        )
        # The tokens would tell what was redacted.
        return whole if text == whole.text else Piece(text, (), whole.finish_reason)


def pass_prompts(
    guard: Guard, application: Application, prompts: Sequence[tuple[int, ...]],
    model: LanguageModel, request_id: str,
) -> tuple[tuple[int, ...], ...]:  # fmt: skip
    """Prompts as the policy lets them go on: redacted where it says so.

    Raises:
        ForbiddenError: One may not go on.
    """
    passed: list[tuple[int, ...]] = []
    for prompt in prompts:
        text = b"".join(map(model.token_bytes, prompt)).decode("utf-8", "replace")
        shown = guard.let_pass(application, "input", text, request_id=request_id, param="prompt")
        passed.append(prompt if shown == text else tuple(model.encode(shown)))
    return tuple(passed)


async def _drain(stream: AsyncIterator[object]) -> None:
    async with aclosing(cast("AsyncGenerator[object]", stream)) as pieces:
        async for _ in pieces:
            pass


def _batch(run: Run, fresh: dict[int, list[Piece]]) -> Batch:
    """New pieces, noted with their choices; one each, unless every token's numbers are wanted."""
    is_told_apart = run.call.sampling.n_logprobs is not None
    batch: Batch = []
    for index, pieces in fresh.items():
        choice = run.choices[index]
        told = pieces if is_told_apart else [Piece.joined(pieces)]
        choice.pieces += told
        batch += [(choice, piece) for piece in told]
    return batch


def _best(choices: Sequence[Choice], call: CompletionCall) -> list[Choice]:
    kept: list[Choice] = []
    for start in range(0, len(choices), call.best_of):
        group = sorted(
            choices[start : start + call.best_of], key=lambda c: (-c.mean_logprob, c.index)
        )
        for choice in group[: call.n]:
            choice.index = len(kept)
            kept.append(choice)
    return kept


def _as_api_error(error: BaseException) -> ApiError:
    if isinstance(error, ApiError):
        return error
    return ApiError(f"the engine failed: {type(error).__name__}")
