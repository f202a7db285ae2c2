"""What the readers care about: words, examples, a library, and what their editors decided."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.model import Entry, SectionKind
from kuaibao.bulletin.reading import Profile, make_profile
from kuaibao.bulletin.reading.learning import Embed, Learner, load_vectors, open_learner
from kuaibao.bulletin.settings import ProfileSettings
from kuaibao.bulletin.sources import make_source
from kuaibao.bulletin.sources.library import read_library
from kuaibao.bulletin.sources.protocol import Fetches, SourceContext
from kuaibao.bulletin.store import Store, list_decisions
from kuaibao.errors import KuaibaoError

__all__ = ["Readers", "learner_of", "readers_of"]


@dataclass(frozen=True, kw_only=True)
class Readers:
    """The profiles of a bulletin."""

    everyone: Profile
    sections: Mapping[SectionKind, Profile]
    """Of sections with a profile of their own; what everyone cares about is in it."""
    library: tuple[str, ...] = ()
    """Texts that the readers keep: titles with abstracts."""
    embed: Embed | None = None
    """Text → vector, where the bulletin names a folder of embeddings."""
    notices: tuple[str, ...] = ()
    """What was wrong with their library."""

    def profile(self, section: SectionKind) -> Profile:
        """A section's profile."""
        return self.sections.get(section, self.everyone)


def readers_of(config: BulletinConfig, fetcher: Fetches, now: datetime) -> Readers:
    """Read the profiles, and the libraries and the embeddings that they name.

    Raises:
        MissingExtraError: Embeddings are asked for and their extra is not installed.
        InputError: The folder of embeddings cannot be read.
    """
    notices: list[str] = []
    main = config.settings.profile
    entries = _library(main, config, fetcher, now, notices)
    everyone = _profile(main, entries)
    sections: dict[SectionKind, Profile] = {}
    for section in config.settings.sections:
        own = section.profile
        if own == ProfileSettings():
            continue
        more = _library(own, config, fetcher, now, notices)
        both = dataclasses.replace(
            own,
            words=(*main.words, *own.words),
            unwanted=(*main.unwanted, *own.unwanted),
            examples=(*main.examples, *own.examples),
        )
        sections[section.kind] = _profile(both, [*entries, *more])
    return Readers(
        everyone=everyone,
        sections=sections,
        library=tuple(f"{e.title} {e.summary} {' '.join(e.categories)}" for e in entries),
        embed=load_vectors(config.folder / named)
        if (named := config.settings.embeddings)
        else None,
        notices=tuple(notices),
    )


def learner_of(store: Store, readers: Readers) -> Learner | None:
    """What was learnt from editors' decisions; None before the first."""
    return open_learner(store, readers.library, readers.embed) if list_decisions(store) else None


def _profile(settings: ProfileSettings, library: list[Entry]) -> Profile:
    examples = [*settings.examples, *(entry.title for entry in library)]
    return make_profile(settings.words, settings.unwanted, examples)


def _library(
    settings: ProfileSettings,
    config: BulletinConfig,
    fetcher: Fetches,
    now: datetime,
    notices: list[str],
) -> list[Entry]:
    entries: list[Entry] = []
    if settings.bibliography:
        try:
            entries += read_library(config.folder / settings.bibliography)
        except KuaibaoError as error:
            notices.append(f"the readers' library was not read: {error.message}")
    if settings.zotero:
        kind, number = settings.zotero.split("/")
        own: dict[str, Any] = {"library_type": kind.rstrip("s"), "library_id": int(number)}
        if settings.zotero_key_env:
            own["key_env"] = settings.zotero_key_env
        source = make_source("profile", "zotero", own, config.folder)
        result = source.fetch(SourceContext(fetcher=fetcher, now=now, base_dir=config.folder))
        entries += result.entries
        if result.status not in ("new", "nothing_new"):
            notices.append(f"the readers' library was not read: {result.message}")
    return entries
