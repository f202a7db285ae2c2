"""Runs the application on a free port, and signs people in."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from newsroom import FakeClock, Newsroom, furnish

from kuaibao import accounts
from kuaibao.bulletin.config import parse_config
from kuaibao.bulletin.desk import Actor, Desk
from kuaibao.web import Newsroom as WebNewsroom
from kuaibao.web import create_app
from kuaibao.web.access import SESSION_COOKIE

CONFIG = """
series = "快报"
language = "zh"
"""


class Serving:
    """An open application with its newsroom."""

    def __init__(
        self, folder: Path, n_story: int = 3, *, is_new: bool = True, config: str = CONFIG
    ) -> None:
        self.folder = folder
        parsed = parse_config(config, folder=folder)
        self.desk = Desk.open(folder / "desk.db", folder)
        if is_new:
            self.room: Newsroom = furnish(self.desk, FakeClock(), n_story)
        self.web = WebNewsroom(self.desk, parsed)
        self.app = create_app(self.web)
        self.server = uvicorn.Server(
            uvicorn.Config(self.app, host="127.0.0.1", port=0, log_level="error",
                           timeout_graceful_shutdown=2)
        )  # fmt: skip
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> Serving:
        self.thread.start()
        while not self.server.started:
            self.thread.join(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(30)

    @classmethod
    def reopened(cls, folder: Path) -> Serving:
        """The same desk after a restart."""
        return cls(folder, is_new=False)

    def reader(self) -> httpx2.Client:
        """Somebody without an account."""
        return httpx2.Client(base_url=self.base, timeout=30)

    def administrator(self) -> Actor:
        with self.desk.store.database.read() as connection:
            person = accounts.find_person(connection, "root")
        assert person is not None
        return Actor(person)

    def session_of(self, role: str) -> str:
        """A session as signing in makes it, without the slow hash of a password."""
        with self.desk.store.database.write() as connection:
            secret, _ = accounts.start_session(connection, self.room.people[role].person)
        return secret

    def browser(self, role: str = "", **options: Any) -> Browser:
        """A client with the role's session (nobody's, if empty)."""
        cookies = {SESSION_COOKIE: self.session_of(role)} if role else {}
        return Browser(base_url=self.base, cookies=cookies, timeout=30, **options)

    def token_of(self, role: str, *scopes: str) -> str:
        with self.desk.store.database.write() as connection:
            secret, _ = accounts.create_key(
                connection, self.room.people[role].person, scopes=scopes
            )
        return secret

    def api(self, role: str, *scopes: str) -> httpx2.Client:
        headers = {"authorization": f"Bearer {self.token_of(role, *scopes)}"}
        return httpx2.Client(base_url=self.base, headers=headers, timeout=30)


class Browser(httpx2.Client):
    """Follows nothing by itself; sends the session's CSRF token with forms."""

    def csrf(self) -> str:
        page = self.get("/settings").text
        found = re.search(r'<meta name="csrf" content="([^"]*)">', page)
        assert found, page[:500]
        return found[1]

    def submit(self, path: str, **fields: Any) -> httpx2.Response:
        return self.post(path, data={"csrf": self.csrf(), **fields})
