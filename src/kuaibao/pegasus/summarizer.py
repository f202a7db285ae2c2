"""A model that writes summaries: a checkpoint's folder or hub id, its preset, its beams."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from kuaibao.errors import InputError, MissingExtraError
from kuaibao.pegasus.presets import find_preset
from kuaibao.text import sentence_texts

__all__ = ["Decoding", "LongDocuments", "PegasusSummarizer", "load_summarizer"]

LongDocuments = Literal["extract", "chunks", "extrapolate", "truncate"]

MAX_UNKNOWN = 0.1
"""A text with a larger share of unknown tokens is in a language that the model does not know."""
_SAMPLE = 4_000

MODEL_VARIABLE = "KUAIBAO_SUMMARIZER"
"""Names the model that the entry point `pegasus` loads where no setting does."""


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How summaries are searched for."""

    num_beams: int = 8
    length_penalty: float = 0.8
    """A beam's log-probability is divided by its length to this power."""
    max_input: int = 512
    """Tokens that are read at once."""
    max_target: int = 128
    """Tokens of a summary, start and end included."""
    no_repeat_ngram: int = 0
    """No run of so many tokens twice; 0 for no such ban."""
    long_documents: LongDocuments = "extract"
    """What happens to a text beyond `max_input`: see `kuaibao.pegasus.long_documents`."""
    batch_size: int = 8


