"""A translator that needs no network: Marian (OPUS-MT) or Argos packages under CTranslate2.

A package is a folder for one direction, in one of two layouts:

    Argos                                   OPUS-MT, converted by CTranslate2
    ├── metadata.json  from_code, to_code   ├── metadata.json  (or the folder's name ends in -en-zh)
    ├── sentencepiece.model                 ├── source.spm, target.spm
    └── model/         model.bin, …         └── model.bin, config.json, vocabularies

A folder of such folders holds several directions. Nothing in a package is run as code.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuaibao.errors import InputError, MissingExtraError

__all__ = ["OfflineTranslator", "TranslationPackage", "configured_translator", "find_packages"]

_PIECES = 400  # of one sentence at once: Marian models know 512 positions
_MAX_TARGET = 512
_MAX_JSON = 20_000_000
_MAX_PACKAGES = 200
_EXTRA = "ctranslate2"
_LAYOUT = "docs/desk.md shows both layouts (Argos, converted OPUS-MT)."
# OPUS models of several target languages are told which by a token before the source text.
_TARGET_TOKENS = {"zh": (">>cmn_Hans<<", ">>zho_Hans<<", ">>zho<<"), "en": (">>eng<<",)}


@dataclass(frozen=True, kw_only=True)
class TranslationPackage:
    """One direction: where its model and its subword models lie."""

    source: str
    """Language code, such as `en`."""
    target: str
    model: Path
    source_pieces: Path
    target_pieces: Path
    target_prefix: str = ""
    """A token that every translation begins with; not part of the text."""


class OfflineTranslator:
    """Fits the bulletin's protocol `Translator`.

    Args:
        folder: A package, or a folder of packages.

    Raises:
        InputError: It holds no package, or a package lacks a file.
        MissingExtraError: ctranslate2 or sentencepiece is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        _libraries()
        self._folder = Path(folder)
        self._packages = {(p.source, p.target): p for p in find_packages(self._folder)}
        self.name = f"offline {hash_of(self._packages.values())}"

    def translate(self, sentences: Sequence[str], *, source: str, target: str) -> Sequence[str]:
        """One sentence for each, in order; an empty one stays empty.

        Raises:
            InputError: No package for these languages, or its files can't be read.
        """
        wanted = (_main(source), _main(target))
        if wanted not in self._packages:
            known = ", ".join(sorted(f"{a}-{b}" for a, b in self._packages))
            raise InputError(
                f"no package in {self._folder} translates from {source} to {target}",
                hint=f"It holds: {known}.",
            )
        package = self._packages[wanted]
        return _load(package, _stamp(package)).translate(sentences)


class _Model:
    """A loaded package; safe to use from several threads."""

    def __init__(self, package: TranslationPackage) -> None:
        ctranslate2, sentencepiece = _libraries()
        config = _json_of(package.model / "config.json")
        # RuntimeError and OSError: how the two libraries say that a file is not what it should be.
        try:
            self._model = ctranslate2.Translator(str(package.model), device="cpu")
            self._source = sentencepiece.SentencePieceProcessor(
                model_file=str(package.source_pieces)
            )
            self._target = sentencepiece.SentencePieceProcessor(
                model_file=str(package.target_pieces)
            )
        except (RuntimeError, OSError, ValueError) as error:
            raise InputError(
                f"the translation package {package.model} can't be loaded: {error}", hint=_LAYOUT
            ) from error
        self._prefix = package.target_prefix
        self._before = _target_token(package)
        # Models converted from transformers start at </s> and leave the source's end to the caller.
        end = str(config.get("eos_token") or "</s>")
        is_marian = config.get("decoder_start_token") == end and not config.get("add_source_eos")
        self._after = [end] if is_marian else []

    def translate(self, sentences: Sequence[str]) -> list[str]:
        batch: list[list[str]] = []
        owners: list[int] = []
        for i, sentence in enumerate(sentences):
            pieces: list[str] = self._source.encode(" ".join(sentence.split()), out_type=str)
            for start in range(0, len(pieces), _PIECES):
                batch.append(self._before + pieces[start : start + _PIECES] + self._after)
                owners.append(i)
        turned: list[list[str]] = [[] for _ in sentences]
        if batch:
            results = self._model.translate_batch(
                batch, target_prefix=[[self._prefix]] * len(batch) if self._prefix else None,
                beam_size=4, max_batch_size=16, max_decoding_length=_MAX_TARGET,
                max_input_length=0,
            )  # fmt: skip
            for i, result in zip(owners, results, strict=True):
                turned[i].append(self._text(result.hypotheses[0]))
        return [" ".join(part for part in parts if part) for parts in turned]

    def _text(self, pieces: list[str]) -> str:
        if self._prefix and pieces[:1] == [self._prefix]:
            pieces = pieces[1:]
        return " ".join(self._target.decode(pieces).replace("▁", " ").split())


