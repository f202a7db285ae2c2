"""Text as tokens on disk: read once, packed, memory-mapped, made anew only if something changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.files import atomic_path, hash_value, write_json
from kuaibao.transformer.tokenizers import (
    ByteLevelTokenizer,
    load_tokenizer,
    train_byte_level_bpe,
)

__all__ = ["TokenCorpus", "iterate_documents", "prepare_corpus"]

SUFFIXES = (".txt", ".md", ".rst", ".jsonl", ".py", ".html")
MAX_FILE_BYTES = 2_000_000_000
_BATCH = 256
_TEXT_FIELDS = ("text", "document", "content", "paragraphs")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TokenCorpus:
    """Token streams of training and held-out documents, each ended by the end token."""

    train: NDArray[Any]
    validation: NDArray[Any]
    n_validation_byte: int
    """UTF-8 bytes of the held-out text, for bits per byte."""
    tokenizer: ByteLevelTokenizer


def iterate_documents(paths: Sequence[Path]) -> Iterator[str]:
    """Texts of files and folders: plain files whole, JSON lines one by one.

    Raises:
        InputError: A path does not exist, or a line is no JSON.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"the corpus {path} does not exist")
        files = (
            sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else [path]
        )
        for file in files:
            if file.stat().st_size > MAX_FILE_BYTES:
                raise InputError(f"{file} is larger than {MAX_FILE_BYTES // 10**9} GB")
            if file.suffix == ".jsonl":
                yield from _lines(file)
            else:
                yield file.read_text(encoding="utf-8", errors="replace")


def _lines(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row: Any = json.loads(line)
            except ValueError as error:
                raise InputError(f"{file}:{number}: not JSON: {error}") from error
            value = row if isinstance(row, str) else _text_of(row)
            if value:
                yield value


def _text_of(row: Any) -> str:
    if not isinstance(row, dict):
        return ""
    value = next((row[name] for name in _TEXT_FIELDS if name in row), "")
    text = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{row['summary']}\n{text}" if "summary" in row and "document" in row else text


def prepare_corpus(
    paths: Sequence[Path], cache: Path, *, vocab_size: int, tokenizer: str = "",
    validation_share: float = 0.02, max_bytes: int = 0,
    progress: Progress = lambda what, done, total: None,
) -> TokenCorpus:  # fmt: skip
    """Tokenise a corpus into `cache`, or open what lies there if it was made from the same.

    Args:
        paths: Files and folders.
        cache: Where shards and the manifest go.
        vocab_size: Of the tokeniser that is trained on the corpus.
        tokenizer: A folder with a tokeniser, in place of training one.
        validation_share: Of the documents, chosen by a hash of their text.
        max_bytes: Read at most so much; 0 for all.
        progress: Told what is done.

    Raises:
        InputError: No text, or a file that can't be read.
    """
    key = hash_value(
        [[_stamp(p) for p in paths], vocab_size, tokenizer, validation_share, max_bytes, 1]
    )
    manifest = cache / "manifest.json"
    if manifest.is_file() and json.loads(manifest.read_text(encoding="utf-8")).get("key") == key:
        return _open(cache, manifest)
    cache.mkdir(parents=True, exist_ok=True)
    manifest.unlink(missing_ok=True)
    progress("Training the tokeniser", 0, 0)
    texts = list(_bounded(iterate_documents(paths), max_bytes))
    if not texts:
        raise InputError("the corpus holds no text")
    words = load_tokenizer(tokenizer) if tokenizer else train_byte_level_bpe(texts, vocab_size)
    words.save(cache)
    is_held_out = [_is_held_out(text, validation_share) for text in texts]
    if len(texts) > 1 and not any(is_held_out):
        is_held_out[-1] = True
    counts: dict[str, int] = {}
    for name, wanted in (("train", False), ("validation", True)):
        part = [t for t, held in zip(texts, is_held_out, strict=True) if held == wanted]
        counts[name] = _write_shard(cache / f"{name}.npy", part, words, progress)
    n_byte = sum(len(t.encode()) for t, held in zip(texts, is_held_out, strict=True) if held)
    write_json(manifest, {"key": key, "tokens": counts, "validation_bytes": n_byte})
    return _open(cache, manifest)


def _stamp(path: Path) -> list[Any]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in files if f.is_file()]


def _bounded(texts: Iterator[str], max_bytes: int) -> Iterator[str]:
    left = max_bytes or 2**62
    for text in texts:
        if left <= 0:
            return
        left -= len(text.encode("utf-8", "replace"))
        yield text


def _is_held_out(text: str, share: float) -> bool:
    return int(hash_value(text[:1000])[:8], 16) / 2**32 < share


def _write_shard(
    path: Path, texts: list[str], words: ByteLevelTokenizer, progress: Progress
) -> int:
    kind = np.uint16 if words.vocab_size <= 2**16 else np.uint32
    parts: list[NDArray[Any]] = []
    for start in range(0, len(texts), _BATCH):
        for text in texts[start : start + _BATCH]:
            parts.append(np.array([*words.encode(text), words.eos_id], dtype=kind))
        progress("Tokenising", start, len(texts))
    stream = np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, stream)
    return len(stream)


def _open(cache: Path, manifest: Path) -> TokenCorpus:
    meta = json.loads(manifest.read_text(encoding="utf-8"))
    try:
        train, validation = (
            np.load(cache / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("train", "validation")
        )
    except (OSError, ValueError) as error:
        manifest.unlink(missing_ok=True)
        raise InputError(f"{cache}: a shard is damaged ({error})", hint="Run again.") from error
    if [len(train), len(validation)] != [meta["tokens"]["train"], meta["tokens"]["validation"]]:
        manifest.unlink(missing_ok=True)
        raise InputError(
            f"{cache}: a shard has another length than its manifest", hint="Run again."
        )
    return TokenCorpus(train, validation, meta["validation_bytes"], load_tokenizer(cache))
