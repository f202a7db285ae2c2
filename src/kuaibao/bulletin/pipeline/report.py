"""What a build says while it runs and when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kuaibao.bulletin.store import FetchRecord

__all__ = ["STAGES", "BuildReport", "BuiltEdition", "Progress", "Stage", "Step"]

Stage = Literal["fetch", "items", "rank", "full_text", "draft", "pictures", "layout", "publish"]
STAGES: tuple[Stage, ...] = (
    "fetch", "items", "rank", "full_text", "draft", "pictures", "layout", "publish",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """So much of a stage is done; `done` is 0 at its beginning."""

    stage: Stage
    done: int
    total: int
    """0 where it is not known beforehand."""
    message: str = ""


Progress = Callable[[Step], None]


@dataclass(frozen=True, kw_only=True)
class BuiltEdition:
    """One edition of the issue and where it lies."""

    language: str
    folder: Path
    files: dict[str, str]
    """Format → name in the folder."""
    content_hash: str
    sections: dict[str, int]
    """Section kind → number of items."""
    is_rendered: bool
    """False if everything lay there already."""


@dataclass(kw_only=True)
class BuildReport:
    """The whole of a build."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    sources: list[FetchRecord] = field(default_factory=list[FetchRecord])
    editions: list[BuiltEdition] = field(default_factory=list[BuiltEdition])
    notices: list[str] = field(default_factory=list[str])
    is_resumed: bool = False
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Stage → wall-clock seconds."""

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "counts": self.counts,
            "is_resumed": self.is_resumed,
            "sources": [
                {
                    "id": record.source_id,
                    "status": record.status,
                    "message": record.message,
                    "entries": record.n_entry,
                    "new": record.n_new,
                }
                for record in self.sources
            ],
            "editions": [
                {
                    "language": edition.language,
                    "folder": str(edition.folder),
                    "files": {k: str(edition.folder / v) for k, v in edition.files.items()},
                    "content_hash": edition.content_hash,
                    "sections": edition.sections,
                    "rendered": edition.is_rendered,
                }
                for edition in self.editions
            ],
            "notices": self.notices,
            "seconds": {stage: round(s, 3) for stage, s in self.seconds.items()},
        }
