"""Kind `packages`: what is installed in this Python, from its own metadata; needs no network."""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass, field
from email.utils import getaddresses
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources.asking import conclude, guarded
from kuaibao.bulletin.sources.documents import markdown_text
from kuaibao.bulletin.sources.markup import one_line
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)

__all__ = ["PackagesSettings", "PackagesSource"]

_HOMES = ("homepage", "home", "source", "repository", "source code", "documentation", "github")
MAX_TEXT = 40_000
# In reStructuredText: a directive or a literal block, with all that is indented under it.
_LISTING = re.compile(r"(?m)^(?:\.\. .*|.*::[ \t]*)\n(?:[ \t]+\S.*\n|[ \t]*\n)*")


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class PackagesSettings(SourceSettings):
    """Which of the installed packages are told of."""

    include: list[str] = field(default_factory=lambda: ["*"])
    """Names, `*` and `?` allowed."""
    exclude: list[str] = field(default_factory=list)
    """Names not told of, `*` and `?` allowed."""


@dataclass(frozen=True)
class PackagesSource:
    """The installed packages; a new version is a new entry."""

    source_id: str
    settings: PackagesSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "packages"
    settings_type: ClassVar[type[PackagesSettings]] = PackagesSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Read the metadata of every package that is wanted."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        found: dict[str, Entry] = {}
        for package in importlib.metadata.distributions():
            name = canonical(package.metadata["Name"] or "")
            if name and name not in found and self._is_wanted(name):
                found[name] = self._entry(name, package, context)
        entries = tuple(found[name] for name in sorted(found))
        return conclude(context, entries[: self.settings.limit], dict(context.state))

    def _is_wanted(self, name: str) -> bool:
        wanted = any(fnmatchcase(name, canonical(p)) for p in self.settings.include)
        return wanted and not any(fnmatchcase(name, canonical(p)) for p in self.settings.exclude)

    def _entry(
        self, name: str, package: importlib.metadata.Distribution, context: SourceContext
    ) -> Entry:
        metadata: Any = package.metadata
        summary = one_line(metadata.get("Summary") or "")
        return Entry(
            source_id=self.source_id,
            entry_id=f"{name}=={package.version}",
            kind=self.settings.item_kind or "tool",
            title=f"{metadata['Name']} {package.version}",
            url=_home(package),
            authors=_authors(package),
            language=self.settings.language or "en",
            summary=summary if summary.lower() != "unknown" else "",
            content=_description(package),
            categories=_topics(package),
            identifiers=(("pypi", name),),
            licence=_licence(package) or self.settings.licence,
            retrieved=context.now,
        )


def canonical(name: str) -> str:
    """A package's name as indexes compare it (PEP 503); wildcards pass."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _home(package: importlib.metadata.Distribution) -> str:
    metadata: Any = package.metadata
    urls: dict[str, str] = {}
    for line in metadata.get_all("Project-URL") or []:
        label, _, url = line.partition(",")
        urls.setdefault(label.strip().lower(), url.strip())
    named = next((urls[label] for label in _HOMES if urls.get(label)), "")
    home = (metadata.get("Home-page") or "").strip()
    home = home if home.startswith("http") else ""
    return named or home or next(iter(urls.values()), "")


def _authors(package: importlib.metadata.Distribution) -> tuple[str, ...]:
    metadata: Any = package.metadata
    plain = metadata.get("Author") or metadata.get("Maintainer") or ""
    names = [one_line(part) for part in plain.split(",")] if plain.strip() else []
    if not names:
        mail = metadata.get("Author-email") or metadata.get("Maintainer-email") or ""
        names = [one_line(name) for name, _ in getaddresses([mail])]
    return tuple(dict.fromkeys(n for n in names if n and n.lower() != "unknown"))[:20]


def _topics(package: importlib.metadata.Distribution) -> tuple[str, ...]:
    metadata: Any = package.metadata
    classifiers = metadata.get_all("Classifier") or []
    topics = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("Topic ::")]
    words = re.split(r"[,;]\s*|\s{2,}", metadata.get("Keywords") or "")
    return tuple(dict.fromkeys(one_line(t) for t in [*topics, *words] if t.strip()))[:20]


def _licence(package: importlib.metadata.Distribution) -> str:
    metadata: Any = package.metadata
    named = metadata.get("License-Expression") or ""
    if not named:
        classifiers = metadata.get_all("Classifier") or []
        named = next(
            (c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License ::")), ""
        )
    text = one_line(named or metadata.get("License") or "")
    return text if len(text) <= 80 and text.lower() != "unknown" else ""


def _description(package: importlib.metadata.Distribution) -> str:
    metadata: Any = package.metadata
    text = metadata.get("Description") or ""
    if not text:
        body = getattr(metadata, "get_payload", lambda: "")()
        text = body if isinstance(body, str) else ""
    if "markdown" in (metadata.get("Description-Content-Type") or "").lower():
        return markdown_text(text[:MAX_TEXT])
    return _LISTING.sub("", text[:MAX_TEXT]).strip()