def configured_translator(folder: str = "") -> OfflineTranslator:
    """The translator `offline` from the folder that the settings name.

    Raises:
        InputError: No folder is named, or it holds no package.
        MissingExtraError: The extra `ctranslate2` is not installed.
    """
    if not folder:
        raise InputError(
            "the translator 'offline' is told no folder",
            hint="Name it: translator_folder in [writing] of bulletin.toml, or in the settings.",
        )
    return OfflineTranslator(folder)


def find_packages(folder: Path) -> list[TranslationPackage]:
    """The package that a folder is, or those right below it.

    Raises:
        InputError: There is none, or one lacks a file.
    """
    if not folder.is_dir():
        raise InputError(f"the translator's folder {folder} does not exist", hint=_LAYOUT)
    if _is_package(folder):
        return [_read_package(folder)]
    below = sorted(one for one in folder.iterdir() if one.is_dir() and _is_package(one))
    if not below:
        raise InputError(f"{folder} holds no translation package", hint=_LAYOUT)
    return [_read_package(one) for one in below[:_MAX_PACKAGES]]


def hash_of(packages: Any) -> str:
    """Changes when a package is replaced, so that drafts are made anew."""
    from kuaibao.files import hash_value

    return hash_value([[p.source, p.target, *map(str, _stamp(p))] for p in packages])[:12]


def _is_package(folder: Path) -> bool:
    return (folder / "model" / "model.bin").is_file() or (folder / "model.bin").is_file()


def _read_package(folder: Path) -> TranslationPackage:
    described = _json_of(folder / "metadata.json")
    source, target = _languages(folder, described)
    model = folder / "model" if (folder / "model" / "model.bin").is_file() else folder
    shared = [folder / "sentencepiece.model"]
    return TranslationPackage(
        source=source,
        target=target,
        model=model,
        source_pieces=_first([folder / "source.spm", *shared], folder),
        target_pieces=_first([folder / "target.spm", *shared], folder),
        target_prefix=str(described.get("target_prefix") or ""),
    )


def _languages(folder: Path, described: dict[str, Any]) -> tuple[str, str]:
    source, target = described.get("from_code"), described.get("to_code")
    if isinstance(source, str) and isinstance(target, str) and source and target:
        return _main(source), _main(target)
    named = re.search(r"(?:^|[-_])([a-z]{2,3})[-_]([a-z]{2,3})$", folder.resolve().name)
    if named is None:
        raise InputError(
            f"{folder} does not say which languages it translates",
            hint='Give it a metadata.json with {"from_code": "en", "to_code": "zh"}.',
        )
    return named[1], named[2]


def _first(paths: list[Path], folder: Path) -> Path:
    for path in paths:
        if path.is_file():
            return path
    names = " or ".join(path.name for path in paths)
    raise InputError(f"the translation package {folder} lacks {names}", hint=_LAYOUT)


def _target_token(package: TranslationPackage) -> list[str]:
    words = frozenset(_vocabulary(package.model))
    return next(([t] for t in _TARGET_TOKENS.get(package.target, ()) if t in words), [])


def _vocabulary(model: Path) -> Iterator[str]:
    for stem in ("source_vocabulary", "shared_vocabulary"):
        if (path := model / f"{stem}.json").is_file():
            data = _json_of(path, kind=list)
            yield from (str(word) for word in data)
        elif (path := model / f"{stem}.txt").is_file() and path.stat().st_size <= _MAX_JSON:
            yield from path.read_text("utf-8", "replace").splitlines()


def _json_of(path: Path, kind: type = dict) -> Any:
    """A bounded JSON file; an empty value if there is none."""
    if not path.is_file():
        return kind()
    try:
        if path.stat().st_size > _MAX_JSON:
            raise InputError(f"{path} is larger than {_MAX_JSON:,} bytes")
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} can't be read: {error}") from error
    if not isinstance(value, kind):
        raise InputError(f"{path} is not a JSON {'object' if kind is dict else 'list'}")
    return value


def _main(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _stamp(package: TranslationPackage) -> tuple[int, int]:
    found = (package.model / "model.bin").stat()
    return found.st_mtime_ns, found.st_size


@functools.lru_cache(maxsize=4)
def _load(package: TranslationPackage, stamp: tuple[int, int]) -> _Model:
    """Loaded once until its file changes."""
    return _Model(package)


def _libraries() -> tuple[Any, Any]:
    try:
        import ctranslate2
        import sentencepiece
    except ModuleNotFoundError as error:
        raise MissingExtraError(_EXTRA, needed_for="The translator 'offline'") from error
    return ctranslate2, sentencepiece
