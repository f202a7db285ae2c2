"""The pages: all there in both languages, and nobody sees or does what is not theirs."""

import re
import tomllib
from importlib import resources

import httpx2
import pytest
from newsroom import TRANSLATION
from serving import Serving
from test_life_of_an_issue import FORMATS, full_issue, write_and_sign

from kuaibao.bulletin.desk import (
    PieceText,
    assign,
    close_issue,
    get_desk_issue,
    get_piece,
    get_text,
    issue_pieces,
    list_pieces,
    make_issue,
    move_piece,
    publish_issue,
    save_text,
)

PAGES = ("/inbox", "/work", "/issues", "/archive?q=model", "/calendar", "/trends", "/people", "/sources",
         "/terms", "/notes", "/settings", "/subscribers", "/read", "/pieces/1", "/pieces/1/history",
         "/inbox?state=picked", "/work?who=all")  # fmt: skip


def catalogue(language):
    text = (resources.files("kuaibao.web") / "locales" / f"{language}.toml").read_text("utf-8")
    return {f"{t}.{k}": v for t, rows in tomllib.loads(text).items() for k, v in rows.items()}


def test_both_languages_say_the_same_things_with_the_same_slots():
    en, zh = catalogue("en"), catalogue("zh")
    assert set(en) == set(zh)
    slots = lambda text: set(re.findall(r"\{(\w+)\}", text))  # noqa: E731
    assert {k for k in en if slots(en[k]) != slots(zh[k])} == set()


def test_every_phrase_that_a_template_names_is_in_the_catalogue():
    folder = resources.files("kuaibao.web") / "templates"
    texts = [
        p.read_text("utf-8") for d in (folder, folder / "parts") for p in d.iterdir() if p.is_file()
    ]
    named = {key for text in texts for key in re.findall(r"\bt\('([\w.]+)'[,)]", text)}
    assert named
    assert named <= set(catalogue("en"))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_in_both_languages(server, path, language):
    with server.browser("editor") as browser:
        browser.cookies.set("kuaibao_language", language)
        answer = browser.get(path)
    assert answer.status_code == 200
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
    words = catalogue(language)
    assert words["nav.inbox"] in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_script_or_style_inside(server, path):
    with server.browser("editor") as browser:
        answer = browser.get(path)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text)
    assert not re.search(r"<style|\sstyle=|\son\w+=", answer.text)


# Rows: pages; columns: nobody, administrator, editor, compiler, proofreader, reader.
DOORS = """
/inbox          303 200 200 200 200 403
/work           303 200 200 200 200 403
/pieces/1       303 200 200 200 200 403
/issues         303 200 200 200 200 403
/archive        303 200 200 200 200 403
/people         303 200 200 200 200 403
/sources        303 200 200 200 200 403
/terms          303 200 200 200 200 403
/subscribers    303 200 200 403 403 403
/settings       303 200 200 200 200 200
/read           303 200 200 200 200 200
/signin         200 303 303 303 303 303
/api/v1/people  401 200 200 200 200 403
/api/v1/backup  401 200 403 403 403 403
/api/v1/settings 401 200 403 403 403 403
"""


def test_every_door_opens_to_those_to_whom_it_should(server):
    roles = ("", "administrator", "editor", "compiler", "proofreader", "reader")
    wrong = []
    for role, column in zip(roles, range(1, 7), strict=True):
        with server.browser(role) as browser:
            for line in DOORS.strip().splitlines():
                cells = line.split()
                status = browser.get(cells[0]).status_code
                if status != int(cells[column]):
                    wrong.append((role, cells[0], status, cells[column]))
    assert wrong == []


def test_one_key_picks_a_story_and_puts_it_where_it_belongs(server):
    piece_id = server.room.found()[-1]
    with server.browser("compiler") as browser:
        answer = browser.post(
            f"/pieces/{piece_id}/quick", data={"move": "pick"},
            headers={"x-csrf-token": browser.csrf(), "hx-request": "true"},
        )  # fmt: skip
        assert answer.status_code == 200
        assert "story-picked" in answer.text
        assert browser.submit(f"/pieces/{piece_id}/quick", move="undo").status_code == 303
    assert get_piece(server.desk, server.room.editor, piece_id).state == "found"


def test_two_editors_at_one_text_lose_nothing(server):
    room, piece_id = server.room, server.room.found()[0]
    move_piece(server.desk, room.editor, piece_id, "pick")
    assign(server.desk, room.editor, piece_id, compiler_id=room.compiler.person_id)
    base = save_text(
        server.desk, room.compiler, piece_id, PieceText(title="题", body="甲。乙。丙。"), base_revision=0
    ).piece.revision  # fmt: skip
    with server.browser("editor") as one, server.browser("compiler") as two:
        fields = {"title": "题", "base_revision": base}
        first = one.submit(f"/pieces/{piece_id}/text", body="甲一。乙。丙。", **fields)
        merged = two.submit(f"/pieces/{piece_id}/text", body="甲。乙。丙二。", **fields)
        assert (first.status_code, merged.status_code) == (303, 303)
        assert get_text(server.desk, room.editor, piece_id).body == "甲一。乙。丙二。"
        late = two.submit(f"/pieces/{piece_id}/text", body="甲三。乙。丙。", **fields)
    assert late.status_code == 409
    assert "甲三。" in late.text
    assert "甲一。" in late.text
    assert get_text(server.desk, room.editor, piece_id).body == "甲一。乙。丙二。"


