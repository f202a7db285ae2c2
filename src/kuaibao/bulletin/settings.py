"""The tables of `bulletin.toml`, each setting with its type, its bounds and what it means."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import SECTION_KINDS, SectionKind
from kuaibao.fetching import FetchSettings

__all__ = [
    "FORMATS",
    "STRICT",
    "BulletinSettings",
    "EditionSettings",
    "FetchingSettings",
    "Format",
    "PictureSettings",
    "ProfileSettings",
    "ReadingSettings",
    "SectionSettings",
    "SignatureSettings",
    "WritingSettings",
]

STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)

Format = Literal[
    "html", "pdf", "epub", "atom", "rss", "json_feed", "ics", "bibtex", "ris", "mail", "json",
]  # fmt: skip
FORMATS: tuple[Format, ...] = (
    "html", "pdf", "epub", "atom", "ics", "bibtex", "ris", "mail", "json",
)  # fmt: skip


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class ProfileSettings:
    """What the readers care about."""

    words: tuple[str, ...] = ()
    """Words and phrases, in any language of the sources."""
    examples: tuple[str, ...] = ()
    """Titles or sentences of things that were welcome."""
    unwanted: tuple[str, ...] = ()
    """Words and phrases that put an item down."""
    bibliography: str = ""
    """What the readers read: a file of BibTeX, RIS or CSL JSON (Zotero's exports), from the folder
    of bulletin.toml."""
    zotero: str = ""
    """What the readers read, by Zotero's interface: `users/12345` or `groups/12345`."""
    zotero_key_env: str = ""
    """Name of the environment variable that holds Zotero's key; public libraries need none."""

    @field_validator("zotero")
    @classmethod
    def _library(cls, value: str) -> str:
        if value and not re.fullmatch(r"(users|groups)/\d+", value):
            raise ValueError("is users/NUMBER or groups/NUMBER")
        return value


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class SectionSettings:
    """One section of the issue; sections are printed in the order of the file."""

    kind: SectionKind
    """in_depth, news, tools, papers, conferences."""
    title: str = ""
    """The heading; the usual one of the edition's language if not given."""
    limit: int = Field(default=10, ge=0, le=10_000)
    """At most so many items."""
    min_score: float = 0.0
    """Items below this score are left out."""
    profile: ProfileSettings = ProfileSettings()
    """What this section's readers care about besides what all do."""


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class SignatureSettings:
    """Who makes the issue; printed with every item that they made."""

    compiled_by: str = ""
    """Who compiles (and translates) items."""
    proofread_by: str = ""
    """Who proofreads them: somebody else."""

    @field_validator("proofread_by")
    @classmethod
    def _another_person(cls, value: str, info: Any) -> str:
        if value and value == info.data.get("compiled_by"):
            raise ValueError("nobody proofreads their own text")
        return value


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class EditionSettings:
    """The issue in one more language; what is not given is as in the main edition."""

    language: Literal["en", "zh"]
    """Of headings, dates and punctuation."""
    out: str = ""
    """Its folder in the output; the language's name if not given."""
    title: str = ""
    """Title of this issue."""
    series: str = ""
    """Name of the bulletin."""
    publisher: str = ""
    """Who publishes it."""
    editors: tuple[str, ...] = ()
    """Who is responsible."""
    contact: str = ""
    """How to reach them."""
    disclaimer: str = ""
    """A note at the foot."""
    text_languages: tuple[str, ...] = ()
    """Languages of texts that may be printed, the best first; its own, then all, if not given."""
    section_titles: dict[SectionKind, str] = Field(default_factory=dict)
    """Headings by section kind."""
    signatures: SignatureSettings = SignatureSettings()
    """Who makes this edition."""

    @field_validator("out")
    @classmethod
    def _inside(cls, value: str) -> str:
        path = PurePosixPath(value.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("must be a folder inside the output")
        return value


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class ReadingSettings:
    """How items are found among entries."""

    period_days: int = Field(default=31, ge=1, le=3660)
    """Dated items older than this on the issue's day are left out (not conferences)."""
    full_text: bool = True
    """Fetch the page of a chosen item whose source gives only a few lines."""
    repeat_after: int = Field(default=6, ge=0, le=1000)
    """An item is not printed again within so many issues."""


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class WritingSettings:
    """How drafts are made."""

    strategy: str = "ind-orig"
    """lead, random, ind-orig, ind-uniq, seq-orig, seq-uniq, or an installed summariser's name."""
    model: str = ""
    """For the summariser `pegasus`: a model's folder, from that of bulletin.toml, or a hub id;
    models/tuned, which `kuaibao tune` makes, if not given."""
    synopsis: str = ""
    """A model's folder: it writes the first line of a tool whose source gives none (English)."""
    n_sentence: int = Field(default=3, ge=1, le=20)
    """Sentences of a summary."""
    manuscripts: str = "manuscripts"
    """Folder of texts that people wrote (Markdown with a front matter)."""
    translator: str = ""
    """An installed translator's name (offline, few-shot); none: a text is printed in its own
    language."""
    translator_folder: str = ""
    """For the translator `offline`: a translation package (Argos, or OPUS-MT under CTranslate2) or
    a folder of them, from that of bulletin.toml."""


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class PictureSettings:
    """What becomes of pictures; needs the extra `models`."""

    lead: bool = False
    """Fetch the pictures that come with an item, sort them, and print the one that leads."""
    cover: bool = False
    """Draw a strip of small pictures at the head of the issue."""
    engine: str = "image-gpt"
    """Name of an installed engine that sorts and draws."""
    model: str = ""
    """Its model's folder, from that of bulletin.toml; the small one of the source tree if not
    given."""
    limit: int = Field(default=6, ge=1, le=50)
    """Pictures of an item at most."""


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class FetchingSettings:
    """How far the way out to the network is open, and how patient it is."""

    contact: str = ""
    """An address for those who wonder who asks."""
    allowed_addresses: tuple[str, ...] = ()
    """Networks, addresses and host names that may be reached besides the public internet."""
    proxy: str = ""
    """`http://host:port`."""
    total_s: float = Field(default=20.0, gt=0, le=600)
    """Seconds for one request, redirects included."""
    n_retry: int = Field(default=2, ge=0, le=10)
    """Tries after a broken connection."""
    interval_s: float = Field(default=1.0, ge=0, le=3600)
    """Seconds between two requests to one domain; arXiv, Crossref and OpenAlex have their own."""

    def limits(self) -> FetchSettings:
        """For the fetcher."""
        return FetchSettings(**dataclasses.asdict(self))


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class BulletinSettings:
    """The whole of bulletin.toml, less the sources."""

    series: str = Field(min_length=1, max_length=300)
    """Name of the bulletin."""
    title: str = ""
    """Title of this issue."""
    language: Literal["en", "zh"] = "en"
    """Of the main edition."""
    number: int = Field(default=1, ge=0)
    """Number of the issue within its year."""
    running_number: int = Field(default=0, ge=0)
    """Number of the issue since the first; the number if not given."""
    day: date | None = None
    """The issue's date; today if not given."""
    publisher: str = ""
    """Who publishes it."""
    editors: tuple[str, ...] = ()
    """Who is responsible."""
    contact: str = ""
    """How to reach them."""
    base_url: str = ""
    """Where the issue will be read; a local issue has none."""
    disclaimer: str = ""
    """A note at the foot."""
    database: str = "bulletin.db"
    """A file from this folder, or the address of a PostgreSQL database."""
    formats: tuple[Format, ...] = FORMATS
    """What is made: html, pdf, epub, atom, rss, json_feed, ics, bibtex, ris, mail, json."""
    profile: ProfileSettings = ProfileSettings()
    """What the readers care about."""
    embeddings: str = ""
    """A folder of static word vectors (`model.safetensors`, `tokenizer.json`) by which ranking also
    knows texts in other words; from the folder of bulletin.toml, needs the extra `embeddings`."""
    sections: tuple[SectionSettings, ...] = tuple(
        SectionSettings(kind=kind) for kind in SECTION_KINDS
    )
    """Sections in print order."""
    signatures: SignatureSettings = SignatureSettings()
    """Who makes the issue."""
    reading: ReadingSettings = ReadingSettings()
    """How items are found."""
    fetching: FetchingSettings = FetchingSettings()
    """The way out to the network."""
    writing: WritingSettings = WritingSettings()
    """How drafts are made."""
    pictures: PictureSettings = PictureSettings()
    """Lead pictures and the cover strip."""
    text_languages: tuple[str, ...] = ()
    """As in an edition, for the main one."""
    editions: tuple[EditionSettings, ...] = ()
    """The same issue in more languages."""
