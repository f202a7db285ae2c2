"""Everything that the pages do can be done by the API: compared route by route."""

import pytest
from serving import Serving
from starlette.routing import Route

from kuaibao.bulletin.desk import PieceText, get_text, move_piece, save_text
from kuaibao.bulletin.mailing import find_by_token, list_subscribers

BROWSER = "a browser's own state: a cookie, nothing of the desk"
PAGES = {
    "/signin": BROWSER,  # a token stands for a session
    "/signout": BROWSER,
    "/language": BROWSER,
    "/theme": BROWSER,
    "/setup": "the first administrator, before anybody could have a token",
    "/pieces/{piece_id}/quick": ["POST /pieces/{piece_id}/moves", "PUT /pieces/{piece_id}/section",
                                 "PUT /pieces/{piece_id}/issue"],
    "/pieces/{piece_id}/text": ["PUT /pieces/{piece_id}/text"],
    "/pieces/{piece_id}/review": ["POST /pieces/{piece_id}/review"],
    "/pieces/{piece_id}/mend": ["POST /pieces/{piece_id}/mend"],
    "/pieces/{piece_id}/move": ["POST /pieces/{piece_id}/moves",
                                "POST /pieces/{piece_id}/comments"],
    "/pieces/{piece_id}/part": ["POST /pieces/{piece_id}/part"],
    "/pieces/{piece_id}/assign": ["PUT /pieces/{piece_id}/people"],
    "/pieces/{piece_id}/draft": ["POST /pieces/{piece_id}/draft"],
    "/pieces/{piece_id}/sentence": ["PUT /pieces/{piece_id}/sentences"],
    "/pieces/{piece_id}/comments": ["POST /pieces/{piece_id}/comments"],
    "/pieces/{piece_id}/comments/{comment_id}": ["PUT /comments/{comment_id}"],
    "/pieces/{piece_id}/restore": ["POST /pieces/{piece_id}/revisions/{revision}/restore"],
    "/pieces/{piece_id}/pictures": ["POST /pieces/{piece_id}/pictures"],
    "/pieces/{piece_id}/pictures/kind": ["PUT /pieces/{piece_id}/pictures/kind"],
    "/pieces/{piece_id}/pictures/lead": ["PUT /pieces/{piece_id}/pictures/lead"],
    "/issues": ["POST /issues"],
    "/issues/{issue_id}": ["PUT /issues/{issue_id}"],
    "/issues/{issue_id}/order": ["PUT /issues/{issue_id}/order"],
    "/issues/{issue_id}/place": ["PUT /pieces/{piece_id}/issue"],
    "/issues/{issue_id}/cover": ["POST /issues/{issue_id}/cover"],
    "/issues/{issue_id}/close": ["POST /issues/{issue_id}/close"],
    "/issues/{issue_id}/reopen": ["POST /issues/{issue_id}/reopen"],
    "/issues/{issue_id}/publish": ["POST /issues/{issue_id}/publish"],
    "/issues/{issue_id}/correct/{piece_id}": [
        "POST /issues/{issue_id}/pieces/{piece_id}/erratum"],
    "/issues/{issue_id}/mail": ["POST /issues/{issue_id}/mail"],
    "/mailings/{mailing_id}/requeue": ["POST /mailings/{mailing_id}/requeue"],
    "/subscribers": ["POST /series/{series_id}/subscribers"],
    "/subscribers/settings": ["PUT /settings"],
    "/subscribe/{series_id}": ["POST /series/{series_id}/subscribe"],
    "/subscription/{token}": ["POST /subscriptions/{token}/confirm"],
    "/subscription/{token}/leave": ["POST /subscriptions/{token}/leave"],
    "/people": ["POST /people"],
    "/people/{person_id}": ["PUT /people/{person_id}"],
    "/people/{person_id}/password": ["POST /people/{person_id}/password"],
    "/sources/collect": ["POST /collect"],
    "/terms": ["POST /terms"],
    "/terms/{term_id}/remove": ["DELETE /terms/{term_id}"],
    "/notes": ["POST /notifications/read"],
    "/settings/password": ["PUT /me/password"],
    "/settings/tokens": ["POST /tokens"],
    "/settings/tokens/{key_id}": ["DELETE /tokens/{key_id}"],
    "/settings/desk": ["PUT /settings"],
    "/settings/series": ["POST /series"],
    "/settings/series/{series_id}": ["PUT /series/{series_id}"],
    "/hooks": ["POST /hooks"],
    "/hooks/{hook_id}/remove": ["DELETE /hooks/{hook_id}"],
    "/hooks/{hook_id}/resume": ["POST /hooks/{hook_id}/resume"],
}  # fmt: skip
"""Each page's action and the calls that do the same, or why there can be none."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("parity"), 1) as serving:
        serving.web.mail.stop()
        yield serving


def actions(routes):
    """Every path that takes a POST, through routers that hold routers."""
    for route in routes:
        if isinstance(route, Route) and "POST" in (route.methods or ()):
            yield route.path
        elif inner := getattr(getattr(route, "original_router", None), "routes", None):
            yield from actions(inner)


def test_every_action_of_a_page_has_its_call(server):
    pages = {p for p in actions(server.app.routes) if not p.startswith("/api/")}
    assert pages == set(PAGES)
    described = server.app.openapi()["paths"]
    calls = {f"{how.upper()} {path.removeprefix('/api/v1')}"
             for path, found in described.items() for how in found}  # fmt: skip
    wanted = {call for found in PAGES.values() if not isinstance(found, str) for call in found}
    assert wanted <= calls, wanted - calls


def test_the_settings_of_the_pages_can_be_put(server):
    names = [
        "anonymous_reading", "model_url", "model_name", "translator_folder", "oidc_issuer",
        "oidc_client_id", "oidc_role", "smtp_host", "smtp_port", "smtp_user", "smtp_security",
        "mail_sender", "public_url", "mail_per_minute",
    ]  # fmt: skip
    with server.browser("administrator") as browser:
        page = browser.get("/settings").text + browser.get("/subscribers").text
    form = server.app.openapi()["components"]["schemas"]["SettingForm"]["properties"]["name"]
    assert set(form["enum"]) == set(names)
    for name in names:
        assert f'name="{name}"' in page, name


def test_slips_of_typing_are_mended_by_a_call(server):
    room, (piece_id,) = server.room, server.room.found()
    move_piece(server.desk, room.editor, piece_id, "pick")
    typed = PieceText(title="模型GPT学会阅读", body="它读了3200页,用时4小时。")
    save_text(server.desk, room.compiler, piece_id, typed, base_revision=0)
    with server.api("compiler", "read", "write") as client:
        answer = client.post(f"/api/v1/pieces/{piece_id}/mend")
    assert answer.status_code == 200
    assert answer.json()["text"]["title"] == "模型 GPT 学会阅读"
    assert get_text(server.desk, room.compiler, piece_id).title == "模型 GPT 学会阅读"
    with server.api("reader", "read") as client:
        assert client.post(f"/api/v1/pieces/{piece_id}/mend").status_code == 403


def test_passwords_are_made_and_changed_by_calls(server):
    person = {"name": "nora", "password": "a long first one", "roles": ["reader"]}
    with server.api("administrator", "admin") as root, server.api("editor", "admin") as other:
        made = root.post("/api/v1/people", json=person).json()
        path = f"/api/v1/people/{made['person_id']}/password"
        assert other.post(path).status_code == 403
        given = root.post(path).json()["password"]
    server.room.people["nora"] = server.room.people["reader"].__class__(_person(server, "nora"))
    with server.api("nora", "read") as nora:
        wrong = {"old": "a long first one", "new": "another long one"}
        assert nora.put("/api/v1/me/password", json=wrong).status_code == 401
        right = {"old": given, "new": "another long one"}
        assert nora.put("/api/v1/me/password", json=right).status_code == 204
        assert nora.put("/api/v1/me/password", json=right).status_code == 401


def _person(server, name):
    from kuaibao import accounts

    with server.desk.store.database.read() as connection:
        return accounts.find_person(connection, name)


def test_a_reader_subscribes_confirms_and_leaves_by_calls(server):
    wish = {"email": "one@example.net"}
    with server.reader() as stranger, server.api("administrator", "admin") as root:
        assert stranger.post("/api/v1/series/1/subscribe", json=wish).status_code == 404
        for name, value in {"smtp_host": "127.0.0.1", "smtp_security": "none",
                            "mail_sender": "desk@example.org",
                            "public_url": "https://desk.example.org"}.items():  # fmt: skip
            root.put("/api/v1/settings", json={"name": name, "value": value})
        assert stranger.post("/api/v1/series/1/subscribe", json=wish).status_code == 202
        (found,) = list_subscribers(server.desk, server.room.editor, 1)
        assert found.state == "pending"
        for step, state in (("confirm", "active"), ("leave", "left")):
            answer = stranger.post(f"/api/v1/subscriptions/{found.token}/{step}")
            assert answer.json() == {"state": state}
            assert find_by_token(server.desk, found.token).state == state
        assert stranger.post("/api/v1/subscriptions/guess/confirm").status_code == 404
