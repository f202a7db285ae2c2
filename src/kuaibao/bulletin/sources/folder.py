"""Kind `folder`: files of one's own: Markdown, HTML, PDF, BibTeX, RIS.

Only files that changed since the last time are read again; each of them is a new entry with the
old id.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources.asking import conclude, guarded
from kuaibao.bulletin.sources.bibliography import read_bibtex, read_ris
from kuaibao.bulletin.sources.documents import read_document
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.files import MAX_FILE_BYTES, read_bytes
from kuaibao.bulletin.sources.identifiers import identifiers_in
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)
from kuaibao.errors import InputError, KuaibaoError

__all__ = ["FolderSettings", "FolderSource"]

SUFFIXES = (
    ".md",
    ".markdown",
    ".txt",
    ".html",
    ".htm",
    ".xhtml",
    ".pdf",
    ".bib",
    ".bibtex",
    ".ris",
)
MAX_FILES = 20_000
MAX_DEPTH = 20


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class FolderSettings(SourceSettings):
    """Which files of which folder."""

    path: str
    """A folder, or a single file, from the folder of bulletin.toml."""
    include: list[str] = field(default_factory=lambda: ["*"])
    """Patterns of paths within the folder; `*` crosses folders."""
    exclude: list[str] = field(default_factory=list)
    """Patterns of paths left out."""
    link_base: str = ""
    """Where readers find these files: a document that names no address of its own gets this one
    with its path behind it."""


@dataclass(frozen=True)
class FolderSource:
    """A folder of files."""

    source_id: str
    settings: FolderSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "folder"
    settings_type: ClassVar[type[FolderSettings]] = FolderSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Read what is new or changed."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        root = (self.base_dir / self.settings.path).resolve()
        if not root.exists():
            raise InputError(f"{root}: no such folder")
        known: dict[str, str] = _read_marks(context.state.get("files", ""))
        marks: dict[str, str] = {}
        entries: list[Entry] = []
        problems: list[str] = []
        changed = 0
        for name, path in self._files(root):
            status = path.stat()
            marks[name] = f"{status.st_mtime_ns:x}-{status.st_size:x}"
            if known.get(name) == marks[name]:
                continue
            changed += 1
            try:
                entries += self._read(name, path, context)
            except (KuaibaoError, ValueError, RecursionError) as error:
                problems.append(f"{name}: {error}")
        state = {**context.state, "files": json.dumps(marks, ensure_ascii=False)}
        message = f"{changed} of {len(marks)} files new or changed" if changed else ""
        result = conclude(context, tuple(entries), state, tuple(problems), message=message)
        return replace(result, status="new") if entries else result

    def _files(self, root: Path) -> Iterator[tuple[str, Path]]:
        """Files with a suffix that is read, sorted; links that lead outside are not followed."""
        if root.is_file():
            yield root.name, root
            return
        found: list[tuple[str, Path]] = []
        for folder, folders, names in os.walk(root, followlinks=False):
            depth = len(Path(folder).relative_to(root).parts)
            folders[:] = sorted(f for f in folders if not f.startswith(".")) * (depth < MAX_DEPTH)
            for name in names:
                path = Path(folder, name)
                relative = path.relative_to(root).as_posix()
                if self._is_wanted(relative) and path.resolve().is_relative_to(root):
                    found.append((relative, path))
            if len(found) > MAX_FILES:
                break
        yield from sorted(found)[:MAX_FILES]

    def _is_wanted(self, name: str) -> bool:
        if name.startswith(".") or Path(name).suffix.lower() not in SUFFIXES:
            return False
        wanted = any(fnmatchcase(name, pattern) for pattern in self.settings.include)
        return wanted and not any(fnmatchcase(name, p) for p in self.settings.exclude)

    def _read(self, name: str, path: Path, context: SourceContext) -> list[Entry]:
        data = read_bytes(path, MAX_FILE_BYTES)
        suffix = path.suffix.lower()
        if suffix in (".bib", ".bibtex", ".ris"):
            reader = read_ris if suffix == ".ris" else read_bibtex
            records = reader(decode(data).text, self.source_id, self.settings, context.now)
            return [replace(r, entry_id=f"{name}#{r.entry_id}") for r in records]
        return [self._document(name, data, suffix, path, context)]

    def _document(
        self, name: str, data: bytes, suffix: str, path: Path, context: SourceContext
    ) -> Entry:
        document = read_document(data, suffix)
        return Entry(
            source_id=self.source_id,
            entry_id=name,
            kind=self.settings.item_kind or ("paper" if suffix == ".pdf" else "article"),
            title=document.title or path.stem,
            url=document.url or self._link(name),
            authors=document.authors,
            published=document.published,
            language=document.language or self.settings.language,
            summary=document.summary,
            content=document.text,
            categories=document.categories,
            identifiers=identifiers_in(document.url, str(document.more.get("doi", ""))),
            venue=str(document.more.get("venue", "") or ""),
            licence=document.licence or self.settings.licence,
            retrieved=context.now,
        )

    def _link(self, name: str) -> str:
        base = self.settings.link_base
        return f"{base.rstrip('/')}/{quote(name)}" if base else ""


def _read_marks(text: str) -> dict[str, str]:
    try:
        marks = json.loads(text or "{}")
    except ValueError:
        return {}
    return marks if isinstance(marks, dict) else {}
