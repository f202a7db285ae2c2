"""Web hooks against a real server: signed, in order, again until they answer, never lost."""

import base64
import hashlib
import hmac
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "desk"))

from newsroom import open_newsroom

from kuaibao.accounts import PermissionDeniedError
from kuaibao.bulletin.desk import Worker, move_piece
from kuaibao.bulletin.hooks import (
    add_hook,
    list_hooks,
    open_hooks,
    remove_hook,
    resume_hook,
    tell_hooks,
)
from kuaibao.bulletin.hooks.telling import BACKOFF_S
from kuaibao.errors import InputError
from kuaibao.fetching import Fetcher, FetchSettings

SETTINGS = FetchSettings(allowed_addresses=("127.0.0.1",), interval_s=0.0, n_retry=0, total_s=60)


class Receiver:
    """A program that is told: it keeps what came and answers as it was told to."""

    def __init__(self):
        self.taken, self.status, self.came = [], 200, threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.taken.append((dict(self.headers), body))
                self.send_response(outer.status)
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()
                outer.came.set()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?key=s"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def types(self):
        return [json.loads(body)["type"] for _, body in self.taken]


@pytest.fixture
def receiver():
    made = Receiver()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def room(tmp_path):
    with open_newsroom(tmp_path, 2) as made:
        open_hooks(made.desk)
        yield made


@pytest.fixture
def fetcher():
    with Fetcher(SETTINGS) as made:
        yield made


def test_an_event_arrives_signed_as_the_receiver_can_check(room, receiver, fetcher):
    hook, secret = add_hook(room.desk, room.administrator, receiver.url, ["pick"])
    first, second = room.found()
    move_piece(room.desk, room.editor, first, "pick")
    move_piece(room.desk, room.editor, second, "drop")  # not asked for
    assert tell_hooks(room.desk, fetcher) == 1
    assert tell_hooks(room.desk, fetcher) == 0
    ((headers, body),) = receiver.taken
    told = json.loads(body)
    assert (told["type"], told["piece"]["piece_id"], told["piece"]["state"]) == (
        "pick", first, "picked",
    )  # fmt: skip
    assert told["by"]["display_name"] == "Eva Editor"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    (known,) = list_hooks(room.desk, room.administrator)
    assert known.told_at is not None
    assert secret not in str(known)
    assert hook.events == ("pick",)


def test_a_hook_is_told_only_what_happens_after_it_was_made(room, receiver, fetcher):
    first, second = room.found()
    move_piece(room.desk, room.editor, first, "pick")
    add_hook(room.desk, room.administrator, receiver.url)
    move_piece(room.desk, room.editor, second, "pick")
    tell_hooks(room.desk, fetcher)
    assert [json.loads(b)["piece"]["piece_id"] for _, b in receiver.taken] == [second]


def test_what_failed_is_told_again_later_in_order_under_the_same_name(room, receiver, fetcher):
    add_hook(room.desk, room.administrator, receiver.url)
    first, second = room.found()
    receiver.status = 500
    move_piece(room.desk, room.editor, first, "pick")
    move_piece(room.desk, room.editor, second, "drop")
    assert tell_hooks(room.desk, fetcher) == 0
    assert tell_hooks(room.desk, fetcher) == 0  # its time has not come
    assert len(receiver.taken) == 1
    (known,) = list_hooks(room.desk, room.administrator)
    assert (known.n_try, known.is_active) == (1, True)
    assert "500" in known.message
    assert "key=s" not in known.message
    receiver.status = 204
    room.clock.at += BACKOFF_S[0] + 1
    assert tell_hooks(room.desk, fetcher) == 2
    assert receiver.types() == ["pick", "pick", "drop"]
    ids = [headers["webhook-id"] for headers, _ in receiver.taken]
    assert ids[0] == ids[1] != ids[2]
    assert list_hooks(room.desk, room.administrator)[0].n_try == 0


def test_a_hook_that_fails_for_days_is_set_aside_and_loses_nothing(room, receiver, fetcher):
    hook, _ = add_hook(room.desk, room.administrator, receiver.url)
    receiver.status = 302  # where it leads is never asked
    move_piece(room.desk, room.editor, room.found()[0], "pick")
    for _ in range(len(BACKOFF_S) + 1):
        tell_hooks(room.desk, fetcher)
        room.clock.at += BACKOFF_S[-1] + 1
    (known,) = list_hooks(room.desk, room.administrator)
    assert not known.is_active
    assert len(receiver.taken) == len(BACKOFF_S) + 1
    receiver.status = 200
    tell_hooks(room.desk, fetcher)
    assert len(receiver.taken) == len(BACKOFF_S) + 1
    resume_hook(room.desk, room.administrator, hook.hook_id)
    assert tell_hooks(room.desk, fetcher) >= 1
    assert receiver.types()[-1] == "pick"


def test_a_hook_that_is_gone_is_not_asked_again(room, receiver, fetcher):
    add_hook(room.desk, room.administrator, receiver.url)
    receiver.status = 410
    move_piece(room.desk, room.editor, room.found()[0], "pick")
    tell_hooks(room.desk, fetcher)
    assert not list_hooks(room.desk, room.administrator)[0].is_active


def test_an_address_within_the_house_is_refused_unless_the_settings_allow_it(room, receiver):
    add_hook(room.desk, room.administrator, receiver.url)
    move_piece(room.desk, room.editor, room.found()[0], "pick")
    with Fetcher(FetchSettings(interval_s=0.0)) as guarded:
        assert tell_hooks(room.desk, guarded) == 0
    assert receiver.taken == []
    (known,) = list_hooks(room.desk, room.administrator)
    assert known.n_try == 1
    assert "public" in known.message


def test_a_teller_that_died_before_it_noted_the_answer_tells_again_by_the_same_name(
    room, receiver, fetcher, monkeypatch
):
    add_hook(room.desk, room.administrator, receiver.url)
    move_piece(room.desk, room.editor, room.found()[0], "pick")

    def dies(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("kuaibao.bulletin.hooks.telling._note", dies)
        with pytest.raises(KeyboardInterrupt):
            tell_hooks(room.desk, fetcher)
    assert tell_hooks(room.desk, fetcher) == 1
    first, second = (headers["webhook-id"] for headers, _ in receiver.taken)
    assert first == second


def test_the_worker_tells_soon_after_it_is_woken(room, receiver):
    add_hook(room.desk, room.administrator, receiver.url)
    with Fetcher(SETTINGS) as fetcher:
        worker = Worker("hooks", lambda _: tell_hooks(room.desk, fetcher), interval_s=600)
        worker.start()
        try:
            move_piece(room.desk, room.editor, room.found()[0], "pick")
            worker.wake()
            assert receiver.came.wait(60)
        finally:
            worker.stop()
    assert worker.problem == ""


def test_only_administrators_manage_hooks_and_addresses_are_checked(room):
    with pytest.raises(PermissionDeniedError):
        add_hook(room.desk, room.editor, "https://example.org/")
    for wrong in ("ftp://example.org", "javascript:alert(1)", "https://", "x"):
        with pytest.raises(InputError):
            add_hook(room.desk, room.administrator, wrong)
    with pytest.raises(InputError, match="unknown event"):
        add_hook(room.desk, room.administrator, "https://example.org/", ["pik"])
    hook, _ = add_hook(room.desk, room.administrator, "https://example.org/")
    remove_hook(room.desk, room.administrator, hook.hook_id)
    assert list_hooks(room.desk, room.administrator) == []
