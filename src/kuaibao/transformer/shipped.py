"""The small trained models that come with the source tree, under `models/`."""

from __future__ import annotations

from pathlib import Path

from kuaibao.transformer.errors import CheckpointError

__all__ = ["SHIPPED_FOLDER", "shipped_model"]

SHIPPED_FOLDER = Path(__file__).parents[3] / "models"


def shipped_model(name: str) -> Path:
    """The folder of a shipped model.

    Raises:
        CheckpointError: This installation carries none of that name.
    """
    folder = SHIPPED_FOLDER / name
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"no model is named, and this installation carries no '{name}'",
            hint="Name a model's folder, such as one that kuaibao train made.",
        )
    return folder
