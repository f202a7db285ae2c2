"""The seam between sources and everything else: a source is asked, and answers once.

A new kind is one file with a class that fits `SourceType`, and one line under
`[project.entry-points."kuaibao.sources"]`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry, ItemKind
from kuaibao.fetching import Response, Validators

__all__ = [
    "SETTINGS_CONFIG",
    "Fetches",
    "Source",
    "SourceContext",
    "SourceResult",
    "SourceSettings",
    "SourceStatus",
    "SourceType",
]

SourceStatus = Literal[
    "new", "nothing_new", "broken", "changed_layout", "lagging", "out_of_quota", "gone", "skipped"
]
"""`new`: entries came that were not there before. `nothing_new`: it works and is unchanged.
`broken`: no answer, or one that cannot be read. `changed_layout`: it answers, but what we look for
is no longer where it was. `lagging`: it works but is older than it should be. `out_of_quota`: the
server asks us to wait. `gone`: 410, ask no more. `skipped`: not asked (too soon, no network)."""

SETTINGS_CONFIG = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Fetches(Protocol):
    """The part of `kuaibao.fetching.Fetcher` that sources need."""

    def get(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        obey_robots: bool = False,
    ) -> Response:
        """Fetch `url`; raises a `kuaibao.fetching.FetchError` for all but 2xx and 304."""
        ...

    def connect(self, host: str, port: int, *, timeout_s: float = 30.0) -> socket.socket:
        """A guarded connection for what is not HTTP."""
        ...


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class SourceSettings:
    """Settings that every kind of source takes."""

    item_kind: ItemKind | None = None
    """What its entries are about: news, article, tool, paper, conference; the kind's own default
    if not given."""
    language: str = ""
    """BCP 47 tag used where the source names none."""
    licence: str = ""
    """Licence of its texts where the source names none."""
    limit: int = 500
    """At most so many entries are taken from one fetch, newest first."""


@dataclass(frozen=True, kw_only=True)
class SourceContext:
    """What a source is given from outside: the network, its memory, the clock."""

    fetcher: Fetches
    state: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What `SourceResult.state` said the last time; empty the first time."""
    now: datetime
    """Aware, in UTC."""
    base_dir: Path = Path()
    """The folder of bulletin.toml; relative paths in settings start there."""
    secrets: Mapping[str, str] = field(default_factory=lambda: os.environ)
    """Where keys are looked up by the name that a setting gives."""


@dataclass(frozen=True, kw_only=True)
class SourceResult:
    """What came of asking a source once. A source does not raise for its own troubles."""

    entries: tuple[Entry, ...] = ()
    state: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """To be stored with the entries and given back the next time, whatever the status."""
    status: SourceStatus = "nothing_new"
    message: str = ""
    """One sentence for the editors; never holds a key."""
    problems: tuple[str, ...] = ()
    """What was wrong with the data though it could be read."""


@runtime_checkable
class Source(Protocol):
    """Something that can be asked for entries."""

    @property
    def source_id(self) -> str:
        """Its name in bulletin.toml."""
        ...

    @property
    def kind(self) -> str:
        """The name of its entry point."""
        ...

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask once; troubles become a status and a message."""
        ...


class SourceType(Protocol):
    """What an entry point of `kuaibao.sources` names: how a kind's sources are made."""

    settings_type: type[Any]
    """A frozen pydantic dataclass, usually below `SourceSettings`."""

    def __call__(self, source_id: str, settings: Any, base_dir: Path) -> Source:
        """Make one source."""
        ...
