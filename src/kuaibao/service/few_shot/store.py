"""Templates by name and version, and what was measured of them; a version never changes."""

from __future__ import annotations

import importlib.resources
import json
import re
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from kuaibao.accounts import append_audit
from kuaibao.database import Database
from kuaibao.errors import InputError
from kuaibao.service.few_shot.template import Template, parse_template
from kuaibao.service.tables import few_shot_report, few_shot_template

__all__ = ["StoredTemplate", "TemplateBook", "builtin_names"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
MAX_VERSIONS = 1000


@dataclass(frozen=True, kw_only=True)
class StoredTemplate:
    """A version."""

    name: str
    version: int
    """From 1; 0 is what comes with the program."""
    created_at: float
    created_by: str
    template: Template


class TemplateBook:
    """A person's templates; those that come with the program are everybody's version 0."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, person_id: int, name: str, template: Template, *, actor: str) -> StoredTemplate:
        """Keep a new version.

        Raises:
            InputError: A name that is none, or too many versions.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name!r} is no template's name", hint="Small letters, digits, '.', '_', '-'."
            )
        own = (
            few_shot_template.c.person_id == person_id, few_shot_template.c.name == name,
        )  # fmt: skip
        with self._database.write() as connection:
            query = select(func.max(few_shot_template.c.version)).where(*own)
            version = (connection.execute(query).scalar() or 0) + 1
            if version > MAX_VERSIONS:
                raise InputError(f"{name} has {MAX_VERSIONS} versions: begin under another name")
            connection.execute(
                insert(few_shot_template).values(
                    person_id=person_id, name=name, version=version, body=template.to_json(),
                    created_at=time.time(), created_by=actor,
                )
            )  # fmt: skip
            append_audit(
                connection, chain="service", actor=actor, action="template kept",
                subject=f"template:{person_id}:{name}:{version}",
            )  # fmt: skip
        return self.get(person_id, name, version)

    def get(self, person_id: int, name: str, version: int | None = None) -> StoredTemplate:
        """A version, the newest if none is named; else the program's own.

        Raises:
            InputError: There is none.
        """
        query = (
            select(few_shot_template)
            .where(few_shot_template.c.person_id == person_id, few_shot_template.c.name == name)
            .order_by(few_shot_template.c.version.desc())
            .limit(1)
        )
        if version is not None:
            query = query.where(few_shot_template.c.version == version)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is not None:
            return _stored(row)
        if name in builtin_names() and version in (None, 0):
            return _builtin(name)
        which = "" if version is None else f" with version {version}"
        raise InputError(f"there is no template {name!r}{which}")

    def list(self, person_id: int) -> list[StoredTemplate]:
        """The newest version of each, by name; the program's own where there is no other."""
        query = select(few_shot_template).where(few_shot_template.c.person_id == person_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(few_shot_template.c.version)).all()
        found = {name: _builtin(name) for name in builtin_names()}
        found |= {row.name: _stored(row) for row in rows}
        return [found[name] for name in sorted(found)]

    def versions(self, person_id: int, name: str) -> list[StoredTemplate]:
        """All versions of a name, oldest first."""
        query = (
            select(few_shot_template)
            .where(few_shot_template.c.person_id == person_id, few_shot_template.c.name == name)
            .order_by(few_shot_template.c.version)
        )
        with self._database.read() as connection:
            found = [_stored(row) for row in connection.execute(query)]
        return ([_builtin(name)] if name in builtin_names() else []) + found

    def delete(self, person_id: int, name: str, *, actor: str) -> int:
        """Delete all versions and their reports; gives how many versions there were."""
        with self._database.write() as connection:
            for table in (few_shot_report, few_shot_template):
                n_row = connection.execute(
                    delete(table).where(table.c.person_id == person_id, table.c.name == name)
                ).rowcount
            append_audit(
                connection, chain="service", actor=actor, action="template deleted",
                subject=f"template:{person_id}:{name}",
            )  # fmt: skip
        return n_row

    def add_report(
        self, person_id: int, stored: StoredTemplate, model: str, report: dict[str, Any]
    ) -> None:
        """Keep what was measured of a version."""
        with self._database.write() as connection:
            connection.execute(
                insert(few_shot_report).values(
                    person_id=person_id, name=stored.name, version=stored.version, model=model,
                    at=time.time(), body=json.dumps(report),
                )
            )  # fmt: skip

    def reports(self, person_id: int, name: str) -> list[dict[str, Any]]:
        """What was measured of a template, newest first."""
        query = (
            select(few_shot_report)
            .where(few_shot_report.c.person_id == person_id, few_shot_report.c.name == name)
            .order_by(few_shot_report.c.report_id.desc())
            .limit(100)
        )
        with self._database.read() as connection:
            return [
                {"version": row.version, "model": row.model, "at": row.at} | json.loads(row.body)
                for row in connection.execute(query)
            ]


def builtin_names() -> list[str]:
    """Templates that come with the program."""
    folder = importlib.resources.files("kuaibao.service.few_shot") / "builtin"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


@cache
def _builtin(name: str) -> StoredTemplate:
    folder = importlib.resources.files("kuaibao.service.few_shot") / "builtin"
    text = (folder / f"{name}.toml").read_text(encoding="utf-8")
    template = parse_template(text, is_toml=True)
    return StoredTemplate(
        name=name, version=0, created_at=0.0, created_by="kuaibao", template=template
    )


def _stored(row: Row[Any]) -> StoredTemplate:
    return StoredTemplate(
        name=row.name, version=row.version, created_at=row.created_at, created_by=row.created_by,
        template=parse_template(row.body),
    )  # fmt: skip
