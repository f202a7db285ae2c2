"""The installed server is killed in the middle of its work, started again, and has lost nothing."""

import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx2
from newsroom import FakeClock, furnish
from sqlalchemy import func, select
from test_life_of_an_issue import full_issue

from kuaibao import accounts
from kuaibao.bulletin.desk import (
    AUDIT_CHAIN,
    Desk,
    close_issue,
    get_desk_issue,
    issue_folder,
    list_revisions,
    move_piece,
)
from kuaibao.bulletin.desk import tables as desk_tables

CONFIG = 'series = "快报"\nlanguage = "zh"\ndatabase = "desk.db"\n'
PATIENCE_S = 120


@contextmanager
def newsroom(folder):
    """The desk before or after the server had it."""
    desk = Desk.open(folder / "desk.db", folder)
    try:
        yield desk
    finally:
        desk.close()


def make(folder):
    (folder / "bulletin.toml").write_text(CONFIG, "utf-8")
    desk = Desk.open(folder / "desk.db", folder)
    room = furnish(desk, FakeClock(), 2)
    with desk.store.database.write() as connection:
        token, _ = accounts.create_key(
            connection, room.editor.person, scopes=("read", "write", "publish")
        )
    return room, {"authorization": f"Bearer {token}"}


class Server:
    """`kuaibao serve` in a process of its own."""

    def __init__(self, folder, headers):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kuaibao", "serve", str(folder), "--port", "0"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.base = re.search(r"http://[\d.:]+", self.process.stderr.readline())[0]
        self.client = httpx2.Client(base_url=self.base, headers=headers, timeout=60)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()
        self.client.close()


def whole(desk):
    """The database is sound and its audit chain holds."""
    with desk.store.database.read() as connection:
        assert connection.exec_driver_sql("pragma integrity_check").scalar() == "ok"
        assert accounts.verify_audit(connection, chain=AUDIT_CHAIN) > 0


def test_every_save_that_was_answered_is_there_after_a_kill(tmp_path):
    room, headers = make(tmp_path)
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    room.desk.close()
    answered = []
    for n_round in range(2):
        server = Server(tmp_path, headers)
        enough = threading.Event()

        def save(client, n_round=n_round, enough=enough):
            path = f"/api/v1/pieces/{piece_id}"
            try:
                base = client.get(path).json()["revision"]
                for n in range(100_000):
                    text = f"第 {n_round}-{n} 稿。" * 200
                    form = {"title": "题目", "body": text, "base_revision": base}
                    saved = client.put(f"{path}/text", json=form)
                    assert saved.status_code == 200
                    base = saved.json()["piece"]["revision"]
                    answered.append((base, text))
                    if n == 20:
                        enough.set()
            except httpx2.HTTPError:
                pass  # the server is gone

        writer = threading.Thread(target=save, args=(server.client,))
        writer.start()
        assert enough.wait(PATIENCE_S)
        server.process.send_signal(signal.SIGKILL)
        writer.join(PATIENCE_S)
        server.end()
    with newsroom(tmp_path) as desk:
        whole(desk)
        kept = {r.revision: r.text.body for r in list_revisions(desk, room.editor, piece_id)}
        assert all(kept[number] == text for number, text in answered)
        assert len(answered) > 40


def test_a_publication_that_is_killed_is_finished_by_the_next_start(tmp_path):
    room, headers = make(tmp_path)
    issue_id = full_issue(room, 1)
    content_hash = close_issue(room.desk, room.editor, issue_id).content_hash
    folder = issue_folder(room.desk, get_desk_issue(room.desk, issue_id))
    room.desk.close()
    server = Server(tmp_path, headers)
    assert server.client.post(f"/api/v1/issues/{issue_id}/publish").status_code < 300
    until = time.monotonic() + PATIENCE_S
    while not (folder.is_dir() and any(folder.iterdir())) and time.monotonic() < until:
        time.sleep(0.002)
    server.kill()  # some files stand, the rest does not
    again = Server(tmp_path, headers)
    try:
        until = time.monotonic() + PATIENCE_S
        state = ""
        while state != "published" and time.monotonic() < until:
            state = again.client.get(f"/api/v1/issues/{issue_id}").json()["state"]
            time.sleep(0.05)
        assert state == "published"
    finally:
        again.end()
    with newsroom(tmp_path) as desk:
        whole(desk)
        issue = get_desk_issue(desk, issue_id)
        assert issue.content_hash == content_hash
        assert sorted(issue.files.values()) == sorted(p.name for p in folder.iterdir())
        assert (folder / issue.files["pdf"]).read_bytes().rstrip().endswith(b"%%EOF")
        event = desk_tables.event.c
        with desk.store.database.read() as connection:
            asked = select(func.count()).where(event.action == "publish", event.piece_id.is_(None))
            assert connection.execute(asked).scalar() == 1
