"""Where this room keeps what is costly to make: machine code, formulas, tables of the grammars."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder(name: str) -> Path:
    """A folder of the user's cache; `KUAIBAO_CACHE` names another place than the usual one."""
    folder = os.environ.get("KUAIBAO_CACHE")
    if folder:
        return Path(folder) / name
    from platformdirs import user_cache_path

    return user_cache_path("kuaibao", appauthor=False) / name
