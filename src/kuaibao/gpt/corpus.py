"""Text as tokens on disk: shards that are made once, in parallel, and memory-mapped.

Documents are cut into parts of some megabytes, in their order. Each part becomes a shard by a
function that depends on nothing but the part and the vocabulary: so processes on one machine, or
tasks on a cluster, make the same shards, and a run that was killed makes only what is missing.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError, MissingExtraError
from kuaibao.files import atomic_path, hash_file, hash_value, write_json
from kuaibao.gpt.documents import Document, iterate_documents
from kuaibao.transformer.tokenizers import (
    ByteLevelTokenizer,
    load_tokenizer,
    train_byte_level_bpe,
)

__all__ = ["Part", "TokenCorpus", "TokenStream", "encode_part", "prepare_corpus"]

PART_BYTES = 8_000_000
TOKENIZER_BYTES = 50_000_000
"""Of the corpus, from its beginning on, that a vocabulary is learned from."""
_FORMAT = 2

Progress = Callable[[str, int, int], None]
Workers = int | Literal["ray"]


@dataclass(frozen=True)
class Part:
    """Documents that become one shard."""

    index: int
    texts: list[str]
    held_out: list[bool]


class TokenStream:
    """Tokens of several shards, seen as windows; no window crosses the border of a shard."""

    def __init__(self, shards: Sequence[NDArray[Any]]) -> None:
        self.shards = list(shards)
        self.n_token = sum(map(len, self.shards))

    def n_window(self, length: int) -> int:
        """Windows of `length` tokens and the one that follows."""
        return sum(max(0, len(shard) - 1) // length for shard in self.shards)

    def windows(self, indices: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Windows by their number, (window, length + 1)."""
        counts = np.array([max(0, len(shard) - 1) // length for shard in self.shards])
        ends = counts.cumsum()
        which = np.searchsorted(ends, indices, side="right")
        rows = np.empty((len(indices), length + 1), dtype=np.int64)
        for place, (index, shard) in enumerate(zip(indices, which, strict=True)):
            start = int(index - (ends[shard] - counts[shard])) * length
            rows[place] = self.shards[shard][start : start + length + 1]
        return rows


@dataclass(frozen=True)
class TokenCorpus:
    """Token streams of training and held-out documents, each ended by the end token."""

    train: TokenStream
    validation: TokenStream
    n_validation_byte: int
    """UTF-8 bytes of the held-out text, for bits per byte."""
    tokenizer: ByteLevelTokenizer


def prepare_corpus(
    paths: Sequence[Path], cache: Path, *, vocab_size: int, tokenizer: str = "",
    validation_share: float = 0.02, max_bytes: int = 0, part_bytes: int = PART_BYTES,
    workers: Workers = 1, progress: Progress = lambda what, done, total: None,
) -> TokenCorpus:  # fmt: skip
    """Tokenise a corpus into `cache`, or open what lies there if it was made from the same.

    Args:
        paths: Files and folders.
        cache: Where shards and the manifest go.
        vocab_size: Of the tokeniser that is trained on the corpus.
        tokenizer: A folder with a tokeniser, in place of training one.
        validation_share: Of the groups of documents, chosen by a hash.
        max_bytes: Read at most so much; 0 for all.
        part_bytes: Text of one shard.
        workers: Processes, or `ray` for the tasks of a Ray cluster (extra `cluster`).
        progress: Told what is done.

    Raises:
        InputError: No text, or a file that can't be read.
        MissingExtraError: `ray` is not installed.
    """
    key = hash_value([[_stamp(p) for p in paths], vocab_size, tokenizer, validation_share,
                      max_bytes, part_bytes, _FORMAT])  # fmt: skip
    manifest = cache / "manifest.json"
    if manifest.is_file() and json.loads(manifest.read_text(encoding="utf-8")).get("key") == key:
        return _open(cache, manifest)
    cache.mkdir(parents=True, exist_ok=True)
    manifest.unlink(missing_ok=True)
    progress("Training the tokeniser", 0, 0)
    vocabulary = _vocabulary(paths, cache, key, vocab_size, tokenizer)
    parts = list(_parts(iterate_documents(paths), max_bytes, part_bytes, validation_share))
    if not any(part.texts for part in parts):
        raise InputError("the corpus holds no text")
    if not any(any(part.held_out) for part in parts) and sum(len(p.texts) for p in parts) > 1:
        parts[-1].held_out[-1] = True
    shards = _make_shards(parts, cache, vocabulary, workers, progress)
    n_byte = sum(shard["validation_bytes"] for shard in shards)
    write_json(manifest, {"key": key, "shards": shards, "validation_bytes": n_byte})
    return _open(cache, manifest)


def encode_part(part: Part, folder: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Tokens of a part's training and held-out documents, by the vocabulary of a folder."""
    words = load_tokenizer(folder)
    kind = np.uint16 if words.vocab_size <= 2**16 else np.uint32
    streams: dict[bool, list[NDArray[Any]]] = {False: [], True: []}
    for text, held in zip(part.texts, part.held_out, strict=True):
        streams[held].append(np.array([*words.encode(text), words.eos_id], dtype=kind))
    empty = np.zeros(0, dtype=kind)
    return (
        np.concatenate([empty, *streams[False]]).astype(kind),
        np.concatenate([empty, *streams[True]]).astype(kind),
    )


def _stamp(path: Path) -> list[Any]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in files if f.is_file()]


def _vocabulary(
    paths: Sequence[Path], cache: Path, key: str, vocab_size: int, tokenizer: str
) -> str:
    """Load or learn the vocabulary; gives its hash. What was learned for this key is kept."""
    note = cache / "vocabulary.json"
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["key"] == key and known["sha256"] == hash_file(cache / "tokenizer.json"):
            return str(known["sha256"])
    except (OSError, ValueError, KeyError):
        pass
    if tokenizer:
        words = load_tokenizer(tokenizer)
    else:
        texts = _bounded(iterate_documents(paths), TOKENIZER_BYTES)
        words = train_byte_level_bpe((d.text for d in texts), vocab_size)
    words.save(cache)
    sha256 = hash_file(cache / "tokenizer.json")
    write_json(note, {"key": key, "sha256": sha256})
    return sha256


def _bounded(documents: Iterable[Document], max_bytes: int) -> Iterator[Document]:
    left = max_bytes or 2**62
    for document in documents:
        if left <= 0:
            return
        left -= len(document.text.encode("utf-8", "replace"))
        yield document


def _parts(
    documents: Iterable[Document], max_bytes: int, part_bytes: int, share: float
) -> Iterator[Part]:
    part, size, index = Part(0, [], []), 0, 0
    for document in _bounded(documents, max_bytes):
        if size >= part_bytes:
            yield part
            index, size = index + 1, 0
            part = Part(index, [], [])
        part.texts.append(document.text)
        part.held_out.append(document.is_held_out(share))
        size += len(document.text.encode("utf-8", "replace"))
    yield part


def _make_shards(
    parts: list[Part], cache: Path, vocabulary: str, workers: Workers, progress: Progress
) -> list[dict[str, Any]]:
    """Encode what is missing; gives each shard's entry in the manifest."""
    entries: dict[int, dict[str, Any]] = {}
    missing: list[Part] = []
    for part in parts:
        key = hash_value([vocabulary, part.texts, part.held_out])
        known = _known_shard(cache, part.index, key)
        if known is None:
            missing.append(part)
        else:
            entries[part.index] = known
    progress("Tokenising", len(entries), len(parts))
    for part, (train, validation) in _encoded(missing, str(cache), workers):
        name = f"{part.index:05d}"
        for kind, stream in (("train", train), ("validation", validation)):
            with atomic_path(cache / f"{kind}-{name}.npy") as path, path.open("wb") as file:
                np.save(file, stream)
        texts = zip(part.texts, part.held_out, strict=True)
        entry = {
            "key": hash_value([vocabulary, part.texts, part.held_out]), "name": name,
            "train": len(train), "validation": len(validation),
            "validation_bytes": sum(len(t.encode("utf-8", "replace")) for t, h in texts if h),
            "sha256": {k: hash_file(cache / f"{k}-{name}.npy") for k in ("train", "validation")},
        }  # fmt: skip
        write_json(cache / f"shard-{name}.json", entry)
        entries[part.index] = entry
        progress("Tokenising", len(entries), len(parts))
    return [entries[part.index] for part in parts]


def _known_shard(cache: Path, index: int, key: str) -> dict[str, Any] | None:
    try:
        entry = json.loads((cache / f"shard-{index:05d}.json").read_text(encoding="utf-8"))
        hashes = {k: hash_file(cache / f"{k}-{index:05d}.npy") for k in ("train", "validation")}
    except (OSError, ValueError):
        return None
    return entry if entry.get("key") == key and entry.get("sha256") == hashes else None


Encoded = tuple[Part, tuple[NDArray[Any], NDArray[Any]]]


def _encoded(parts: list[Part], folder: str, workers: Workers) -> Iterator[Encoded]:
    """Each part with its tokens: in this process, in several, or on a cluster."""
    if workers == "ray":
        yield from _encoded_by_ray(parts, folder)
    elif min(workers, len(parts)) <= 1:
        yield from ((part, encode_part(part, folder)) for part in parts)
    else:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(parts)), mp_context=context) as pool:
            yield from zip(parts, pool.map(encode_part, parts, [folder] * len(parts)), strict=True)


