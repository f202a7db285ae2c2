"""Applications: what somebody wants to use a model for, and what was decided.

    submitted ──► questions ──► submitted        (the applicant answers)
        │             │
        ├──► approved ──► suspended ──► approved
        └──► refused

Approval sets ceilings, a policy and an expiry; every decision carries its reasons and any exception
from the published rules, and goes into the audit log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from kuaibao.accounts import append_audit
from kuaibao.database import Database
from kuaibao.errors import InputError
from kuaibao.service.policy.rules import Policy
from kuaibao.service.tables import application, application_event, application_key
from kuaibao.service.usage import Ceilings

__all__ = ["CHAIN", "Application", "ApplicationBook", "ApplicationForm", "Decision", "Event"]

CHAIN = "service"
"""Name of the service's audit log."""

_OF_KEY = (
    select(application)
    .join(application_key, application_key.c.application_id == application.c.application_id)
    .where(application_key.c.key_id == bindparam("key_id"))
)

Status = Literal["submitted", "questions", "approved", "refused", "suspended"]

_NEXT: Mapping[Status, frozenset[Status]] = {
    "submitted": frozenset({"questions", "approved", "refused"}),
    "questions": frozenset({"submitted", "approved", "refused"}),
    "approved": frozenset({"approved", "suspended"}),
    "suspended": frozenset({"approved", "refused"}),
    "refused": frozenset(),
}


_EXCEPTIONS = "\nExceptions: "


