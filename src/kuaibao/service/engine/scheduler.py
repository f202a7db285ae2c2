"""Continuous batching: sequences join and leave the batch at every step.

One thread owns the model. Each turn admits waiting sequences into free slots as long as the token
budget lasts, reads one prompt, and then appends one token to every running sequence. A sequence's
numbers and draws never depend on its neighbours.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kuaibao.service.engine.model import LanguageModel
from kuaibao.service.engine.prefixes import PrefixCache
from kuaibao.service.engine.queues import FairQueue
from kuaibao.service.engine.request import FinishReason, GenerationRequest, TokenEvent
from kuaibao.service.engine.sampling import choose_token, log_softmax, top_logprobs
from kuaibao.service.errors import InvalidRequestError, OverloadedError

__all__ = ["EngineStats", "Generation", "Scheduler"]

GATHER_S = 1 / 30
"""Tokens that follow each other within a thirtieth of a second go to their clients together, as a
film's pictures do: to wake the event loop and to send cost more than a small model needs for a
token. First and last never wait."""

Listener = Callable[[TokenEvent | BaseException], None]
Flush = Callable[[], None]


@dataclass(eq=False)
class Generation:
    """A sequence on its way; `cancel` may be called from any thread."""

    request: GenerationRequest
    listener: Listener
    flush: Flush | None = None
    is_patient: bool = False
    slot: int = -1
    n_generated: int = 0
    text: bytearray = field(default_factory=bytearray)
    counts: Counter[int] = field(default_factory=Counter[int])
    submitted_at: float = field(default_factory=time.monotonic)
    first_token_at: float = 0.0
    is_cancelled: bool = False

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(self.request.sampling.seed)

    @property
    def n_token(self) -> int:
        """Positions that it may come to hold: what admission counts."""
        return len(self.request.prompt) + self.request.sampling.max_tokens

    def cancel(self) -> None:
        """Leave the batch at the next step; the client is gone."""
        self.is_cancelled = True


@dataclass
class EngineStats:
    """Counters since the start, for the metrics page."""

    n_prompt_token: int = 0
    n_cached_token: int = 0
    """Of the prompts' tokens those that were not read again."""
    n_generated_token: int = 0
    n_step: int = 0
    n_finished: int = 0
    n_cancelled: int = 0
    first_token_s: list[float] = field(default_factory=list[float])
    """Time to the first token of the latest 1,000 sequences."""
    token_s: list[float] = field(default_factory=list[float])
    """Mean time of a token after the first, of the latest 1,000 sequences."""


