"""Text for pre-training: sentences on disk, cut into pieces that fit the encoder.

Texts are read one by one and split in parallel; what lies on disk is one file of sentences and the
byte ranges of the pieces in it, memory-mapped. A corpus is prepared anew only if something changed.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError, Place
from kuaibao.files import FileLock, atomic_path, hash_value, write_json
from kuaibao.pegasus.pairs import DOCUMENT_FIELDS, MAX_LINE
from kuaibao.pegasus.tokenizer import PegasusTokenizer, Tokenizer, load_tokenizer, train_tokenizer
from kuaibao.text import sentence_texts

__all__ = ["Pieces", "SentenceCorpus", "iterate_texts", "prepare_corpus", "split_texts"]

SUFFIXES = (".txt", ".md", ".rst", ".jsonl")
MAX_FILE_BYTES = 2_000_000_000
PARALLEL_FROM = 2_000_000
"""Bytes from which a pool of processes pays."""
_CHUNK = 200
_WAIT_S = 3600.0
"""For another process that makes the same corpus."""
VERSION = 1

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Pieces:
    """Runs of sentences that fit the encoder."""

    sentences: NDArray[np.uint8]
    """UTF-8 of all sentences, each ended by a line break."""
    ranges: NDArray[np.int64]
    """Bytes from and to of each piece, (piece, 2)."""
    lengths: NDArray[np.int32]
    """Tokens of each."""
    counts: NDArray[np.int32]
    """Sentences of each."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.lengths)

    def __getitem__(self, index: int) -> list[str]:
        """The sentences of a piece."""
        start, end = self.ranges[index]
        return self.sentences[start:end].tobytes().decode("utf-8").split("\n")[:-1]

    def with_context(self) -> Pieces:
        """The pieces of two sentences and more: taken out of a single one, a gap leaves nothing."""
        kept = self.counts > 1
        return Pieces(self.sentences, self.ranges[kept], self.lengths[kept], self.counts[kept])


@dataclass(frozen=True)
class SentenceCorpus:
    """A prepared corpus."""

    train: Pieces
    validation: Pieces
    tokenizer: Tokenizer