class PegasusSummarizer:
    """Writes summaries in its own words; fits the bulletin's `Summarizer`.

    Args:
        model: An `EncoderDecoder`.
        tokenizer: Its vocabulary.
        decoding: How it searches.
        name: How reports call it.
    """

    def __init__(self, model: Any, tokenizer: Any, decoding: Decoding, *, name: str) -> None:
        self.model, self.tokenizer, self.decoding, self.name = model, tokenizer, decoding, name

    def write(
        self, documents: Sequence[str], *, on_done: Callable[[int], None] = lambda done: None
    ) -> list[str]:
        """One summary for each document; an empty one for a document without text.

        Args:
            documents: Texts of any length.
            on_done: Told how many are done.
        """
        from kuaibao.pegasus.long_documents import write_long

        fits = [i for i, text in enumerate(documents) if self.count_tokens(text) <= self.limit]
        written = dict(zip(fits, self.write_short([documents[i] for i in fits]), strict=True))
        on_done(len(written))
        for i, document in enumerate(documents):
            if i not in written:
                written[i] = write_long(self, document, self.decoding.long_documents)
                on_done(len(written))
        return [written[i] for i in range(len(documents))]

    def summarize(self, document: str, *, n_sentence: int, language: str) -> list[str]:
        """At most `n_sentence` sentences of one summary; none of a text that it can't read."""
        if not self.can_read(document):
            return []
        (summary,) = self.write([document])
        return sentence_texts(summary)[:n_sentence]

    def can_read(self, document: str) -> bool:
        """Whether the vocabulary has the text's words: an English one has no Chinese."""
        ids = self.tokenizer.encode(document[:_SAMPLE])
        return ids.count(self.tokenizer.unknown_id) <= MAX_UNKNOWN * len(ids)

    @property
    def limit(self) -> int:
        """Tokens of the longest text that is read whole."""
        return self.decoding.max_input

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, the end included; an upper bound saves counting short texts."""
        if len(text) < self.limit:
            return len(text)
        return len(self.tokenizer.encode(text))

    def write_short(self, documents: Sequence[str], *, max_input: int = 0) -> list[str]:
        """Summaries of documents that fit; what is longer than `max_input` loses its tail."""
        longest = max_input or self.limit
        rows = [self.tokenizer.encode(text, max_length=longest) for text in documents]
        order = sorted(
            (i for i, row in enumerate(rows) if len(row) > 1), key=lambda i: len(rows[i])
        )
        written = [""] * len(rows)
        for start in range(0, len(order), self.decoding.batch_size):
            batch = order[start : start + self.decoding.batch_size]
            for i, text in zip(batch, self._search([rows[i] for i in batch]), strict=True):
                written[i] = text
        return written

    def _search(self, rows: list[list[int]]) -> list[str]:
        own = self.decoding
        settings: dict[str, Any] = {"max_new_tokens": own.max_target - 1}
        if own.no_repeat_ngram:
            settings["no_repeat_ngram_size"] = own.no_repeat_ngram
        if own.num_beams > 1:
            settings |= {"num_beams": own.num_beams, "length_penalty": own.length_penalty}
        found = self.model.generate(rows, **settings)
        return [self.tokenizer.decode(best[0].tokens) for best in found]


def load_summarizer(
    folder_or_id: str | os.PathLike[str], *, preset: str = "", **decoding: Any
) -> PegasusSummarizer:
    """A summariser from a folder or a hub id.

    What decodes best is taken from, the later before the earlier: the checkpoint's own
    configuration, `preset`, `decoding`.

    Args:
        folder_or_id: A folder with weights and vocabulary, or `owner/name`.
        preset: A data set of the paper (`xsum`, `cnn_dailymail`, …).
        decoding: Fields of `Decoding`.

    Raises:
        InputError: No such model or preset, or settings out of range.
        MissingExtraError: torch is not installed.
    """
    try:
        from kuaibao.transformer import load_pretrained, model_folder
    except ModuleNotFoundError as error:
        raise MissingExtraError("models", needed_for="A summarising model") from error
    from kuaibao.pegasus.tokenizer import load_tokenizer

    folder = model_folder(folder_or_id)
    model = load_pretrained(folder)
    if not model.config.is_encoder_decoder:
        raise InputError(
            f"{folder_or_id} is no summarising model", hint="An encoder-decoder is wanted: PEGASUS."
        )
    settings = _own_decoding(folder, model.config.n_positions)
    if preset:
        own = find_preset(preset)
        settings = replace(
            settings, num_beams=own.num_beams, length_penalty=own.length_penalty,
            max_input=min(own.max_input, model.config.n_positions), max_target=own.max_target,
        )  # fmt: skip
    settings = replace(settings, **{k: v for k, v in decoding.items() if v is not None})
    _check(settings)
    return PegasusSummarizer(model, load_tokenizer(folder), settings, name=str(folder_or_id))


def _own_decoding(folder: Path, n_positions: int) -> Decoding:
    """What the checkpoint's own files say; published ones keep it in `config.json`."""
    values: dict[str, Any] = {}
    for name in ("config.json", "generation_config.json"):
        path = folder / name
        if path.is_file() and path.stat().st_size < 1_000_000:
            try:
                read = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise InputError(f"{path} is no JSON: {error}") from error
            values |= read if isinstance(read, dict) else {}
    try:
        return Decoding(
            num_beams=int(values.get("num_beams") or 8),
            length_penalty=float(values.get("length_penalty") or 0.8),
            max_input=n_positions,
            max_target=int(values.get("max_length") or 128),
            no_repeat_ngram=int(values.get("no_repeat_ngram_size") or 0),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{folder}: its generation settings are wrong ({error})") from error


def _check(decoding: Decoding) -> None:
    if not 1 <= decoding.num_beams <= 64:
        raise InputError(f"beams lie from 1 to 64, got {decoding.num_beams}")
    for name in ("max_input", "max_target"):
        if getattr(decoding, name) < 2:
            raise InputError(f"{name} must be at least 2, got {getattr(decoding, name)}")
    if decoding.long_documents not in ("extract", "chunks", "extrapolate", "truncate"):
        raise InputError(
            f"no way '{decoding.long_documents}' for long documents",
            hint="Known: extract, chunks, extrapolate, truncate.",
        )


def configured_summarizer(model: str = "") -> PegasusSummarizer:
    """What the bulletin's entry point `pegasus` loads: `[writing] model`, or `KUAIBAO_SUMMARIZER`.

    Raises:
        InputError: Neither is set, or it is no model.
    """
    chosen = model or os.environ.get(MODEL_VARIABLE, "")
    if not chosen:
        raise InputError(
            "the summariser 'pegasus' needs a model",
            hint=f"Set [writing] model in bulletin.toml, or {MODEL_VARIABLE}, to a folder.",
        )
    return load_summarizer(chosen)
