"""Text to token ids and back: byte-level BPE (GPT-2) and unigram, trained here or loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from kuaibao.errors import InputError, MissingExtraError
from kuaibao.files import write_text

__all__ = [
    "ByteLevelTokenizer",
    "TextTokenizer",
    "load_tokenizer",
    "train_byte_level_bpe",
]

END_OF_TEXT = "<|endoftext|>"
MAX_FILE_BYTES = 100_000_000


class TextTokenizer(Protocol):
    """Text to ids and back, without loss for byte-level vocabularies."""

    @property
    def vocab_size(self) -> int:
        """Ids run from 0 to this, exclusive."""
        ...

    @property
    def eos_id(self) -> int:
        """Ends a text."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without special tokens."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids; broken UTF-8 at the ends is replaced."""
        ...


class ByteLevelTokenizer:
    """Byte-level BPE as GPT-2's: every text can be written, Chinese included.

    Args:
        backend: A `tokenizers.Tokenizer`.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.vocab_size: int = int(backend.get_vocab_size())
        end = backend.token_to_id(END_OF_TEXT)
        self.eos_id: int = self.vocab_size - 1 if end is None else int(end)
        self._bytes = _byte_table()

    def encode(self, text: str) -> list[int]:
        """Ids of a text; what looks like a special token in it is plain text."""
        # Lone surrogates can't be encoded; they become the replacement character.
        safe = text.encode("utf-8", "replace").decode("utf-8")
        parts = safe.split(END_OF_TEXT)
        ids: list[int] = self._backend.encode(parts[0]).ids
        for part in parts[1:]:
            # The marker's own bytes, so that a prompt can't end a text.
            ids = ids + self._spelled_out() + self._backend.encode(part).ids
        return ids

    def _spelled_out(self) -> list[int]:
        half = len(END_OF_TEXT) // 2
        first, second = END_OF_TEXT[:half], END_OF_TEXT[half:]
        return self._backend.encode(first).ids + self._backend.encode(second).ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of many texts, in parallel; special tokens in them are read as such."""
        return [encoding.ids for encoding in self._backend.encode_batch(list(texts))]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids; the end of a text is left out."""
        kept = [int(i) for i in ids if i != self.eos_id]
        return b"".join(map(self.token_bytes, kept)).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for."""
        piece = self._backend.id_to_token(int(token))
        if piece is None:
            return b""
        if token == self.eos_id:
            return piece.encode()
        return bytes(self._bytes.get(c, 63) for c in piece)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `tokenizer.json`, which Hugging Face's classes read too."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        write_text(target / "tokenizer.json", self._backend.to_str())


def load_tokenizer(folder: str | os.PathLike[str]) -> ByteLevelTokenizer:
    """The tokeniser of a folder: `tokenizer.json`, or `vocab.json` with `merges.txt`.

    Raises:
        InputError: There is none, or it is damaged.
    """
    root = Path(folder)
    whole = root / "tokenizer.json"
    try:
        if whole.is_file():
            _check_size(whole)
            return ByteLevelTokenizer(_tokenizers().Tokenizer.from_file(str(whole)))
        if (root / "vocab.json").is_file() and (root / "merges.txt").is_file():
            _check_size(root / "vocab.json")
            return ByteLevelTokenizer(_from_merges(root))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{root}: the tokeniser's files are damaged ({error})") from error
    raise InputError(
        f"{root} has no tokeniser", hint="Wanted: tokenizer.json, or vocab.json and merges.txt."
    )


def train_byte_level_bpe(
    texts: Iterable[str], vocab_size: int, *, special_tokens: Sequence[str] = (END_OF_TEXT,)
) -> ByteLevelTokenizer:
    """Learn a byte-level vocabulary.

    Args:
        texts: The corpus, read once.
        vocab_size: All ids: 256 bytes, special tokens and merges.
        special_tokens: First ids; the end of a text must be among them.

    Raises:
        InputError: Too small for the bytes and the special tokens.
    """
    if vocab_size < 256 + len(special_tokens):
        raise InputError(f"vocab_size must be at least {256 + len(special_tokens)}")
    library = _tokenizers()
    backend = library.Tokenizer(library.models.BPE())
    _make_byte_level(library, backend)
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=list(special_tokens), show_progress=False,
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    backend.train_from_iterator(texts, trainer)
    return ByteLevelTokenizer(backend)


def _make_byte_level(library: Any, backend: Any) -> None:
    backend.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = library.decoders.ByteLevel()


def _from_merges(root: Path) -> Any:
    library = _tokenizers()
    model = library.models.BPE.from_file(str(root / "vocab.json"), str(root / "merges.txt"))
    backend = library.Tokenizer(model)
    _make_byte_level(library, backend)
    backend.add_special_tokens([END_OF_TEXT])
    return backend


def _check_size(path: Path) -> None:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"{path} is larger than {MAX_FILE_BYTES // 10**6} MB")


def _byte_table() -> dict[str, int]:
    """GPT-2's printable stand-in of each byte, reversed."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in plain}
    shifted = 0
    for byte in range(256):
        if byte not in plain:
            table[chr(256 + shifted)] = byte
            shifted += 1
    return table


def _tokenizers() -> Any:
    try:
        import tokenizers
    except ModuleNotFoundError as error:
        raise MissingExtraError("models", needed_for="Tokenisers") from error
    return tokenizers
