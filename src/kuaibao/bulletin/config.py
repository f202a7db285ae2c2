"""`bulletin.toml`: what a bulletin is, in one strict file.

Every wrong setting is named at once, with its line and column, and the nearest known name.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.errors import ConfigError, ConfigProblem
from kuaibao.bulletin.model import SectionKind
from kuaibao.bulletin.settings import STRICT, BulletinSettings, EditionSettings
from kuaibao.bulletin.sources import Source, make_source, source_kinds
from kuaibao.bulletin.sources.schedule import parse_interval
from kuaibao.bulletin.toml_positions import Positions, TomlPath
from kuaibao.errors import Place, did_you_mean

__all__ = ["CONFIG_NAME", "BulletinConfig", "SourceEntry", "load_config", "parse_config"]

CONFIG_NAME = "bulletin.toml"
MAX_BYTES = 1_000_000
MAX_PROBLEMS = 50


@dataclass(frozen=True, kw_only=True)
class SourceEntry:
    """One `[[sources]]` table: the source and what the pipeline itself reads of it."""

    source: Source
    section: SectionKind | None = None
    """Where its items go; by their kind if not given."""
    weight: float = 1.0
    """Multiplies the score of its items."""
    every: timedelta | None = None
    """How often it is asked under watch; an hour if not given."""


@dataclass(frozen=True, kw_only=True)
class BulletinConfig:
    """A checked bulletin.toml with its sources made."""

    folder: Path
    settings: BulletinSettings
    sources: tuple[SourceEntry, ...]

    @property
    def database(self) -> str:
        """Where the store is: an address, or an absolute path."""
        where = self.settings.database
        return where if "://" in where else str((self.folder / where).absolute())

    @property
    def editions(self) -> tuple[EditionSettings, ...]:
        """Every edition with all its fields filled; the main one first, with `out` empty."""
        main = self.settings
        first = EditionSettings(
            language=main.language,
            title=main.title,
            series=main.series,
            publisher=main.publisher,
            editors=main.editors,
            contact=main.contact,
            disclaimer=main.disclaimer,
            text_languages=main.text_languages,
            section_titles={s.kind: s.title for s in main.sections if s.title},
            signatures=main.signatures,
        )
        return (first, *(_filled(edition, first) for edition in main.editions))


def _filled(edition: EditionSettings, main: EditionSettings) -> EditionSettings:
    same_language = edition.language == main.language
    headings = main.section_titles if same_language else {}
    return dataclasses.replace(
        edition,
        out=edition.out or edition.language,
        title=edition.title or main.title,
        series=edition.series or main.series,
        publisher=edition.publisher or main.publisher,
        editors=edition.editors or main.editors,
        contact=edition.contact or main.contact,
        disclaimer=edition.disclaimer or main.disclaimer,
        section_titles=edition.section_titles or headings,
        signatures=edition.signatures
        if edition.signatures.compiled_by or edition.signatures.proofread_by
        else main.signatures,
    )


def load_config(folder: str | Path) -> BulletinConfig:
    """Read `bulletin.toml` from a folder (or the file itself).

    Raises:
        ConfigError: There is none, or it is wrong; every wrong setting is named.
    """
    path = Path(folder)
    path = path / CONFIG_NAME if path.is_dir() else path
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(
                [ConfigProblem(f"larger than {MAX_BYTES:,} bytes", Place(file=str(path)))]
            )
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            [
                ConfigProblem(
                    f"can't be read: {error.strerror or error}",
                    Place(file=str(path)),
                    f"A bulletin is a folder with a {CONFIG_NAME}; see docs/bulletin.md.",
                )
            ]
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = ConfigProblem("is not UTF-8", Place(file=str(path), line=line))
        raise ConfigError([problem]) from error
    return parse_config(text, folder=path.parent, file=str(path))


def parse_config(text: str, *, folder: Path, file: str = CONFIG_NAME) -> BulletinConfig:
    """Read the text of a bulletin.toml.

    Raises:
        ConfigError: It is wrong; every wrong setting is named with its place.
    """
    text = text.replace("\r\n", "\n")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([_syntax_problem(error, text, file)]) from error
    positions = Positions(text, file)
    raw_sources = table.pop("sources", [])
    problems: list[ConfigProblem] = []
    settings: BulletinSettings | None = None
    try:
        settings = TypeAdapter(BulletinSettings).validate_python(table)
    except ValidationError as error:
        problems += [
            _problem(one, positions, (), BulletinSettings)
            for one in error.errors(include_url=False)
        ]
    sources = _sources(raw_sources, positions, folder, problems)
    if settings is not None:
        problems += _contradictions(settings, positions)
    if problems or settings is None:
        ordered = sorted(problems, key=lambda p: (p.place.line, p.place.column))
        raise ConfigError(ordered[:MAX_PROBLEMS])
    return BulletinConfig(folder=folder, settings=settings, sources=tuple(sources))


def _syntax_problem(error: Exception, text: str, file: str) -> ConfigProblem:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    message = re.sub(r"\s*\(at .*\)", "", str(error)) or "nested too deeply"
    if found is None:
        return ConfigProblem(message, Place(file=file))
    line, column = int(found[1]), int(found[2])
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    return ConfigProblem(message, Place(file=file, line=line, column=column, source_line=shown))


def _sources(
    raw: Any, positions: Positions, folder: Path, problems: list[ConfigProblem]
) -> list[SourceEntry]:
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        place = positions.place(("sources",), at_key=True)
        problems.append(ConfigProblem("sources are tables: [[sources]]", place))
        return []
    made: list[SourceEntry] = []
    seen: set[str] = set()
    for i, one in enumerate(raw):
        path: TomlPath = ("sources", i)
        found = len(problems)
        own = _own_settings(dict(one), path, positions, seen, problems)
        settings = {k: v for k, v in one.items() if k not in _OWN_KEYS}
        _check_source_settings(one.get("kind"), settings, path, positions, problems)
        if len(problems) == found and own is not None:
            source = make_source(own.id, own.kind, settings, folder)
            made.append(
                SourceEntry(
                    source=source,
                    section=own.section,
                    weight=own.weight,
                    every=parse_interval(own.every),
                )
            )
    return made


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class _OwnSettings:
    """What every `[[sources]]` table holds whatever its kind."""

    id: str = Field(min_length=1, max_length=100)
    """The source's name, unique in the bulletin."""
    kind: str
    """Where it comes from: feed, folder, ical, …"""
    section: SectionKind | None = None
    """Where its items go; by their kind if not given."""
    weight: float = Field(default=1.0, ge=0, le=1000)
    """Multiplies the score of its items."""
    every: str = "1h"
    """How often `kuaibao watch` asks it: 30m, 6h, 1d, 1w."""

    @field_validator("every")
    @classmethod
    def _interval(cls, value: str) -> str:
        parse_interval(value)
        return value


