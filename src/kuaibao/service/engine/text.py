"""From token events to text: bytes joined to characters, stop strings cut off, offsets kept."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kuaibao.service.engine.request import FinishReason, TokenEvent

__all__ = ["Piece", "TextAssembler", "token_name"]


@dataclass(frozen=True)
class PlacedToken:
    """A token and where its text begins."""

    event: TokenEvent
    text: str
    offset: int
    """Characters before it, prompt included when it is echoed."""


@dataclass(frozen=True)
class Piece:
    """Text that may be sent, with the tokens it came from."""

    text: str = ""
    tokens: tuple[PlacedToken, ...] = ()
    finish_reason: FinishReason | None = None

    @classmethod
    def joined(cls, pieces: Sequence[Piece]) -> Piece:
        """Pieces that follow each other as one."""
        if len(pieces) == 1:
            return pieces[0]
        text = "".join(piece.text for piece in pieces)
        tokens = tuple(token for piece in pieces for token in piece.tokens)
        return cls(text, tokens, pieces[-1].finish_reason)


@dataclass
class TextAssembler:
    """One for each sequence: feed it events in order, send the pieces it gives.

    Text that may be the beginning of a stop string is held back until that is decided.
    """

    token_bytes: Callable[[int], bytes]
    end_token: int
    stop: Sequence[str] = ()
    offset: int = 0
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
    _held: list[PlacedToken] = field(default_factory=list[PlacedToken])

    def feed(self, event: TokenEvent) -> Piece:
        """The text that this event sets free."""
        is_last = event.finish_reason is not None
        if event.token >= 0 and not (event.token == self.end_token and is_last):
            self._hold(event, self._decoder.decode(self.token_bytes(event.token), final=False))
        if is_last:
            self._flush_bytes()
        if event.is_prompt or not self.stop:
            return self._release(len(self._held), event.finish_reason)
        pending = "".join(t.text for t in self._held)
        cut = min((i for s in self.stop if (i := pending.find(s)) >= 0), default=-1)
        if cut >= 0:
            return self._cut(pending, cut)
        if is_last:
            return self._release(len(self._held), event.finish_reason)
        return self._release(self._n_free(pending), None)

    def _hold(self, event: TokenEvent, text: str) -> None:
        self._held.append(PlacedToken(event, text, self.offset))
        self.offset += len(text)

    def _flush_bytes(self) -> None:
        rest = self._decoder.decode(b"", final=True)
        if rest and self._held:
            last = self._held[-1]
            self._held[-1] = PlacedToken(last.event, last.text + rest, last.offset)
            self.offset += len(rest)

    def _n_free(self, pending: str) -> int:
        """How many held tokens lie before anything that may become a stop string."""
        keep = max(
            (n for s in self.stop for n in range(1, len(s)) if pending.endswith(s[:n])), default=0
        )
        limit, used = len(pending) - keep, 0
        for n, token in enumerate(self._held):
            used += len(token.text)
            if used > limit:
                return n
        return len(self._held)

    def _release(self, n: int, reason: FinishReason | None) -> Piece:
        tokens, self._held = tuple(self._held[:n]), self._held[n:]
        return Piece("".join(t.text for t in tokens), tokens, reason)

    def _cut(self, pending: str, cut: int) -> Piece:
        start = self._held[0].offset
        tokens = tuple(t for t in self._held if t.offset < start + cut)
        self._held = []
        return Piece(pending[:cut], tokens, "stop")


def token_name(token_bytes: bytes) -> str:
    """How a token is written in log-probabilities: its text, or `bytes:` and hexadecimal."""
    try:
        return token_bytes.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{b:02x}" for b in token_bytes)
