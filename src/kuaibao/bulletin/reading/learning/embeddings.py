"""Vectors of texts from a folder of static embeddings: one row a token, averaged.

The folder holds `tokenizer.json` (Hugging Face tokenizers) and `model.safetensors` with the rows as
a tensor of (tokens, dimensions): `embeddings` as model2vec writes it, beside it perhaps `weights`
(one a token) and `mapping` (token → row), or one such tensor of any name (GloVe, word2vec). Nothing
is downloaded. Read with the extra `embeddings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuaibao.bulletin.reading.learning.features import MAX_TEXT, Embed
from kuaibao.errors import InputError, MissingExtraError

__all__ = ["TextVectors", "centred", "load_vectors"]

MAX_BYTES = 4 * 1024**3
MAX_DIMENSIONS = 4_096
_N_SAMPLE = 500
Rows = NDArray[np.float32]


class TextVectors:
    """Texts as vectors of unit length.

    Args:
        tokenizer: Text → token numbers.
        rows: (rows, dimensions).
        weights: (tokens,), what each token counts.
        mapping: (tokens,), the row of each token.
    """

    def __init__(
        self, tokenizer: Any, rows: Rows, weights: Rows, mapping: NDArray[np.int64]
    ) -> None:
        self._tokenizer = tokenizer
        self._rows = rows
        self._weights = weights
        self._mapping = mapping
        self._unknown = _unknown(tokenizer)

    def __call__(self, text: str) -> tuple[float, ...]:
        """The mean of the text's known tokens at length 1; empty if it has none."""
        found = self._tokenizer.encode(text[:MAX_TEXT], add_special_tokens=False).ids
        ids = np.array([i for i in found if i != self._unknown], dtype=np.int64)
        if not ids.size:
            return ()
        mean = (self._rows[self._mapping[ids]] * self._weights[ids, None]).mean(0, dtype=np.float64)
        length = float(np.linalg.norm(mean))
        return tuple((mean / length).tolist()) if length > 1e-12 else ()


def centred(embed: Embed, texts: Iterable[str]) -> Embed:
    """Vectors less what all of an archive's texts share, at length 1.

    Means of tokens point nearly the same way whatever the text; what they share only drowns words.

    Args:
        embed: Text → vector.
        texts: Some of the archive; the first 500 that have a vector are taken.
    """
    sample = list(islice((vector for text in texts if (vector := embed(text))), _N_SAMPLE))
    if len(sample) < 2:
        return embed
    middle = np.mean(np.array(sample), axis=0)

    def apart(text: str) -> tuple[float, ...]:
        vector = embed(text)
        if not vector:
            return ()
        rest = np.array(vector) - middle
        length = float(np.linalg.norm(rest))
        return tuple((rest / length).tolist()) if length > 1e-12 else ()

    return apart


def load_vectors(folder: str | Path) -> TextVectors:
    """Read a folder of static embeddings.

    Raises:
        MissingExtraError: The extra `embeddings` is not installed.
        InputError: A file is missing, or not what it should be.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        raise MissingExtraError("embeddings", needed_for="Ranking by embeddings") from error
    folder = Path(folder)
    model, words = folder / "model.safetensors", folder / "tokenizer.json"
    for path in (model, words):
        if not path.is_file():
            raise InputError(
                f"{path} is not there",
                hint="`embeddings` names a folder with model.safetensors and tokenizer.json.",
            )
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes")
    try:
        tensors = load_file(model)
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise InputError(f"{model} cannot be read as safetensors of numbers: {error}") from error
    try:
        tokenizer: Any = Tokenizer.from_file(str(words))
    except Exception as error:  # the reader written in Rust raises bare Exceptions
        raise InputError(f"{words} is no tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return _checked(tokenizer, tensors, model)


def _checked(tokenizer: Any, tensors: dict[str, NDArray[Any]], path: Path) -> TextVectors:
    tables = [t for t in tensors.values() if t.ndim == 2 and t.dtype.kind == "f"]
    rows = tensors.get("embeddings", tables[0] if len(tables) == 1 else None)
    if rows is None or rows.ndim != 2 or not 0 < rows.shape[1] <= MAX_DIMENSIONS:
        shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in list(tensors.items())[:8])
        raise InputError(
            f"{path} holds no table of (tokens, dimensions), but {shapes or 'nothing'}"
        )
    n_token = 1 + max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
    mapping = tensors.get("mapping", np.arange(n_token)).astype(np.int64)
    weights = tensors.get("weights", np.ones(n_token)).astype(np.float32)
    for name, one in (("mapping", mapping), ("weights", weights)):
        if one.ndim != 1 or one.size < n_token:
            raise InputError(
                f"{path}: `{name}` is {one.shape}, but the tokenizer has {n_token} tokens"
            )
    if n_token and not 0 <= mapping.min() <= mapping.max() < len(rows):
        raise InputError(
            f"{path} has {len(rows)} rows, too few for the tokenizer's {n_token} tokens"
        )
    if not (np.isfinite(rows).all() and np.isfinite(weights).all()):
        raise InputError(f"{path} holds numbers that are not finite")
    return TextVectors(tokenizer, rows.astype(np.float32), weights, mapping)


def _unknown(tokenizer: Any) -> int | None:
    """The number of the token for what is in no list; None if there is none."""
    name = getattr(tokenizer.model, "unk_token", None)
    return tokenizer.token_to_id(name) if name else None
