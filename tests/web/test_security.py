"""What strangers try: forged forms, old sessions, guesses, scripts, paths."""

import re

import pytest
from lxml import html
from newsroom import PASSWORD, entry, file_entries
from serving import Serving
from test_life_of_an_issue import full_issue

from kuaibao import accounts
from kuaibao.bulletin.desk import (
    PieceText,
    Term,
    add_comment,
    add_term,
    assign,
    close_issue,
    draft_issue,
    make_issue,
    move_piece,
    place_piece,
    publish_issue,
    save_text,
)
from kuaibao.bulletin.publishing import render
from kuaibao.web.access import SESSION_COOKIE

PAYLOADS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg/onload=alert(1)>',
    "javascript:alert(1)", "{{ 7*7 }}{% import os %}", "'-alert(1)-'", "</title><script>x</script>",
    "<a href='javascript:alert(1)'>x</a>", "&lt;script&gt;", "\u202e<b>\u0000</b>",
    "]]><!--<iframe srcdoc='<script>1</script>'>", "<math><mi xlink:href='data:x,1'>",
    "data:text/html,<script>1</script>", "#let x = read(\"/etc/passwd\")",
)  # fmt: skip


def test_a_form_without_the_sessions_token_is_refused(server):
    with server.browser("administrator") as browser:
        fields = {"name": "mallory", "password": "long enough", "role": "administrator"}
        for csrf in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
            assert browser.post("/people", data=fields | csrf).status_code == 403
        with server.browser("editor") as other:
            stolen = other.csrf()
        assert browser.post("/people", data=fields | {"csrf": stolen}).status_code == 403
    with server.desk.store.database.read() as connection:
        assert accounts.find_person(connection, "mallory") is None


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}],
)
def test_a_request_from_another_site_is_refused_even_with_the_token(server, headers):
    with server.browser("administrator") as browser:
        answer = browser.post("/notes", data={"csrf": browser.csrf()}, headers=headers)
    assert answer.status_code == 403


def test_nobody_is_signed_in_by_another_sites_form(server):
    with server.browser() as browser:
        answer = browser.post("/signin", data={"name": "root", "password": PASSWORD})
    assert answer.status_code == 403
    assert SESSION_COOKIE not in answer.cookies


def _sign_in(browser, name, password, **fields):
    before = re.search(r'name="before" value="([^"]+)"', browser.get("/signin").text)
    assert before
    data = {"name": name, "password": password, "before": before[1], **fields}
    return browser.post("/signin", data=data)


def test_a_session_from_before_signing_in_is_never_taken_over(server):
    planted = "session-planted-by-somebody-else"
    with server.browser() as browser:
        browser.cookies.set(SESSION_COOKIE, planted)
        answer = _sign_in(browser, "root", PASSWORD, next="https://evil.example/")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert answer.cookies[SESSION_COOKIE] != planted
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    with server.browser() as thief:
        thief.cookies.set(SESSION_COOKIE, planted)
        assert thief.get("/settings").status_code == 303


def test_signing_out_ends_the_session_on_the_server(server):
    with server.browser("reader") as browser:
        secret = browser.cookies[SESSION_COOKIE]
        assert browser.submit("/signout").status_code == 303
    with server.browser() as thief:
        thief.cookies.set(SESSION_COOKIE, secret)
        assert thief.get("/settings").status_code == 303


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "x"])
def test_nobody_is_sent_elsewhere_after_switching(server, path):
    with server.browser() as browser:
        answer = browser.post("/language", data={"language": "zh", "back": path})
    assert answer.headers["location"] == "/"


def test_guessing_a_password_is_slowed_down(tmp_path):
    with Serving(tmp_path, 0) as server, server.browser() as browser:
        answers = [_sign_in(browser, "root", "wrong password").status_code for _ in range(6)]
        assert answers == [401] * 5 + [429]
        assert _sign_in(browser, "root", PASSWORD).status_code == 429