def test_typing_is_checked_against_the_original_without_saving(server):
    piece_id = server.room.found()[0]
    text = TRANSLATION.replace("3200", "9999")
    with server.browser("compiler") as browser:
        answer = browser.submit(f"/pieces/{piece_id}/review", title="T", body=text)
    assert answer.status_code == 200
    assert "9999" in answer.text
    assert "finding-number_added" in answer.text


def test_an_issue_is_closed_previewed_and_published_by_the_pages(tmp_path_factory):
    from serving import Serving

    with Serving(tmp_path_factory.mktemp("issue"), 2) as server:
        room = server.room
        issue_id = full_issue(room, 1)
        other = room.found()[1]
        move_piece(server.desk, room.editor, other, "pick")
        with server.browser("editor") as browser:
            assert browser.submit(f"/issues/{issue_id}/place", piece_id=other).status_code == 303
            refused = browser.submit(f"/issues/{issue_id}/close")
            assert refused.status_code == 409
            assert f"/pieces/{other}" in refused.text
            browser.submit(f"/issues/{issue_id}/place", piece_id=other, out="true")
            assert browser.submit(f"/issues/{issue_id}/close").status_code == 303
            preview = browser.get(f"/issues/{issue_id}/preview")
            assert "Chen Wen" in preview.text
            assert "sandbox" in preview.headers["content-security-policy"]
            assert browser.submit(f"/issues/{issue_id}/publish").status_code == 303
        server.server.should_exit = True  # the server is stopped while it publishes
        server.thread.join(60)
    with Serving.reopened(server.folder) as again:
        for _ in range(600):
            if get_desk_issue(again.desk, issue_id).state == "published":
                break
            again.thread.join(0.1)
        with again.reader() as reader:
            assert reader.get("/read").status_code == 303
        again.desk.set_setting(again.administrator(), "anonymous_reading", "yes")
        with again.reader() as reader:
            assert "快报" in reader.get("/read").text
            page = reader.get(f"/read/{issue_id}/index.html")
            assert "模型学会了阅读" in page.text
            assert reader.get(f"/read/{issue_id}/issue.pdf").content[:5] == b"%PDF-"
            for path in (
                "mail.eml",
                "..%2f..%2fbulletin.toml",
                "%2e%2e",
                "desk.db",
                "issue.json%00",
            ):
                assert reader.get(f"/read/{issue_id}/{path}").status_code == 404, path
            assert reader.get("/inbox").status_code == 303


def test_the_calendar_and_the_desk_show_what_is_due(tmp_path_factory):
    from serving import Serving

    with Serving(tmp_path_factory.mktemp("due"), 1) as server:
        piece_id = server.room.found()[0]
        move_piece(server.desk, server.room.editor, piece_id, "pick")
        assign(
            server.desk, server.room.editor, piece_id, due="2026-11-01",
            compiler_id=server.room.compiler.person_id,
        )  # fmt: skip
        with server.browser("compiler") as browser:
            assert 'class="late"' in browser.get("/work").text
            assert "date-due" in browser.get("/calendar").text
            assert f"/pieces/{piece_id}" in browser.get("/notes").text


def test_the_order_of_an_issue_is_kept_and_never_written_over(tmp_path_factory):
    from serving import Serving

    with Serving(tmp_path_factory.mktemp("order"), 2) as server:
        room = server.room
        issue_id = full_issue(room, 2)
        a, b = [p.piece_id for p in issue_pieces(server.desk, issue_id)]
        with server.browser("editor") as browser:
            path = f"/issues/{issue_id}/order"
            assert browser.submit(path, order=f"{b},{a}", known=f"{a},{b}").status_code == 204
            assert [p.piece_id for p in issue_pieces(server.desk, issue_id)] == [b, a]
            assert browser.submit(path, order=f"{a},{b}", known=f"{a},{b}").status_code == 409
            assert browser.submit(path, order="1;drop", known="").status_code == 422
        assert close_issue(server.desk, room.editor, issue_id).state == "closed"
        assert publish_issue(server.desk, room.editor, issue_id, FORMATS).state == "published"


def test_own_text_is_refused_in_the_readers_language(server):
    piece = write_and_sign(server.room, server.room.found()[1])
    save_text(
        server.desk, server.room.editor, piece.piece_id, PieceText(title="新题", body="新文。"),
        base_revision=piece.revision,
    )  # fmt: skip
    with server.browser("editor") as browser:
        browser.cookies.set("kuaibao_language", "zh")
        answer = browser.submit(f"/pieces/{piece.piece_id}/move", move="proofread")
    assert answer.status_code == 409
    assert "不得校对自己的文稿" in answer.text
    assert list_pieces(server.desk, server.room.editor, states=("compiled",))


def test_forty_people_at_once_never_wait_for_each_other_for_ever(tmp_path):
    """More threads than connections, each holding one and wanting another, once stood still."""
    from concurrent.futures import ThreadPoolExecutor

    with Serving(tmp_path, 1) as server:
        room = server.room
        issue = make_issue(server.desk, room.editor, room.series.series_id)
        token = server.token_of("editor", "publish")
        headers = {"authorization": f"Bearer {token}"}

        def close(_):
            return httpx2.post(
                f"{server.base}/api/v1/issues/{issue.issue_id}/close", headers=headers, timeout=25
            ).status_code

        with ThreadPoolExecutor(40) as pool:
            assert set(pool.map(close, range(80))) == {409}
