"""PEGASUS's vocabulary: SentencePiece unigram behind reserved ids, or a Chinese WordPiece.

Published layout (Hugging Face): id 0 pad, 1 end, 2 sentence mask, 3 word mask, 4 to 104 reserved;
the piece i of `spiece.model` is id i + 103, where pieces 0 to 2 are pad, end and unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from kuaibao.errors import InputError, MissingExtraError
from kuaibao.files import write_bytes, write_json, write_text
from kuaibao.pegasus.masking import SENTENCE_MASK, WORD_MASK
from kuaibao.text import has_han

__all__ = ["PegasusTokenizer", "Tokenizer", "load_tokenizer", "train_tokenizer"]

OFFSET = 103
PAD_ID, END_ID, SENTENCE_MASK_ID, WORD_MASK_ID = 0, 1, 2, 3
UNKNOWN_ID = OFFSET + 2
_MASKS = re.compile(f"({re.escape(SENTENCE_MASK)}|{re.escape(WORD_MASK)})")
_MASK_IDS = {SENTENCE_MASK: SENTENCE_MASK_ID, WORD_MASK: WORD_MASK_ID}
NEWLINE = "<n>"
"""How the released model spells a line break (its tokeniser keeps them)."""


class Tokenizer(Protocol):
    """Text to ids and back."""

    vocab_size: int
    pad_id: int
    end_id: int
    unknown_id: int

    def encode(self, text: str, *, max_length: int | None = None) -> list[int]:
        """Ids with the end id; cut so that the end still stands."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids up to the end id, without special tokens."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `load_tokenizer` reads."""
        ...


class PegasusTokenizer:
    """`spiece.model` behind the reserved ids."""

    pad_id = PAD_ID
    end_id = END_ID
    sentence_mask_id = SENTENCE_MASK_ID
    word_mask_id = WORD_MASK_ID
    unknown_id = UNKNOWN_ID

    def __init__(self, model: bytes) -> None:
        """Read a SentencePiece model.

        Raises:
            InputError: It is none.
        """
        self._bytes = model
        self._pieces: Any = _sentencepiece().SentencePieceProcessor()
        try:
            self._pieces.LoadFromSerializedProto(model)
        except RuntimeError as error:
            raise InputError("spiece.model is no SentencePiece model") from error
        self.vocab_size: int = self._pieces.GetPieceSize() + OFFSET
        self._has_newline = self._pieces.PieceToId(NEWLINE) != self._pieces.unk_id()

    def encode(self, text: str, *, max_length: int | None = None) -> list[int]:
        """Ids with the end id; mask tokens in the text are special.

        Args:
            text: Any text.
            max_length: With the end id; longer texts lose their tail.
        """
        if self._has_newline:
            text = text.replace("\n", NEWLINE)
        ids: list[int] = []
        for part in _MASKS.split(text):
            if part in _MASK_IDS:
                ids.append(_MASK_IDS[part])
            elif part.strip():
                ids.extend(piece + OFFSET for piece in self._pieces.EncodeAsIds(part))
        return [*(ids if max_length is None else ids[: max(0, max_length - 1)]), END_ID]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Ids of each text, the end not counted."""
        return [len(ids) for ids in self._pieces.EncodeAsIds(list(texts))]

    def starts_word(self, token: int) -> bool:
        """Whether an id begins a word: after a blank, or with a Chinese character."""
        if token < OFFSET:
            return True
        piece = str(self._pieces.IdToPiece(token - OFFSET))
        return piece.startswith("▁") or has_han(piece[:1])

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids up to the end id, without special tokens."""
        kept: list[int] = []
        for token in ids:
            if token == END_ID:
                break
            if OFFSET + 2 < token < self.vocab_size:
                kept.append(int(token) - OFFSET)
        return str(self._pieces.DecodeIds(kept)).replace(NEWLINE, "\n").strip()

    def save(self, folder: Path) -> None:
        """Write `spiece.model` and the settings that Hugging Face reads beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / "spiece.model", self._bytes)
        write_json(
            folder / "tokenizer_config.json",
            {"tokenizer_class": "PegasusTokenizer", "offset": OFFSET, "pad_token": "<pad>",
             "eos_token": "</s>", "mask_token": WORD_MASK, "mask_token_sent": SENTENCE_MASK},
        )  # fmt: skip


