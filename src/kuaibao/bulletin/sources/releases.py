"""Kinds `github`, `pypi`, `npm`: releases of projects as entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import field_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.asking import LayoutError, conclude, guarded, newest_first
from kuaibao.bulletin.sources.documents import markdown_text
from kuaibao.bulletin.sources.feeds.dates import parse_date, partial_date
from kuaibao.bulletin.sources.json_api import ask_json, items_of, secret, text_at
from kuaibao.bulletin.sources.markup import one_line
from kuaibao.bulletin.sources.packages import canonical
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)
from kuaibao.fetching import FetchError, NotNowError, ThrottledError

__all__ = ["GitHubSource", "NpmSource", "PyPISource"]

MAX_NOTES = 40_000


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class GitHubSettings(SourceSettings):
    """Which repositories."""

    repositories: list[str]
    """`owner/name` each."""
    prereleases: bool = False
    """Tell of pre-releases too."""
    key_env: str = ""
    """Name of the environment variable that holds a token; without one, 60 questions an hour."""
    base_url: str = "https://api.github.com"
    """Of the interface."""

    @field_validator("repositories")
    @classmethod
    def _owner_and_name(cls, names: list[str]) -> list[str]:
        for name in names:
            if name.count("/") != 1 or not all(name.split("/")):
                raise ValueError(f"'{name}' is not owner/name")
        return names


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class IndexSettings(SourceSettings):
    """Which packages of which index."""

    packages: list[str]
    """Names."""
    base_url: str
    """Address of the index's JSON interface."""
    newest: int = 3
    """So many of a package's newest versions."""


class _Releases:
    """Ask for each project in turn: one that fails does not silence the others."""

    source_id: str

    def _gather(
        self, context: SourceContext, names: list[str], settings: SourceSettings
    ) -> SourceResult:
        entries: list[Entry] = []
        problems: list[str] = []
        failure: FetchError | LayoutError | None = None
        for name in names:
            try:
                entries += self._ask(name, context)
            except (ThrottledError, NotNowError) as error:
                if not entries:
                    raise
                problems.append(error.message)
                break
            except (FetchError, LayoutError) as error:
                failure = error
                problems.append(f"{name}: {error.message}")
        if failure is not None and not entries:
            raise failure
        return conclude(context, newest_first(entries, settings), dict(context.state),
                        tuple(problems))  # fmt: skip

    def _ask(self, name: str, context: SourceContext) -> Iterator[Entry]:
        raise NotImplementedError