_OWN_KEYS = frozenset(f.name for f in dataclasses.fields(_OwnSettings))


def _own_settings(
    one: dict[str, Any],
    path: TomlPath,
    positions: Positions,
    seen: set[str],
    problems: list[ConfigProblem],
) -> _OwnSettings | None:
    own = {k: v for k, v in one.items() if k in _OWN_KEYS}
    try:
        settings = TypeAdapter(_OwnSettings).validate_python(own)
    except ValidationError as error:
        problems += [
            _problem(e, positions, path, _OwnSettings) for e in error.errors(include_url=False)
        ]
        return None
    kinds = source_kinds()
    if settings.kind not in kinds:
        place = positions.place((*path, "kind"))
        hint = did_you_mean(settings.kind, kinds)
        problems.append(ConfigProblem(f"unknown source kind '{settings.kind}'", place, hint))
    if settings.id in seen:
        place = positions.place((*path, "id"))
        problems.append(ConfigProblem(f"a second source is called '{settings.id}'", place))
    seen.add(settings.id)
    return settings


def _check_source_settings(
    kind: Any,
    settings: dict[str, Any],
    path: TomlPath,
    positions: Positions,
    problems: list[ConfigProblem],
) -> None:
    kinds = source_kinds()
    if not isinstance(kind, str) or kind not in kinds:
        return
    settings_type = kinds[kind].load().settings_type
    try:
        TypeAdapter(settings_type).validate_python(settings)
    except ValidationError as error:
        problems += [
            _problem(one, positions, path, settings_type, extra=_OWN_KEYS)
            for one in error.errors(include_url=False)
        ]


def _contradictions(settings: BulletinSettings, positions: Positions) -> list[ConfigProblem]:
    """What is wrong though every setting by itself is right."""
    found: list[ConfigProblem] = []
    if settings.writing.translator_folder and settings.writing.translator != "offline":
        place = positions.place(("writing", "translator_folder"), at_key=True)
        message = "translator_folder is for the translator 'offline'"
        found.append(ConfigProblem(message, place, 'Set translator = "offline".'))
    kinds = [s.kind for s in settings.sections]
    for i, kind in enumerate(kinds):
        if kind in kinds[:i]:
            place = positions.place(("sections", i, "kind"))
            found.append(ConfigProblem(f"a second section is of kind '{kind}'", place))
    outs = [""]
    for i, edition in enumerate(settings.editions):
        out = (edition.out or edition.language).strip("/")
        if out in outs:
            place = positions.place(("editions", i), at_key=True)
            message = f"two editions would be written to the folder '{out or '.'}'"
            found.append(ConfigProblem(message, place, "Give one of them another 'out'."))
        outs.append(out)
    return found


def _problem(
    error: Any,
    positions: Positions,
    prefix: TomlPath,
    root: Any,
    extra: frozenset[str] = frozenset(),
) -> ConfigProblem:
    path: TomlPath = (*prefix, *(part for part in error["loc"] if part != "[key]"))
    name = str(path[-1]) if path else "bulletin.toml"
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = set(_fields_at(root, error["loc"][:-1])) | extra
        place = positions.place(path, at_key=True)
        return ConfigProblem(f"unknown setting '{name}'", place, did_you_mean(name, known))
    if error["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        place = positions.place(path[:-1], at_key=True)
        return ConfigProblem(f"setting '{name}' is missing", place)
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    shown = repr(error["input"])
    shown = f"setting '{name}' is {shown}: " if len(shown) <= 60 and path else f"'{name}': "
    hint = ""
    if error["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        hint, message = did_you_mean(str(error["input"]), known), "not one of the known values"
    if path == prefix:  # a rule of the whole table
        return ConfigProblem(message, positions.place(path, at_key=True), hint)
    return ConfigProblem(shown + message, positions.place(path), hint)


def _fields_at(root: Any, loc: tuple[Any, ...]) -> list[str]:
    """Names of the settings in the (nested) dataclass that `loc` leads to."""
    current = root
    for part in loc:
        if isinstance(part, int) or not dataclasses.is_dataclass(current):
            continue
        field = next((f for f in dataclasses.fields(current) if f.name == part), None)
        inner = getattr(current, "__pydantic_fields__", {}).get(part) if field else None
        annotation = getattr(inner, "annotation", None)
        arguments = getattr(annotation, "__args__", ())
        current = next((a for a in (annotation, *arguments) if dataclasses.is_dataclass(a)), None)
    return (
        [f.name for f in dataclasses.fields(current)] if dataclasses.is_dataclass(current) else []
    )