class ChineseTokenizer:
    """A `vocab.txt` as of Randeng-Pegasus (jieba's words, then WordPiece) or UER's (BERT's)."""

    def __init__(self, folder: Path) -> None:
        """Read `vocab.txt` and, where it stands, `config.json`."""
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        self._ids = {piece: i for i, piece in enumerate(lines)}
        self._vocabulary = lines
        self._config = _json_object(folder / "tokenizer_config.json")
        self.vocab_size = len(lines)
        config = _json_object(folder / "config.json")
        self.pad_id = int(config.get("pad_token_id") or self._first("<pad>", "[PAD]"))
        self.end_id = int(config.get("eos_token_id") or self._first("</s>", "[SEP]"))
        self._start = self._ids.get("[CLS]") if "</s>" not in self._ids else None
        self.unknown_id = self._first("<unk>", "[UNK]")
        self._by_words = "</s>" in self._ids
        # BERT's own tokeniser lower-cases unless told otherwise, Randeng's does not.
        lowercase = bool(self._config.get("do_lower_case", not self._by_words))
        self._word_pieces: Any = _word_pieces(self._ids, lines[self.unknown_id], lowercase)
        self._special = {
            i for piece, i in self._ids.items() if re.fullmatch(r"[<\[].+[>\]]", piece)
        }

    def _first(self, *names: str) -> int:
        return next((self._ids[name] for name in names if name in self._ids), 0)

    def encode(self, text: str, *, max_length: int | None = None) -> list[int]:
        """Ids with the end id; longer texts lose their tail."""
        ids: list[int] = [] if self._start is None else [self._start]
        for word in _segment(text) if self._by_words else [text]:
            if word in self._ids:
                ids.append(self._ids[word])
            else:
                ids.extend(self._word_pieces.encode(word, add_special_tokens=False).ids)
        return [*(ids if max_length is None else ids[: max(0, max_length - 1)]), self.end_id]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids up to the end id, blanks only between Latin words."""
        pieces: list[str] = []
        for token in ids:
            if token == self.end_id and pieces:
                break
            if token not in self._special and 0 <= token < self.vocab_size:
                pieces.append(self._vocabulary[token])
        text = ""
        for piece in pieces:
            if piece.startswith("##"):
                text += piece[2:]
            elif text and text[-1].isascii() and text[-1].isalnum() and piece[:1].isascii():
                text += (" " if piece[:1].isalnum() else "") + piece
            else:
                text += piece
        return text

    def save(self, folder: Path) -> None:
        """Write `vocab.txt` and the settings that stood beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "vocab.txt", "\n".join(self._vocabulary) + "\n")
        if self._config:
            write_json(folder / "tokenizer_config.json", self._config)


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokeniser of a checkpoint's folder.

    Raises:
        InputError: It holds neither `spiece.model` nor `vocab.txt`.
    """
    if (folder / "spiece.model").is_file():
        return PegasusTokenizer((folder / "spiece.model").read_bytes())
    if (folder / "vocab.txt").is_file():
        return ChineseTokenizer(folder)
    raise InputError(f"{folder} has no tokeniser", hint="Wanted: spiece.model or vocab.txt.")


def train_tokenizer(
    texts: Iterable[str], *, vocab_size: int, character_coverage: float = 0.9995
) -> PegasusTokenizer:
    """Train a unigram model whose ids follow the published layout.

    Args:
        texts: The corpus; read once.
        vocab_size: All ids, reserved ones included; little text gives fewer.
        character_coverage: 0.9995 for Chinese, 1.0 for alphabets.

    Raises:
        InputError: The corpus is too small for so many pieces.
    """
    import io

    written = io.BytesIO()
    lines = (line for text in texts for line in text.replace("\0", " ").split("\n") if line.strip())
    try:
        _sentencepiece().SentencePieceTrainer.train(
            sentence_iterator=lines, model_writer=written, model_type="unigram",
            vocab_size=vocab_size - OFFSET, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
            character_coverage=character_coverage, user_defined_symbols=[NEWLINE],
            input_sentence_size=500_000, shuffle_input_sentence=False, minloglevel=2,
            num_threads=2, max_sentence_length=16_384, hard_vocab_limit=False,
        )  # fmt: skip
    except RuntimeError as error:
        raise InputError(
            f"no vocabulary of {vocab_size} ids can be made of this text: {error}",
            hint="Give more text, or a smaller vocab_size.",
        ) from error
    return PegasusTokenizer(written.getvalue())


def _segment(text: str) -> list[str]:
    import rjieba

    return list(rjieba.cut(text, hmm=False))


def _word_pieces(vocabulary: dict[str, int], unknown: str, lowercase: bool) -> Any:
    try:
        import tokenizers
    except ModuleNotFoundError as error:
        raise MissingExtraError("models", needed_for="A Chinese PEGASUS") from error
    # Not BertWordPieceTokenizer, which insists on a [SEP] that Randeng's vocabulary lacks.
    pieces = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token=unknown))
    pieces.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase)
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return pieces


def _sentencepiece() -> Any:
    try:
        import sentencepiece
    except ModuleNotFoundError as error:
        raise MissingExtraError("models", needed_for="PEGASUS") from error
    return sentencepiece


def _json_object(path: Path) -> dict[str, Any]:
    if not path.is_file() or path.stat().st_size > 1_000_000:
        return {}
    value = json.loads(path.read_text(encoding="utf-8"))
    return value if isinstance(value, dict) else {}