class Scheduler:
    """Runs a model for many sequences at once.

    Args:
        model: The model; only the scheduler's thread calls it once `start` ran.
        max_waiting: Sequences that may wait before `OverloadedError`.
        max_tokens_held: Positions that running sequences may hold together (admission by memory).
    """

    def __init__(
        self, model: LanguageModel, *, max_waiting: int = 256, max_tokens_held: int | None = None
    ) -> None:
        self.model = model
        self.max_waiting = max_waiting
        self.max_tokens_held = max_tokens_held or model.n_slot * model.n_context
        self.stats = EngineStats()
        self._waiting: FairQueue[Generation] = FairQueue()
        self._running: dict[int, Generation] = {}
        self._last_token: dict[int, int] = {}
        self._free = deque(range(model.n_slot))
        self._prefixes = PrefixCache()
        self._unflushed: set[Flush] = set()
        self._is_urgent = False
        self._flushed_at = 0.0
        self._wake = threading.Condition()
        self._closing = False
        self._calls: list[tuple[Callable[[], None], threading.Event]] = []
        self._thread = threading.Thread(target=self._run, name=f"engine-{model.name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self, *, timeout_s: float = 30.0) -> None:
        """Finish what runs, refuse what waits, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def n_waiting(self) -> int:
        """Sequences in the queue."""
        return len(self._waiting)

    @property
    def n_running(self) -> int:
        """Sequences in the batch."""
        return len(self._running)

    def submit(
        self,
        request: GenerationRequest,
        listener: Listener,
        *,
        flush: Flush | None = None,
        is_patient: bool = False,
    ) -> Generation:
        """Queue a sequence.

        Args:
            request: What is wanted.
            listener: Hears each event, from the engine's thread.
            flush: Called once after a turn in which the listener heard something; equal ones of
                several sequences once for all of them.
            is_patient: Whether `flush` is called after the last event only.

        Raises:
            InvalidRequestError: Prompt and completion do not fit the context.
            OverloadedError: The queue is full, or the service is stopping.
        """
        generation = Generation(request, listener, flush, is_patient)
        if not request.prompt:
            raise InvalidRequestError("the prompt has no token", param="prompt")
        if generation.n_token > self.model.n_context:
            raise InvalidRequestError(
                f"This model's maximum context length is {self.model.n_context} tokens, however "
                f"you requested {generation.n_token} tokens ({len(request.prompt)} in your prompt; "
                f"{request.sampling.max_tokens} for the completion). Please reduce your prompt or "
                "completion length.",
                param="max_tokens",
                code="context_length_exceeded",
            )
        with self._wake:
            if self._closing:
                raise OverloadedError("the service is shutting down")
            if len(self._waiting) >= self.max_waiting:
                raise OverloadedError(f"{len(self._waiting)} requests are waiting already")
            self._waiting.put(request.tenant, generation)
            self._wake.notify_all()
        return generation

    def call(self, function: Callable[[], None], *, timeout_s: float = 60.0) -> None:
        """Run a function in the engine's thread, between two steps (embeddings, unloading)."""
        done = threading.Event()
        with self._wake:
            self._calls.append((function, done))
            self._wake.notify_all()
        if not done.wait(timeout_s):
            raise OverloadedError("the engine did not answer in time")

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._waiting or self._running or self._calls or self._closing):
                    self._wake.wait()
                if self._closing and not self._running:
                    self._refuse_all()
                    return
                calls, self._calls = self._calls, []
                admitted = [] if self._closing else self._admit()
            if calls or admitted:
                self._flush()  # these may take their time
            for function, done in calls:
                # The caller sees that nothing came back; the engine goes on.
                with contextlib.suppress(Exception):
                    function()
                done.set()
            for generation in admitted:
                self._guarded(generation, self._prefill)
                self._flush()
            if self._running:
                self._step()
            if self._is_urgent or time.monotonic() - self._flushed_at >= GATHER_S:
                self._flush()

    def _refuse_all(self) -> None:
        while self._waiting:
            self._tell(self._waiting.get(), OverloadedError("the service is shutting down"))
        self._flush()

    def _tell(self, generation: Generation, event: TokenEvent | BaseException) -> None:
        generation.listener(event)
        is_last = isinstance(event, BaseException) or event.finish_reason is not None
        if generation.flush is not None and (is_last or not generation.is_patient):
            self._unflushed.add(generation.flush)
        self._is_urgent = self._is_urgent or is_last

    def _flush(self) -> None:
        self._is_urgent = False
        if self._unflushed:
            self._flushed_at = time.monotonic()
        while self._unflushed:
            self._unflushed.pop()()

    def _admit(self) -> list[Generation]:
        """Those whose turn it is and who fit; called with the lock held."""
        admitted: list[Generation] = []
        held = sum(g.n_token for g in self._running.values())
        while self._waiting and self._free:
            generation = self._waiting.peek()
            alone = not self._running and not admitted
            if held + generation.n_token > self.max_tokens_held and not alone:
                break
            self._waiting.get()
            if self._is_over(generation):
                continue
            # The slot that has been free for longest: others keep their content a while yet.
            generation.slot = self._free.popleft()
            held += generation.n_token
            admitted.append(generation)
        return admitted

    def _is_over(self, generation: Generation) -> bool:
        deadline = generation.request.deadline
        if generation.is_cancelled:
            self._finish(generation, "cancelled")
        elif deadline is not None and time.monotonic() > deadline:
            self._finish(generation, "deadline")
        else:
            return False
        return True

    def _guarded(self, generation: Generation, action: Callable[[Generation], None]) -> None:
        """One sequence's fault is its own: the others go on."""
        try:
            action(generation)
        except Exception as error:
            self._leave(generation, is_whole=False)
            self._tell(generation, error)

    def _prefill(self, generation: Generation) -> None:
        request = generation.request
        n_shared = self._fill_shared(generation)
        logits = self.model.prefill(
            generation.slot, request.prompt[n_shared:], all_positions=request.score_prompt
        )
        self._prefixes.begin(generation.slot, request.tenant, request.prompt)
        self.stats.n_prompt_token += len(request.prompt)
        self.stats.n_cached_token += n_shared
        self._running[generation.slot] = generation
        if request.score_prompt:
            self._report_prompt(generation, logits)
        if request.sampling.max_tokens == 0:
            self._finish(generation, "length")
        else:
            self._take(generation, logits[-1])

    def _fill_shared(self, generation: Generation) -> int:
        """Begin with what another slot holds of the prompt; gives how many tokens that was."""
        request, slot = generation.request, generation.slot
        # A prompt that is scored needs the numbers of all its positions.
        shared = (
            None if request.score_prompt else self._prefixes.find(request.tenant, request.prompt)
        )
        if shared is None or shared.slot != slot:
            self.model.release(slot)
        self._prefixes.forget(slot)
        if shared is None:
            return 0
        self.model.copy(shared.slot, slot, shared.n_token)
        return shared.n_token

    def _report_prompt(self, generation: Generation, logits: NDArray[np.float32]) -> None:
        prompt, n = generation.request.prompt, generation.request.sampling.n_logprobs or 0
        self._tell(generation, TokenEvent(token=prompt[0], is_prompt=True))
        for i, token in enumerate(prompt[1:]):
            logprobs = log_softmax(logits[i])
            logprob, top = float(logprobs[token]), top_logprobs(logprobs, n)
            self._tell(
                generation, TokenEvent(token=token, is_prompt=True, logprob=logprob, top=top)
            )

    def _step(self) -> None:
        for generation in list(self._running.values()):
            self._is_over(generation)
        slots = sorted(self._running)
        if not slots:
            return
        try:
            logits = self.model.step(slots, [self._last_token[s] for s in slots])
            for slot in slots:
                self._prefixes.append(slot, self._last_token[slot])
        except Exception as error:
            for slot in slots:
                generation = self._running[slot]
                self._leave(generation, is_whole=False)
                self._tell(generation, error)
            return
        self.stats.n_step += 1
        for row, slot in enumerate(slots):
            generation = self._running[slot]
            self._guarded(generation, lambda g, row=row: self._take(g, logits[row]))

    def _take(self, generation: Generation, logits: NDArray[np.float32]) -> None:
        sampling = generation.request.sampling
        token = choose_token(logits, sampling, generation.counts, generation.generator)
        logprob, top = None, ()
        if sampling.n_logprobs is not None:
            logprobs = log_softmax(logits)
            logprob, top = float(logprobs[token]), top_logprobs(logprobs, sampling.n_logprobs)
        generation.counts[token] += 1
        generation.n_generated += 1
        self.stats.n_generated_token += 1
        self._last_token[generation.slot] = token
        if generation.n_generated == 1:
            generation.first_token_at = time.monotonic()
            waited = generation.first_token_at - generation.submitted_at
            self.stats.first_token_s = [*self.stats.first_token_s[-999:], waited]
        reason = self._reason_to_stop(generation, token)
        event = TokenEvent(token=token, logprob=logprob, top=top, finish_reason=reason)
        self._tell(generation, event)
        if reason is not None:
            self._leave(generation)
            self.stats.n_finished += 1
            if generation.n_generated > 1:
                passed = time.monotonic() - generation.first_token_at
                mean = passed / (generation.n_generated - 1)
                self.stats.token_s = [*self.stats.token_s[-999:], mean]

    def _reason_to_stop(self, generation: Generation, token: int) -> FinishReason | None:
        if token == self.model.end_token:
            return "stop"
        if generation.request.stop:
            longest = max(len(s) for s in generation.request.stop)
            start = max(0, len(generation.text) - longest)
            generation.text += self.model.token_bytes(token)
            if any(generation.text.find(s, start) >= 0 for s in generation.request.stop):
                return "stop"
        if generation.n_generated >= generation.request.sampling.max_tokens:
            return "length"
        return None

    def _finish(self, generation: Generation, reason: FinishReason) -> None:
        """End without another token."""
        self._leave(generation)
        if reason == "cancelled":
            self.stats.n_cancelled += 1
        else:
            self.stats.n_finished += 1
        self._tell(generation, TokenEvent(token=-1, finish_reason=reason))

    def _leave(self, generation: Generation, *, is_whole: bool = True) -> None:
        """Free the slot; its cache stays for prompts that begin alike, unless it is in doubt."""
        slot = generation.slot
        if slot < 0:
            return
        self._running.pop(slot, None)
        self._last_token.pop(slot, None)
        if not is_whole:
            self.model.release(slot)
            self._prefixes.forget(slot)
        self._free.append(slot)
        generation.slot = -1