def _encoded_by_ray(parts: list[Part], folder: str) -> Iterator[Encoded]:
    """The same function as tasks of Ray Data; the vocabulary travels with them."""
    try:
        data: Any = importlib.import_module("ray.data")
    except ModuleNotFoundError as error:
        raise MissingExtraError("cluster", needed_for="Preparing a corpus on Ray") from error
    text = (Path(folder) / "tokenizer.json").read_text(encoding="utf-8")

    def encode(row: dict[str, Any]) -> dict[str, Any]:
        import tempfile

        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "tokenizer.json").write_text(text, encoding="utf-8")
            part = Part(int(row["index"]), list(row["texts"]), [bool(h) for h in row["held_out"]])
            train, validation = encode_part(part, place)
        kind = str(train.dtype)
        return {"index": part.index, "train": train.tobytes(), "kind": kind,
                "validation": validation.tobytes()}  # fmt: skip

    rows = [{"index": p.index, "texts": p.texts, "held_out": p.held_out} for p in parts]
    found: Any = data.from_items(rows, override_num_blocks=max(1, len(rows))).map(encode)
    by_index = {part.index: part for part in parts}
    for row in found.iter_rows():
        streams = [np.frombuffer(row[k], dtype=row["kind"]) for k in ("train", "validation")]
        yield by_index[int(row["index"])], (streams[0], streams[1])


def _open(cache: Path, manifest: Path) -> TokenCorpus:
    meta = json.loads(manifest.read_text(encoding="utf-8"))
    streams: dict[str, TokenStream] = {}
    for kind in ("train", "validation"):
        shards: list[NDArray[Any]] = []
        for entry in meta["shards"]:
            path = cache / f"{kind}-{entry['name']}.npy"
            try:
                shard = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                manifest.unlink(missing_ok=True)
                raise InputError(f"{path} is damaged ({error})", hint="Run again.") from error
            if len(shard) != entry[kind]:
                manifest.unlink(missing_ok=True)
                raise InputError(f"{path} has another length than noted", hint="Run again.")
            shards.append(shard)
        streams[kind] = TokenStream(shards)
    # The held-out tokens are few: as one stream they give more whole windows.
    held_out = streams["validation"].shards
    return TokenCorpus(streams["train"], TokenStream([np.concatenate(held_out)]),
                       meta["validation_bytes"], load_tokenizer(cache))  # fmt: skip
