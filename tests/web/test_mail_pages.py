"""Subscribing and leaving by the public pages."""

import pytest
from serving import Serving

from kuaibao.bulletin.mailing import find_by_token, list_subscribers


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("mail"), 0) as serving:
        serving.web.mail.stop()
        settings = {"smtp_host": "127.0.0.1", "smtp_security": "none",
                    "mail_sender": "desk@example.org", "public_url": "https://desk.example.org"}  # fmt: skip
        with serving.browser("administrator") as browser:
            assert browser.submit("/subscribers/settings", **settings).status_code == 303
        yield serving


def _ask(server, address):
    with server.reader() as stranger:
        answer = stranger.post("/subscribe/1", data={"email": address})
    assert answer.status_code == 200
    (found,) = [
        s for s in list_subscribers(server.desk, server.room.editor, 1) if s.email == address
    ]
    return found


def test_a_link_that_is_only_looked_at_confirms_nothing(server):
    found = _ask(server, "one@example.net")
    with server.reader() as scanner:
        assert scanner.get(f"/subscription/{found.token}").status_code == 200
        assert find_by_token(server.desk, found.token).state == "pending"
        assert scanner.post(f"/subscription/{found.token}").status_code == 200
    assert find_by_token(server.desk, found.token).state == "active"


def test_a_mail_program_leaves_at_one_click_from_elsewhere(server):
    found = _ask(server, "two@example.net")
    with server.reader() as program:
        program.post(f"/subscription/{found.token}")
        leave = f"/subscription/{found.token}/leave"
        assert program.get(leave).status_code == 200
        assert find_by_token(server.desk, found.token).state == "active"
        answer = program.post(
            leave,
            data={"List-Unsubscribe": "One-Click"},
            headers={"origin": "https://mail.example"},
        )
    assert (answer.status_code, answer.text) == (200, "left")
    assert find_by_token(server.desk, found.token).state == "left"


def test_nobody_learns_who_reads(server):
    _ask(server, "three@example.net")
    with server.reader() as stranger:
        known = stranger.post("/subscribe/1", data={"email": "three@example.net"})
        unknown = stranger.post("/subscribe/1", data={"email": "nobody@example.net"})
        assert known.text == unknown.text
        assert stranger.get("/subscription/guessed").status_code == 404
        wrong = stranger.post("/subscribe/1", data={"email": "a@b.cd\r\nBcc: x@y.zz"})
        assert wrong.status_code == 422


def test_a_stranger_asks_only_so_often(server, monkeypatch):
    monkeypatch.setattr(server.web, "_strangers", {})
    with server.reader() as stranger:
        answers = [
            stranger.post("/subscribe/1", data={"email": f"flood{n}@example.net"}).status_code
            for n in range(12)
        ]
    assert answers[-1] == 429


def test_only_those_who_may_see_the_addresses(server):
    for role, status in (
        ("editor", 200),
        ("administrator", 200),
        ("compiler", 403),
        ("reader", 403),
    ):
        with server.browser(role) as browser:
            assert browser.get("/subscribers").status_code == status
    with server.browser("editor") as browser:  # the mail server is the administrator's
        assert browser.submit("/subscribers/settings", smtp_security="none").status_code == 403