def iterate_texts(paths: Sequence[Path], *, split: str = "") -> Iterator[str]:
    """Texts of files and folders: plain files whole, JSON lines one by one.

    Args:
        paths: Files and folders.
        split: JSON lines that name another split are passed over.

    Raises:
        InputError: A path does not exist, or a line is no JSON; with its number.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"the corpus {path} does not exist")
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if path.is_dir() and file.suffix not in SUFFIXES:
                continue
            if file.stat().st_size > MAX_FILE_BYTES:
                raise InputError(f"{file} is larger than {MAX_FILE_BYTES // 10**9} GB")
            if file.suffix == ".jsonl":
                yield from _lines(file, split)
            else:
                yield file.read_text(encoding="utf-8", errors="replace")


def _lines(file: Path, split: str) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = Place(file=str(file), line=number)
            if len(line) > MAX_LINE:
                raise InputError(f"a line of {len(line)} characters is too long", place=place)
            try:
                row: Any = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"not JSON: {error}", place=place) from error
            if isinstance(row, str):
                yield row
            elif isinstance(row, dict) and (not split or row.get("split", split) == split):
                value = next((row[n] for n in (*DOCUMENT_FIELDS, "content") if n in row), "")
                yield "\n\n".join(map(str, value)) if isinstance(value, list) else str(value)


def split_texts(texts: Iterable[str], *, n_worker: int = 0) -> Iterator[list[str]]:
    """The sentences of each text, in order; with workers in that many processes.

    Only a few chunks are under way at once, so that a corpus of any size streams through.
    """
    if n_worker < 2:
        yield from map(sentence_texts, texts)
        return
    with ProcessPoolExecutor(n_worker, mp_context=get_context("spawn")) as pool:
        pending: deque[Future[list[list[str]]]] = deque()
        for chunk in _chunks(texts, _CHUNK):
            pending.append(pool.submit(_split_chunk, chunk))
            if len(pending) > 2 * n_worker:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _split_chunk(texts: list[str]) -> list[list[str]]:
    return [sentence_texts(text) for text in texts]


def _chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    for text in texts:
        chunk.append(text)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def prepare_corpus(
    paths: Sequence[Path],
    cache: Path,
    *,
    vocab_size: int,
    max_input: int,
    tokenizer: Path | None = None,
    split: str = "",
    validation_share: float = 0.02,
    n_worker: int = 2,
    progress: Progress = lambda what, done, total: None,
) -> SentenceCorpus:
    """Prepare a corpus in `cache`, or open what lies there if it was made from the same.

    Args:
        paths: Files and folders of text or JSON lines.
        cache: Where it goes.
        vocab_size: Of the vocabulary that is trained on it, reserved ids included.
        max_input: Tokens of a piece at most, its end included.
        tokenizer: A folder whose vocabulary is taken instead.
        split: See `iterate_texts`.
        validation_share: Of the texts, chosen by a hash.
        n_worker: Processes that split sentences.
        progress: Told what is done.

    Raises:
        InputError: No text, or a file that can't be read.
    """
    key = hash_value([[_stamp(p) for p in paths], vocab_size, max_input, str(tokenizer), split,
                      validation_share, VERSION])  # fmt: skip
    manifest = cache / "manifest.json"
    if _is_made(manifest, key):
        return _open(cache)
    with FileLock(cache / "lock", timeout_s=_WAIT_S):
        if _is_made(manifest, key):  # by another process meanwhile
            return _open(cache)
        manifest.unlink(missing_ok=True)
        size = sum(f.stat().st_size for p in paths if p.exists() for f in _files(p))
        texts = iterate_texts(paths, split=split)
        split_up = split_texts(texts, n_worker=n_worker if size > PARALLEL_FROM else 0)
        ends, held_out = _write_sentences(
            cache / "sentences.txt", split_up, validation_share, progress
        )
        words = _tokenizer(cache, tokenizer, vocab_size, progress)
        for is_validation, name in ((False, "train"), (True, "validation")):
            wanted = [(0 if i == 0 else ends[i - 1], ends[i]) for i in range(len(ends))
                      if held_out[i] == is_validation]  # fmt: skip
            rows = _pieces(cache / "sentences.txt", wanted, words, max_input, progress)
            _save_array(cache / f"{name}.npy", rows)
        write_json(manifest, {"key": key, "texts": len(ends)})
    return _open(cache)


def _is_made(manifest: Path, key: str) -> bool:
    return manifest.is_file() and bool(
        json.loads(manifest.read_text(encoding="utf-8")).get("key") == key
    )


def _files(path: Path) -> list[Path]:
    return [f for f in sorted(path.rglob("*")) if f.is_file()] if path.is_dir() else [path]


def _stamp(path: Path) -> list[Any]:
    return [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in _files(path) if f.exists()]


def _write_sentences(
    path: Path, documents: Iterable[list[str]], share: float, progress: Progress
) -> tuple[list[int], list[bool]]:
    """Write all sentences; gives the byte at which each text ends, and which are held out."""
    ends: list[int] = []
    held_out: list[bool] = []
    place = 0
    with atomic_path(path) as part, part.open("wb") as file:
        for sentences in documents:
            data = "".join(f"{' '.join(s.split())}\n" for s in sentences).encode("utf-8", "replace")
            if not data:
                continue
            file.write(data)
            place += len(data)
            ends.append(place)
            held_out.append(int(hash_value(data.decode()[:1000])[:8], 16) / 2**32 < share)
            if len(ends) % 1000 == 0:
                progress("Splitting sentences", len(ends), 0)
    if not ends:
        raise InputError("the corpus holds no text")
    if len(ends) > 1 and not any(held_out):
        held_out[-1] = True
    return ends, held_out


def _tokenizer(
    cache: Path, given: Path | None, vocab_size: int, progress: Progress
) -> PegasusTokenizer:
    if given is not None:
        words = load_tokenizer(given)
        if not isinstance(words, PegasusTokenizer):
            raise InputError(f"{given}: pre-training needs a SentencePiece vocabulary")
    else:
        progress("Training the vocabulary", 0, 0)
        with (cache / "sentences.txt").open(encoding="utf-8") as lines:
            words = train_tokenizer(lines, vocab_size=vocab_size)
    words.save(cache)
    return words


def _pieces(
    path: Path, documents: list[tuple[int, int]], words: PegasusTokenizer, max_input: int,
    progress: Progress,
) -> NDArray[np.int64]:  # fmt: skip
    """Cut each text into runs of sentences that fit; rows of (from, to, tokens, sentences)."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    rows: list[tuple[int, int, int, int]] = []
    for i, (start, end) in enumerate(documents):
        lines = data[start:end].tobytes().split(b"\n")[:-1]
        lengths = words.count_tokens([line.decode("utf-8") for line in lines])
        first, place, total, count = start, start, 1, 0
        for line, length in zip(lines, lengths, strict=True):
            if total > 1 and total + length > max_input:
                rows.append((first, place, min(total, max_input), count))
                first, total, count = place, 1, 0
            place += len(line) + 1
            total, count = total + length, count + 1
        rows.append((first, place, min(total, max_input), count))
        if i % 1000 == 0:
            progress("Counting tokens", i, len(documents))
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _save_array(path: Path, array: NDArray[np.int64]) -> None:
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, array)


def _open(cache: Path) -> SentenceCorpus:
    sentences = np.memmap(cache / "sentences.txt", dtype=np.uint8, mode="r")
    parts: list[Pieces] = []
    for name in ("train", "validation"):
        try:
            rows = np.load(cache / f"{name}.npy", allow_pickle=False)
        except (OSError, ValueError) as error:
            (cache / "manifest.json").unlink(missing_ok=True)
            raise InputError(f"{cache} is damaged ({error})", hint="Run again.") from error
        lengths, counts = rows[:, 2].astype(np.int32), rows[:, 3].astype(np.int32)
        parts.append(Pieces(sentences, rows[:, :2], lengths, counts))
    return SentenceCorpus(parts[0], parts[1], load_tokenizer(cache))
