"""The JSON API: the whole of the workflow by tokens, scopes, documents, backup."""

import sqlite3

import pytest
from newsroom import SOURCE_TEXT, TRANSLATION
from serving import Serving

from kuaibao.database import restore


def test_an_issue_is_made_by_tokens_alone(tmp_path):
    with Serving(tmp_path, 1) as server:
        editor = server.api("editor", "read", "write", "publish")
        compiler = server.api("compiler", "read", "write")
        proofreader = server.api("proofreader", "read", "write")
        with editor, compiler, proofreader:
            (piece,) = editor.get("/api/v1/pieces", params={"state": "found"}).json()
            path = f"/api/v1/pieces/{piece['piece_id']}"
            assert editor.post(f"{path}/moves", json={"move": "pick"}).json()["state"] == "picked"
            staff = {p["name"]: p["person_id"] for p in editor.get("/api/v1/people").json()}
            given = {"compiler_id": staff["compiler"], "proofreader_id": staff["proofreader"]}
            editor.put(f"{path}/people", json=given)
            text = {"title": "题目", "body": TRANSLATION}
            review = compiler.post(f"{path}/review", json=text).json()
            assert review["is_translation"]
            assert [s["findings"] for s in review["sentences"]] == [[], [], [], []]
            saved = compiler.put(f"{path}/text", json=text | {"base_revision": 0}).json()
            assert saved["status"] == "saved"
            signing = {"move": "compile", "revision": saved["piece"]["revision"]}
            assert compiler.post(f"{path}/moves", json=signing).json()["state"] == "compiled"
            own = editor.post(f"{path}/moves", json={"move": "proofread"})
            assert (own.status_code, own.json()["reason"]) == (409, "not_yours")
            assert proofreader.get(f"{path}/moves").json() == ["proofread", "send_back"]
            proofreader.post(f"{path}/moves", json={"move": "proofread"})
            editor.post(f"{path}/moves", json={"move": "accept"})
            series_id = editor.get("/api/v1/series").json()[0]["series_id"]
            issue = editor.post("/api/v1/issues", json={"series_id": series_id}).json()
            where = f"/api/v1/issues/{issue['issue_id']}"
            empty = editor.post(f"{where}/close")
            assert (empty.status_code, empty.json()["obstacles"][0]["reason"]) == (409, "empty")
            editor.put(f"{path}/issue", json={"issue_id": issue["issue_id"]})
            closed = editor.post(f"{where}/close").json()
            content = editor.get(f"{where}/content").json()
            assert content["content_hash"] == closed["content_hash"]
            assert editor.post(f"{where}/publish").status_code == 202
            signatures = editor.get(f"{path}/signatures").json()
            assert [s["role"] for s in signatures] == ["compiled", "proofread"]


@pytest.mark.parametrize(
    ("scopes", "status"), [(("read",), 403), (("publish",), 403), (("write",), 200)]
)
def test_a_token_does_only_what_its_scope_says(server, scopes, status):
    piece_id = server.room.found()[2]
    with server.api("editor", *scopes) as client:
        answer = client.post(f"/api/v1/pieces/{piece_id}/moves", json={"move": "drop"})
        assert answer.status_code == status
        if status == 200:
            client.post(f"/api/v1/pieces/{piece_id}/moves", json={"move": "undo"})


def test_a_token_never_makes_a_wider_one(server):
    with server.api("editor", "read") as client:
        answer = client.post("/api/v1/tokens", json={"scopes": ["admin"]})
        assert answer.status_code == 422
        made = client.post("/api/v1/tokens", json={"scopes": ["read"]}).json()
    assert made["secret"].startswith("kb-")


def test_a_revoked_or_invented_token_opens_nothing(server):
    with server.api("compiler", "read") as client:
        (key,) = client.get("/api/v1/tokens").json()
        assert client.delete(f"/api/v1/tokens/{key['key_id']}").status_code == 204
        assert client.get("/api/v1/me").status_code == 401
        assert client.get("/api/v1/me", headers={"authorization": "Bearer kb-x"}).status_code == 401


def test_a_session_needs_its_csrf_token_to_change_anything(server):
    with server.browser("editor") as browser:
        assert browser.get("/api/v1/me").json()["name"] == "editor"
        assert browser.post("/api/v1/notifications/read").status_code == 403
        headers = {"x-csrf-token": browser.csrf()}
        assert browser.post("/api/v1/notifications/read", headers=headers).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/pieces/999999", None, 404),
        ("GET", "/api/v1/pieces/99999999999999999999", None, 422),
        ("GET", "/api/v1/pieces/x", None, 422),
        ("POST", "/api/v1/pieces/1/moves", {"move": "fly"}, 422),
        ("POST", "/api/v1/pieces/1/moves", {"move": "accept", "extra": 1}, 422),
        ("POST", "/api/v1/issues", {"series_id": 77}, 404),
        ("POST", "/api/v1/issues", {"series_id": 1, "day": "yesterday"}, 422),
        ("PUT", "/api/v1/pieces/1/text", {"base_revision": 0, "body": "x" * 200_001}, 422),
        ("GET", "/api/v1/archive?q=%22%22", None, 422),
        ("GET", "/api/v1/nothing", None, 404),
    ],
)
def test_a_wrong_request_is_told_in_json(server, method, path, body, status):
    with server.api("editor", "read", "write", "publish", "admin") as client:
        answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["message"]


def test_the_document_names_every_operation_with_words(server):
    with server.browser() as nobody:
        document = nobody.get("/api/openapi.json").json()
    operations = [o for path in document["paths"].values() for o in path.values()]
    assert len(operations) > 40
    assert all(o.get("description") for o in operations)
    assert {p for p in document["paths"] if not p.startswith("/api/v1/")} == set()


def test_a_backup_made_while_open_can_be_restored(server, tmp_path):
    with server.api("administrator", "admin") as client:
        answer = client.get("/api/v1/backup")
    copy = tmp_path / "copy.db"
    copy.write_bytes(answer.content)
    restored = restore(copy, tmp_path / "again.db")
    with sqlite3.connect(restored) as connection:
        assert connection.execute("select count(*) from desk_piece").fetchone()[0] == 3
    connection.close()


def test_figures_come_in_prometheus_form(server):
    with server.api("editor", "read") as client:
        text = client.get("/api/v1/metrics").text
    assert 'kuaibao_pieces{state="found"}' in text
    assert all(line.startswith(("#", "kuaibao_")) for line in text.splitlines())


def test_the_archive_finds_chinese_and_english(server):
    with server.api("editor", "read") as client:
        found = client.get("/api/v1/archive", params={"q": "kitten"}).json()
    assert found
    assert SOURCE_TEXT[:20] in found[0]["entry"]["summary"]
