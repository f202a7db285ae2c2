"""The service put together: database, books, guard and models. It knows no HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy

from kuaibao import accounts
from kuaibao.accounts import ApiKey, Person
from kuaibao.database import Database, open_database
from kuaibao.errors import InputError
from kuaibao.service import tables
from kuaibao.service.alerts import alert_teller
from kuaibao.service.engine.pool import ModelPool, ModelSpec
from kuaibao.service.errors import ForbiddenError, KeyRefusedError, RateLimitError
from kuaibao.service.picture_models import PictureModels
from kuaibao.service.policy import (
    Application,
    ApplicationBook,
    ApplicationForm,
    Decision,
    Guard,
    Policy,
    ReviewQueue,
)
from kuaibao.service.settings import ServiceSettings
from kuaibao.service.usage import (
    BudgetBook,
    Ceilings,
    Ledger,
    Price,
    PriceList,
    QuotaBook,
    Reservation,
    UsageRow,
)

__all__ = ["ROLES", "SCOPES", "Caller", "Service", "make_pool", "open_service_database"]

ROLES = ("administrator", "developer")
SCOPES = ("complete", "embed", "files", "tune", "admin")
"""What a key may do; a key without scopes may do everything but `admin`."""

ROTATION_GRACE_S = 3600.0
"""How long a rotated key still works."""

_UNLIMITED = Ceilings(
    requests_per_minute=0, tokens_per_minute=0, tokens_per_day=0, tokens_per_month=0
)


@dataclass(frozen=True)
class Caller:
    """Who is asking, and for which application."""

    key: ApiKey
    person: Person
    application: Application

    def require(self, scope: str) -> None:
        """Raise `ForbiddenError` unless the key has the scope."""
        scopes = self.key.scopes or tuple(s for s in SCOPES if s != "admin")
        if scope not in scopes:
            raise ForbiddenError(
                f"the key lacks the scope '{scope}'", code="insufficient_permissions"
            )


@dataclass
class Service:
    """Everything that a request needs."""

    settings: ServiceSettings
    database: Database
    pool: ModelPool
    make_spec: Callable[[str, str], ModelSpec]
    """How a model's folder is loaded: (name, folder) → spec."""
    ledger: Ledger = field(init=False)
    quotas: QuotaBook = field(init=False)
    budgets: BudgetBook = field(init=False)
    applications: ApplicationBook = field(init=False)
    review_queue: ReviewQueue = field(init=False)
    guard: Guard = field(init=False)
    picture_models: PictureModels = field(init=False)
    started_at: float = field(default_factory=time.time)
    is_running: bool = True
    """False for the shell's look at the data folder of a service that may be at work."""

    def __post_init__(self) -> None:
        prices = {name: Price(**dict(price)) for name, price in self.settings.prices.items()}
        self.ledger = Ledger(
            self.database, PriceList(currency=self.settings.currency, by_model=prices)
        )
        self.quotas = QuotaBook(self.ledger)
        self.budgets = BudgetBook(self.database, alert_teller(self.settings))
        self.applications = ApplicationBook(self.database)
        self.review_queue = ReviewQueue(self.database)
        self.guard = Guard(self.review_queue)
        self.picture_models = PictureModels(
            self.settings.image_models, timeout_s=self.settings.timeout_s
        )
        if not self.is_running:
            return
        self.ledger.recover()
        self.review_queue.purge()
        for name, job_id in self._fine_tuned():
            folder = Path(self.settings.data) / "jobs" / job_id / "model"
            if folder.exists():
                self.add_model(name, str(folder))

    def _fine_tuned(self) -> list[tuple[str, str]]:
        query = sqlalchemy.select(tables.job.c.fine_tuned_model, tables.job.c.job_id).where(
            tables.job.c.status == "succeeded"
        )
        with self.database.read() as connection:
            return [(str(name), str(job_id)) for name, job_id in connection.execute(query)]

    def identify(self, secret: str, *, must_be_open: bool = True) -> Caller:
        """The caller behind a key. It only reads: see `note_use`.

        Args:
            secret: The key.
            must_be_open: Whether its application must be approved and running; an applicant who
                waits may still read and answer.

        Raises:
            KeyRefusedError: No such key, or it has ended.
            ForbiddenError: Its application is not open.
        """
        if not secret:
            raise KeyRefusedError(
                "You didn't provide an API key: send it as 'Authorization: Bearer KEY'."
            )
        try:
            with self.database.read() as connection:
                key, person = accounts.check_key(connection, secret, notes_use=False)
                application = self.applications.of_key(key.key_id)
        except (accounts.InvalidKeyError, InputError) as error:
            raise KeyRefusedError(f"Incorrect API key provided: {error.message}.") from error
        closed = application.why_closed(time.time())
        if closed and must_be_open:
            raise ForbiddenError(closed, code="application_closed")
        return Caller(key, person, application)

    def note_use(self, secret: str) -> None:
        """Enter the time at which a key was last used; at most once a minute it writes."""
        with self.database.write() as connection, contextlib.suppress(accounts.InvalidKeyError):
            accounts.check_key(connection, secret)

    def make_key(
        self, application: Application, *, label: str = "", scopes: tuple[str, ...] = (),
        expires_at: float | None = None, actor: str,
    ) -> tuple[str, ApiKey]:  # fmt: skip
        """A key for an application; its secret is known only now.

        Raises:
            InputError: Unknown scope.
        """
        unknown = set(scopes) - set(SCOPES)
        if unknown:
            raise InputError(f"unknown scope {sorted(unknown)[0]!r}", hint=", ".join(SCOPES))
        with self.database.write() as connection:
            person = accounts.get_person(connection, application.person_id)
            secret, key = accounts.create_key(
                connection, person, label=label, scopes=scopes, expires_at=expires_at
            )
            accounts.append_audit(
                connection,
                chain="service",
                actor=actor,
                action="key made",
                subject=f"key:{key.key_id}",
                details={"application": application.application_id, "scopes": list(scopes)},
            )
        self.applications.bind_key(key.key_id, application.application_id)
        return secret, key

    def rotate_key(self, key_id: int, *, actor: str) -> tuple[str, ApiKey]:
        """A successor for a key, which itself works for another hour.

        Raises:
            InputError: There is no such key, or it has ended.
        """
        application = self.applications.of_key(key_id)
        with self.database.write() as connection:
            secret, key = accounts.rotate_key(connection, key_id, grace_s=ROTATION_GRACE_S)
            accounts.append_audit(
                connection, chain="service", actor=actor, action="key rotated",
                subject=f"key:{key_id}", details={"successor": key.key_id},
            )  # fmt: skip
        self.applications.bind_key(key.key_id, application.application_id)
        return secret, key

    def sign_up(
        self, person_name: str, email: str, name: str, form: ApplicationForm
    ) -> tuple[str, Application]:
        """A stranger files an application: they get a key that opens nothing until it is approved.

        Raises:
            InputError: The name is taken, or the application lacks something.
        """
        form.check()
        with self.database.write() as connection:
            if accounts.find_person(connection, person_name):
                raise InputError(f"there is an account named {person_name!r} already")
            person = accounts.create_person(
                connection, person_name, password=None, roles=["developer"], email=email
            )
        application = self.applications.submit(person.person_id, name, form, actor=person_name)
        secret, _ = self.make_key(application, label="first key", actor=person_name)
        return secret, application

    def first_administrator_key(self) -> str | None:
        """At the first start: makes the administrator and gives their key; later None."""
        with self.database.write() as connection:
            if accounts.list_people(connection):
                return None
            person = accounts.create_person(
                connection, "administrator", password=None, roles=["administrator"]
            )
        form = ApplicationForm(
            purpose="Run this service",
            audience="Its administrators",
            output_seen_by="Administrators",
            human_in_the_loop="The administrator",
        )
        application = self.applications.submit(
            person.person_id, "The house itself", form, actor="system"
        )
        application = self.applications.decide(
            application.application_id,
            Decision(
                status="approved",
                reasons="Made at the first start",
                ceilings=_UNLIMITED,
                policy=Policy(input={}, output={}),
            ),
            actor="system",
        )
        secret, _ = self.make_key(application, label="first key", scopes=SCOPES, actor="system")
        return secret

    def admit(self, caller: Caller, row: UsageRow, n_prompt_token: int, n_most: int) -> Reservation:
        """Reserve what a request can use at most, and write it down before its first token.

        Raises:
            RateLimitError: A ceiling is reached or a budget spent.
        """
        self.budgets.check(row)
        number, ceilings = caller.application.application_id, caller.application.ceilings
        try:
            reservation = self.quotas.reserve(number, ceilings, n_most, end_user=row.end_user)
        except RateLimitError as error:
            error.headers |= self.quotas.headers(number, ceilings)
            raise
        self.ledger.open(row, n_prompt_token)
        return reservation

    def settle(
        self, row: UsageRow, reservation: Reservation, n_in: int, n_out: int, status: str
    ) -> None:
        """Bring the books to what a request used."""
        cost = self.ledger.prices.of(row.model).cost(n_in, n_out)
        self.budgets.count(row, n_in + n_out, cost)
        self.ledger.update(row, n_in, n_out, status=status)
        self.quotas.settle(row.application_id, reservation, n_in + n_out, cost)

    def hash_end_user(self, user: str) -> str:
        """The `user` field as it is kept: a keyed hash, different for every installation."""
        return hashlib.blake2b(
            user.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16
        ).hexdigest()

    @property
    def _secret(self) -> bytes:
        path = Path(self.settings.data) / "secret"
        try:
            return path.read_bytes()[:64]
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
            return path.read_bytes()[:64]

    def add_model(self, name: str, folder: str) -> None:
        """Make a fine-tuned model known, now and after a restart (its job's row tells)."""
        self.pool.add(self.make_spec(name, folder))

    def close(self) -> None:
        """Let the models finish and close the database."""
        self.pool.close()
        self.database.close()


def open_service_database(data: str | os.PathLike[str]) -> Database:
    """The service's database in its data folder, tables made if need be."""
    database = open_database(Path(data) / "service.db")
    with database.write() as connection:
        accounts.create_tables(connection)
        tables.create_tables(connection)
    return database


def make_pool(settings: ServiceSettings, specs: Mapping[str, ModelSpec]) -> ModelPool:
    """A pool with the settings' budget."""
    return ModelPool(
        specs, budget_bytes=int(settings.memory_gb * 1e9), max_waiting=settings.max_waiting
    )
