"""What every request shares: the desk, its configuration, the hub, the work in the background."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.desk import (
    Actor,
    Desk,
    Event,
    Worker,
    collect,
    finish_publications,
    newest_piece,
    remind,
)
from kuaibao.bulletin.hooks import open_hooks, tell_hooks
from kuaibao.bulletin.mailing import open_mailing, send_waiting
from kuaibao.bulletin.writing import pictures_of
from kuaibao.errors import KuaibaoError
from kuaibao.fetching import Fetcher, FetchSettings
from kuaibao.web.live import Hub

__all__ = ["Newsroom", "TooManyRequestsError"]

_log = logging.getLogger("kuaibao.web")


STRANGER_LIMIT, STRANGER_WINDOW_S = 10, 3600.0


class TooManyRequestsError(KuaibaoError):
    """A stranger asks too often."""


@dataclass
class Newsroom:
    """The open application."""

    desk: Desk
    config: BulletinConfig
    hub: Hub = field(default_factory=Hub)
    is_secure: bool = False
    """Served over https: cookies then never travel in the clear."""
    _collecting: threading.Lock = field(default_factory=threading.Lock)
    _open: ExitStack = field(default_factory=ExitStack)
    failures: list[str] = field(default_factory=list)
    """What went wrong in the background lately, for the sources' page."""

    def __post_init__(self) -> None:
        self.desk.tell = self._tell
        self.desk.pictures = pictures_of(self.config)
        open_mailing(self.desk)
        open_hooks(self.desk)
        self.printing = Worker("publish", self._print, interval_s=30, trouble=self._note)
        self.mail = Worker("mail", partial(send_waiting, self.desk), interval_s=15)
        self.hooks = Worker("hooks", self._tell_hooks, interval_s=10)
        self.inbox = Worker("inbox", self._look_into_inbox, interval_s=3)
        self._newest = newest_piece(self.desk)
        self._strangers: dict[str, list[float]] = {}

    def allow_stranger(self, address: str) -> None:
        """Let somebody without an account ask for a few letters an hour.

        Raises:
            TooManyRequestsError: Enough for now.
        """
        now = time.monotonic()
        if len(self._strangers) > 10_000:
            self._strangers.clear()
        recent = [t for t in self._strangers.get(address, []) if now - t < STRANGER_WINDOW_S]
        if len(recent) >= STRANGER_LIMIT:
            raise TooManyRequestsError("too many requests; try again in an hour")
        self._strangers[address] = [*recent, now]

    def start(self) -> None:
        """Go on with publications that a kill left half done, and wait for new ones."""
        self._fetcher = self._open.enter_context(Fetcher(self.fetch_settings))
        for worker in self._workers:
            worker.start()
        self.printing.wake()

    def stop(self) -> None:
        """Let the background finish what it does, then close."""
        self.hub.close()
        for worker in self._workers:
            worker.stop()
        self._open.close()
        with self._collecting:
            self.desk.close()

    def wake(self) -> None:
        """Say that there is something to publish."""
        self.printing.wake()

    @property
    def is_collecting(self) -> bool:
        """Whether the sources are being asked."""
        return self._collecting.locked()

    def collect(self, actor: Actor) -> bool:
        """Ask the sources in the background; False if they are being asked already."""
        actor.require("collect")
        if not self._collecting.acquire(blocking=False):
            return False
        threading.Thread(target=self._collect, args=(actor,), daemon=True).start()
        return True

    @property
    def fetch_settings(self) -> FetchSettings:
        """How the way out to the network is open."""
        return self.config.settings.fetching.limits()

    def _tell(self, event: Event) -> None:
        self.hub.tell(event)
        self.hooks.wake()

    def _collect(self, actor: Actor) -> None:
        try:
            with Fetcher(self.fetch_settings) as fetcher:
                collect(self.desk, actor, self.config, fetcher)
        except KuaibaoError as error:
            self._note(str(error))
        except Exception as error:
            _log.exception("collecting failed")
            self._note(f"{type(error).__name__}: {error}")
        finally:
            self._collecting.release()

    @property
    def _workers(self) -> tuple[Worker, ...]:
        return (self.printing, self.mail, self.hooks, self.inbox)

    def _print(self, stopping: threading.Event) -> None:
        remind(self.desk)
        finish_publications(self.desk)

    def _look_into_inbox(self, stopping: threading.Event) -> None:
        """`kuaibao watch` files in a process of its own: what came is told here."""
        newest = newest_piece(self.desk)
        if newest != self._newest:
            self._newest = newest
            self.hub.tell(Event(action="collect"))

    def _tell_hooks(self, stopping: threading.Event) -> None:
        tell_hooks(self.desk, self._fetcher, should_stop=stopping.is_set)

    def _note(self, text: str) -> None:
        self.failures = [*self.failures[-19:], text]