@dataclass(frozen=True, kw_only=True)
class ApplicationForm:
    """What the review asks for; every field is needed."""

    purpose: str
    """What the text is used for."""
    audience: str
    """Who the users are."""
    output_seen_by: str
    """Who sees the output, and where it appears."""
    human_in_the_loop: str
    """Who reads the output before it is used; `none` if nobody does."""
    expected_tokens_per_day: int = 0

    def check(self) -> None:
        """Raise `InputError` naming each field that is empty or too long."""
        texts = {k: v for k, v in asdict(self).items() if isinstance(v, str)}
        empty = [k for k, v in texts.items() if not v.strip()]
        if empty:
            raise InputError(f"the application lacks: {', '.join(empty)}")
        for name, text in texts.items():
            if len(text) > 4000:
                raise InputError(f"{name}: {len(text)} characters, at most 4000")
        if self.expected_tokens_per_day < 0:
            raise InputError("expected_tokens_per_day must not be negative")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an administrator decides."""

    status: Literal["approved", "refused", "suspended"]
    reasons: str
    exceptions: str = ""
    """Where the published rules were not followed, and why: visible to everybody."""
    ceilings: Ceilings | None = None
    policy: Policy | None = None
    expires_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """One step of the review."""

    at: float
    actor: str
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Application:
    """An application with its present state."""

    application_id: int
    person_id: int
    name: str
    status: Status
    is_killed: bool
    created_at: float
    expires_at: float | None
    form: ApplicationForm
    ceilings: Ceilings
    policy: Policy

    def why_closed(self, now: float) -> str:
        """Why its keys open nothing now; empty if they do."""
        if self.is_killed:
            return "the application was switched off by an administrator"
        if self.status != "approved":
            return f"the application is not approved (its status: {self.status})"
        if self.expires_at is not None and self.expires_at < now:
            return "the application's approval has expired"
        return ""


class ApplicationBook:
    """Reads and writes applications; each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(
        self, person_id: int, name: str, form: ApplicationForm, *, actor: str
    ) -> Application:
        """File an application.

        Raises:
            InputError: A field is empty or too long.
        """
        form.check()
        if not 0 < len(name.strip()) <= 200:
            raise InputError("an application has a name of 1 to 200 characters")
        with self._database.write() as connection:
            result = connection.execute(
                insert(application).values(
                    person_id=person_id,
                    name=name.strip(),
                    status="submitted",
                    is_killed=False,
                    created_at=time.time(),
                    form=json.dumps(asdict(form), ensure_ascii=False),
                    ceilings=json.dumps(asdict(Ceilings())),
                    policy=Policy().to_json(),
                )
            )
            primary = result.inserted_primary_key
            assert primary is not None
            self._note(connection, int(primary[0]), actor, "submitted", form.purpose)
            return self._get(connection, int(primary[0]))

    def ask(self, application_id: int, question: str, *, actor: str) -> Application:
        """Ask the applicant something."""
        return self._move(application_id, "questions", actor, question)

    def answer(
        self, application_id: int, text: str, *, actor: str, form: ApplicationForm | None = None
    ) -> Application:
        """Answer, and mend the form if need be."""
        changes: dict[str, Any] = {}
        if form is not None:
            form.check()
            changes["form"] = json.dumps(asdict(form), ensure_ascii=False)
        return self._move(application_id, "submitted", actor, text, changes)

    def decide(self, application_id: int, decision: Decision, *, actor: str) -> Application:
        """Approve, refuse or suspend.

        Raises:
            InputError: No reasons, or the step is not possible from the present state.
        """
        if not decision.reasons.strip():
            raise InputError("a decision needs its reasons")
        changes: dict[str, Any] = {}
        if decision.status == "approved":
            changes["expires_at"] = decision.expires_at
            if decision.ceilings is not None:
                changes["ceilings"] = json.dumps(asdict(decision.ceilings))
            if decision.policy is not None:
                decision.policy.check()
                changes["policy"] = decision.policy.to_json()
        text = decision.reasons
        if decision.exceptions:
            text += f"{_EXCEPTIONS}{decision.exceptions}"
        return self._move(application_id, decision.status, actor, text, changes)

    def set_killed(self, application_id: int, is_killed: bool, *, actor: str) -> Application:
        """The kill switch: works at once, whatever the state."""
        with self._database.write() as connection:
            self._get(connection, application_id)
            connection.execute(
                update(application)
                .where(application.c.application_id == application_id)
                .values(is_killed=is_killed)
            )
            kind = "switched off" if is_killed else "switched on"
            self._note(connection, application_id, actor, kind, "")
            return self._get(connection, application_id)

    def get(self, application_id: int) -> Application:
        """One application.

        Raises:
            InputError: There is none with that number.
        """
        with self._database.read() as connection:
            return self._get(connection, application_id)

    def list(
        self, *, status: Status | None = None, person_id: int | None = None
    ) -> list[Application]:
        """Applications, oldest first."""
        query = select(application).order_by(application.c.application_id)
        if status is not None:
            query = query.where(application.c.status == status)
        if person_id is not None:
            query = query.where(application.c.person_id == person_id)
        with self._database.read() as connection:
            return [_application(row) for row in connection.execute(query)]

    def events(self, application_id: int) -> list[Event]:
        """Its history, oldest first."""
        query = (
            select(application_event)
            .where(application_event.c.application_id == application_id)
            .order_by(application_event.c.event_id)
        )
        with self._database.read() as connection:
            return [
                Event(at=row.at, actor=row.actor, kind=row.kind, text=row.text)
                for row in connection.execute(query)
            ]

    def exceptions(self) -> list[str]:
        """The exceptions that decisions made for all to see, newest first; nobody is named."""
        query = (
            select(application_event.c.text)
            .where(application_event.c.kind == "approved")
            .where(application_event.c.text.contains(_EXCEPTIONS))
            .order_by(application_event.c.event_id.desc())
            .limit(100)
        )
        with self._database.read() as connection:
            return [str(row.text).partition(_EXCEPTIONS)[2] for row in connection.execute(query)]

    def bind_key(self, key_id: int, application_id: int) -> None:
        """Say that a key works for an application."""
        with self._database.write() as connection:
            connection.execute(
                insert(application_key).values(key_id=key_id, application_id=application_id)
            )

    def of_key(self, key_id: int) -> Application:
        """The application that a key works for.

        Raises:
            InputError: The key belongs to none.
        """
        with self._database.read() as connection:
            row = connection.execute(_OF_KEY, {"key_id": key_id}).first()
        if row is None:
            raise InputError("the key belongs to no application")
        return _application(row)

    def key_ids(self, application_id: int) -> list[int]:
        """The keys of an application."""
        query = select(application_key.c.key_id).where(
            application_key.c.application_id == application_id
        )
        with self._database.read() as connection:
            return [int(key) for key in connection.execute(query).scalars()]

    def _move(
        self,
        application_id: int,
        status: Status,
        actor: str,
        text: str,
        changes: dict[str, Any] | None = None,
    ) -> Application:
        with self._database.write() as connection:
            before = self._get(connection, application_id)
            if status not in _NEXT[before.status]:
                raise InputError(
                    f"application {application_id} is {before.status}: it cannot become {status}"
                )
            connection.execute(
                update(application)
                .where(application.c.application_id == application_id)
                .values(status=status, **(changes or {}))
            )
            self._note(connection, application_id, actor, status, text)
            return self._get(connection, application_id)

    def _note(
        self, connection: Connection, application_id: int, actor: str, kind: str, text: str
    ) -> None:
        at = time.time()
        connection.execute(
            insert(application_event).values(
                application_id=application_id, at=at, actor=actor, kind=kind, text=text
            )
        )
        append_audit(
            connection,
            chain=CHAIN,
            actor=actor,
            action=f"application {kind}",
            subject=f"application:{application_id}",
            details={"text": text},
            now=at,
        )

    @staticmethod
    def _get(connection: Connection, application_id: int) -> Application:
        row = connection.execute(
            select(application).where(application.c.application_id == application_id)
        ).first()
        if row is None:
            raise InputError(f"there is no application {application_id}")
        return _application(row)


def _application(row: Row[Any]) -> Application:
    known = {f.name for f in fields(Ceilings)}
    ceilings = {k: v for k, v in json.loads(row.ceilings).items() if k in known}
    return Application(
        application_id=row.application_id,
        person_id=row.person_id,
        name=row.name,
        status=row.status,
        is_killed=bool(row.is_killed),
        created_at=row.created_at,
        expires_at=row.expires_at,
        form=ApplicationForm(**json.loads(row.form)),
        ceilings=Ceilings(**ceilings),
        policy=Policy.from_json(row.policy),
    )