def test_a_body_without_end_is_cut_off(server):
    with server.browser("editor") as browser:
        csrf = browser.csrf()
        big = {"csrf": csrf, "text": "x" * 3_000_000}
        assert browser.post("/pieces/1/comments", data=big).status_code in (400, 413)


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py"]
)
def test_no_path_leads_out_of_the_static_files(server, path):
    with server.browser() as browser:
        assert browser.get(path).status_code == 404


def test_no_name_of_a_file_leads_out_of_a_published_issue(tmp_path):
    with Serving(tmp_path, 1) as server:
        issue_id = full_issue(server.room, 1)
        close_issue(server.desk, server.room.editor, issue_id)
        publish_issue(server.desk, server.room.editor, issue_id, ("html", "json", "mail"))
        with server.browser("editor") as browser:
            assert browser.get(f"/read/{issue_id}/index.html").status_code == 200
            for name in ("../../../desk.db", "..%2f..%2f..%2fdesk.db", "%2fetc%2fpasswd", "%00",
                         "index.html%00.pdf", "C:%5cwin.ini", "..%5cdesk.db", "mail.eml"):  # fmt: skip
                assert browser.get(f"/read/{issue_id}/{name}").status_code == 404, name


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Every field that comes from outside, full of what should not be there."""
    with Serving(tmp_path_factory.mktemp("hostile"), 0) as server:
        room = server.room
        entries = [
            entry(
                n, title=f"{p} title", summary=f"{p}. A sentence with {p}.", authors=(p,), venue=p,
                url=p if n % 2 else f"https://example.org/{n}?{p}", licence=p, categories=(p,),
            )
            for n, p in enumerate(PAYLOADS)
        ]  # fmt: skip
        file_entries(server.desk, tuple(entries))
        issue = make_issue(server.desk, room.editor, room.series.series_id, title=PAYLOADS[0])
        for piece_id, payload in zip(room.found(), PAYLOADS, strict=True):
            move_piece(server.desk, room.editor, piece_id, "pick")
            assign(server.desk, room.editor, piece_id, compiler_id=room.compiler.person_id)
            text = PieceText(
                title=payload, body=f"{payload}。{payload}", fields=((payload, payload),)
            )
            save_text(server.desk, room.compiler, piece_id, text, base_revision=0, note=payload)
            add_comment(server.desk, room.editor, piece_id, payload, quote=payload)
            place_piece(server.desk, room.editor, piece_id, issue.issue_id)
            term = Term(source_language="en", target_language="zh", source=f"{payload} t",
                        target=payload, avoid=(payload,), note=payload)  # fmt: skip
            add_term(server.desk, room.editor, term)
        yield server, issue.issue_id


def test_nothing_from_outside_becomes_markup_on_any_page(hostile):
    server, issue_id = hostile
    paths = ["/inbox?state=picked", "/work?who=all", "/archive?q=title", "/terms", "/notes",
             f"/issues/{issue_id}", "/calendar", "/issues", "/inbox?q=%22%3E%3Cscript%3E"]  # fmt: skip
    for piece_id in server.room.found():
        paths += [f"/pieces/{piece_id}", f"/pieces/{piece_id}/history"]
    with server.browser("editor") as browser:
        for path in paths:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            _assert_clean(answer.text, path, own_scripts=2)


def test_nothing_from_outside_becomes_markup_in_a_published_issue(hostile):
    server, issue_id = hostile
    forms, _ = render(draft_issue(server.desk, issue_id), ("html", "atom", "mail", "pdf"))
    page = forms["html"].decode()
    assert "alert(1)</script>" not in page
    assert forms["pdf"].startswith(b"%PDF-")
    head = forms["mail"].partition(b"\r\n\r\n")[0]
    assert b"<script" not in head


def _assert_clean(text, path, own_scripts):
    tree = html.fromstring(text)
    assert len(tree.xpath("//script")) == own_scripts, path
    assert tree.xpath("//*[@onerror or @onload or @onclick or @onmouseover]") == [], path
    assert tree.xpath("//iframe | //object | //embed | //base | //style") == [], path
    for address in tree.xpath("//@href | //@src | //@action | //@hx-get | //@hx-post"):
        scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", address.strip().lower())
        assert scheme is None or scheme[1] in ("http", "https"), (path, address)
