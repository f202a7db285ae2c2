"""An editor's choices: which kind a picture is, remembered with its features."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.errors import InputError, did_you_mean
from kuaibao.files import FileLock, atomic_path, write_json
from kuaibao.image_gpt.figures.kinds import KINDS

__all__ = ["add_choice", "add_preference", "read_choices", "read_weights"]

MAX_CHOICES = 10_000
_STEP, _MOST = math.log(1.2), 8


def add_choice(file: Path, features: NDArray[np.float32], kind: str) -> int:
    """Remember that a picture with these features is of a kind; gives how many there are now.

    Args:
        file: An `.npz`, made if it is not there.
        features: (feature).
        kind: One of `KINDS`.

    Raises:
        InputError: An unknown kind, or a file made with another model.
    """
    if kind not in KINDS:
        raise InputError(f"no kind of figure '{kind}'", hint=did_you_mean(kind, KINDS))
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock"), timeout_s=30):
        known, labels = _read(file, features.shape[0])
        known = np.concatenate([known, features[None]])[-MAX_CHOICES:]
        labels = np.concatenate([labels, [KINDS.index(kind)]])[-MAX_CHOICES:]
        with atomic_path(file) as path, path.open("wb") as stream:
            np.savez(stream, features=known, labels=labels)
    return len(labels)


def read_choices(file: Path, n_feature: int) -> tuple[Tensor, Tensor]:
    """Features (choice, feature) and kinds (choice); empty without a file.

    Raises:
        InputError: A damaged file, or one made with another model.
    """
    features, labels = _read(file, n_feature)
    return torch.from_numpy(features), torch.from_numpy(labels)


def add_preference(file: Path, chosen: str, over: str) -> int:
    """Remember that an editor let a picture of one kind lead in the place of another kind's.

    Args:
        file: A JSON file, made if it is not there.
        chosen: A kind.
        over: The kind of the picture that was proposed.

    Raises:
        InputError: An unknown kind, or a damaged file.
    """
    for kind in (chosen, over):
        if kind not in KINDS:
            raise InputError(f"no kind of figure '{kind}'", hint=did_you_mean(kind, KINDS))
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock"), timeout_s=30):
        counts = _preferences(file)
        key = f"{chosen}>{over}"
        counts[key] = counts.get(key, 0) + 1
        write_json(file, counts)
    return sum(counts.values())


def read_weights(file: Path, prior: Mapping[str, float]) -> dict[str, float]:
    """How well each kind leads: a fifth more for each choice won, less for each one lost."""
    won = dict.fromkeys(prior, 0)
    for key, n in _preferences(file).items():
        chosen, _, over = key.partition(">")
        if chosen != over and chosen in won and over in won:
            won[chosen] += n
            won[over] -= n
    return {
        kind: weight * math.exp(_STEP * max(-_MOST, min(_MOST, won[kind])))
        for kind, weight in prior.items()
    }


def _preferences(file: Path) -> dict[str, int]:
    if not file.is_file():
        return {}
    try:
        return {str(k): int(v) for k, v in json.loads(file.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{file} holds no preferences: {error}", hint="Delete it.") from error


def _read(file: Path, n_feature: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    if not file.is_file():
        return np.zeros((0, n_feature), dtype=np.float32), np.zeros(0, dtype=np.int64)
    try:
        with np.load(file, allow_pickle=False) as stored:
            features: Any = stored["features"].astype(np.float32)
            labels: Any = stored["labels"].astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{file} holds no choices: {error}") from error
    if features.ndim != 2 or features.shape[1] != n_feature or len(labels) != len(features):
        raise InputError(
            f"{file} was made with another model ({features.shape[-1]} features, not {n_feature})",
            hint="Name another file with --choices.",
        )
    return features, labels