@dataclass(frozen=True)
class GitHubSource(_Releases):
    """Releases on GitHub."""

    source_id: str
    settings: GitHubSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "github"
    settings_type: ClassVar[type[GitHubSettings]] = GitHubSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for the releases of every repository."""
        return guarded(
            context, lambda c: self._gather(c, self.settings.repositories, self.settings)
        )

    def _ask(self, name: str, context: SourceContext) -> Iterator[Entry]:
        url = f"{self.settings.base_url.rstrip('/')}/repos/{quote(name)}/releases?per_page=30"
        token = secret(context, self.settings.key_env)
        headers = {"Accept": "application/vnd.github+json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        for release in items_of(ask_json(context, url, headers=headers), "items"):
            if release.get("draft") or (
                release.get("prerelease") and not self.settings.prereleases
            ):
                continue
            yield self._entry(name, release, context)

    def _entry(self, name: str, release: dict[str, Any], context: SourceContext) -> Entry:
        tag = text_at(release, "tag_name")
        published = text_at(release, "published_at")
        title = text_at(release, "name")
        project = name.split("/")[1]
        shown = title if project.lower() in title.lower() else f"{project} {title or tag}"
        return Entry(
            source_id=self.source_id,
            entry_id=f"{name}@{tag}",
            kind=self.settings.item_kind or "tool",
            title=one_line(shown),
            url=text_at(release, "html_url"),
            authors=tuple(a for a in (text_at(release, "author", "login"),) if a),
            published=partial_date(parse_date(published), published),
            language=self.settings.language or "en",
            summary=markdown_text(text_at(release, "body")[:MAX_NOTES]),
            identifiers=(("github", name.lower()),),
            venue="GitHub",
            licence=self.settings.licence,
            retrieved=context.now,
        )


@dataclass(frozen=True)
class PyPISource(_Releases):
    """Releases on a Python package index."""

    source_id: str
    settings: IndexSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "pypi"
    settings_type: ClassVar[type[IndexSettings]] = IndexSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for the newest versions of every package."""
        return guarded(context, lambda c: self._gather(c, self.settings.packages, self.settings))

    def _ask(self, name: str, context: SourceContext) -> Iterator[Entry]:
        known = canonical(name)
        url = f"{self.settings.base_url.rstrip('/')}/pypi/{quote(known)}/json"
        document = ask_json(context, url)
        info, releases = document.get("info"), document.get("releases")
        if not isinstance(info, dict) or not isinstance(releases, dict):
            raise LayoutError("the index no longer gives 'info' and 'releases'")
        dated = [(v, _upload_date(files)) for v, files in releases.items()]
        newest = sorted(((d.value, v, d) for v, d in dated if d), reverse=True)
        for _, version, published in newest[: self.settings.newest]:
            yield Entry(
                source_id=self.source_id,
                entry_id=f"{known}=={version}",
                kind=self.settings.item_kind or "tool",
                title=f"{text_at(info, 'name') or name} {version}",
                url=text_at(info, "project_url") or text_at(info, "home_page"),
                authors=tuple(a for a in (text_at(info, "author"),) if a),
                published=published,
                language=self.settings.language or "en",
                summary=one_line(text_at(info, "summary")),
                content=markdown_text(text_at(info, "description")[:MAX_NOTES]),
                identifiers=(("pypi", known),),
                licence=text_at(info, "license_expression") or text_at(info, "license")[:80],
                retrieved=context.now,
            )


def _upload_date(files: Any) -> PartialDate | None:
    if not isinstance(files, list):
        return None
    if not files or any(isinstance(f, dict) and f.get("yanked") for f in files):
        return None
    texts = sorted(text_at(f, "upload_time_iso_8601") for f in files)
    return partial_date(parse_date(texts[0]), texts[0])


@dataclass(frozen=True)
class NpmSource(_Releases):
    """Releases on an npm registry."""

    source_id: str
    settings: IndexSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "npm"
    settings_type: ClassVar[type[IndexSettings]] = IndexSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for the newest versions of every package."""
        return guarded(context, lambda c: self._gather(c, self.settings.packages, self.settings))

    def _ask(self, name: str, context: SourceContext) -> Iterator[Entry]:
        document = ask_json(
            context, f"{self.settings.base_url.rstrip('/')}/{quote(name, safe='@')}"
        )
        times = document.get("time")
        if not isinstance(times, dict):
            raise LayoutError("the registry no longer gives 'time'")
        dated = [
            (moment, version, str(text))
            for version, text in times.items()
            if version not in ("created", "modified") and (moment := parse_date(str(text)))
        ]
        for moment, version, text in sorted(dated, reverse=True)[: self.settings.newest]:
            yield Entry(
                source_id=self.source_id,
                entry_id=f"{name}@{version}",
                kind=self.settings.item_kind or "tool",
                title=f"{name} {version}",
                url=text_at(document, "homepage"),
                authors=tuple(a for a in (text_at(document, "author", "name"),) if a),
                published=partial_date(moment, text),
                language=self.settings.language or "en",
                summary=one_line(text_at(document, "description")),
                content=markdown_text(text_at(document, "readme")[:MAX_NOTES]),
                identifiers=(("npm", name),),
                licence=text_at(document, "license"),
                retrieved=context.now,
            )
