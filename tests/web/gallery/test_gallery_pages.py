"""The gallery's pages: what they answer, whom they refuse, and a person with a browser."""

import contextlib
import json
import threading
import time

import pytest
import uvicorn
from playwright.sync_api import sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from kuaibao.errors import InputError
from kuaibao.web.gallery import Host, Programs, gallery_app, gallery_routes

GRIP = '.handle[data-name="`C`.icon center"]'
BOX = f"document.querySelector({json.dumps(GRIP)}).getBoundingClientRect()"
IS_NEAR = f"([x, y]) => Math.abs({BOX}.x - x) <= 2 && Math.abs({BOX}.y - y) <= 2"
IS_LEFT_OF = f"x => {BOX}.x < x"
SUBSTANCE = "Set A, B, C\nA ⊂ B\nB ∩ C = ∅\nAutoLabel All\n"


def write_program(folder, name, substance=SUBSTANCE):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.substance").write_text(substance)
    trio = {"substance": f"{name}.substance", "style": ["kuaibao:sets/euler.style"],
            "domain": "kuaibao:sets/sets.domain", "variation": "v"}  # fmt: skip
    (folder / f"{name}.trio.json").write_text(json.dumps(trio))
    return folder / f"{name}.trio.json"


@pytest.fixture
def trio(tmp_path):
    return write_program(tmp_path / "figures", "a")


@pytest.fixture
def client(trio):
    return TestClient(gallery_app(trio))


def layouts(client, name="a", n=3):
    answer = client.get(f"/program/{name}/layouts?n={n}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_single_program_is_shown_at_once(client):
    page = client.get("/")
    assert page.url.path == "/program/a"
    assert 'lang="en"' in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_a_folder_lists_its_programs_and_nothing_else_is_served(trio):
    write_program(trio.parent / "more", "图")
    client = TestClient(gallery_app(trio.parent))
    page = client.get("/")
    assert "more/图" in page.text
    assert client.get("/program/more/图").status_code == 200
    assert client.get("/program/../secret").status_code == 404
    assert client.get("/program/more/图/layouts?n=2").json()["layouts"]


def test_a_place_without_programs_is_told(tmp_path):
    with pytest.raises(InputError):
        gallery_app(tmp_path)


def test_pages_speak_chinese_when_asked_and_remember_it(client):
    assert client.get("/program/a", headers={"accept-language": "zh-CN"}).text.count("图库") >= 1
    assert "种子" in client.get("/program/a?lang=zh").text
    assert 'lang="zh"' in client.get("/program/a").text


def test_both_languages_have_every_word():
    from kuaibao.web.gallery import app

    english, chinese = app._words("en"), app._words("zh")
    assert english.keys() == chinese.keys()


def test_layouts_come_with_handles_that_can_be_pinned(client):
    made = layouts(client)
    first = made["layouts"][0]
    handle = next(one for one in first["handles"] if one["shape"] == "`C`.icon")
    body = {"inputs": first["inputs"], "pins": {handle["name"]: [120, 50]}}
    again = client.post("/program/a/again", json=body).json()
    moved = next(one for one in again["handles"] if one["name"] == handle["name"])
    assert (moved["x"], moved["y"]) == (120, 50)
    assert again["violation"] < 0.1


def test_a_choice_is_baked_beside_the_program_and_let_go_again(client, trio):
    first = layouts(client)["layouts"][0]
    body = {"inputs": first["inputs"], "pins": {}}
    assert client.post("/program/a/bake", json=body).json() == {"path": "a.baked.json"}
    assert layouts(client)["baked"]["is_same"]
    client.post("/program/a/unbake", json={})
    assert layouts(client)["baked"] is None


def test_who_may_only_look_cannot_bake(trio):
    routes = gallery_routes(Programs(trio), Host(may_write=lambda request: False))
    client = TestClient(Starlette(routes=[Mount("/figures", routes=routes)]))
    page = client.get("/figures/program/a")
    assert 'id="bake"' not in page.text
    assert "/figures/static/gallery.js" in page.text
    body = {"inputs": client.get("/figures/program/a/layouts?n=1").json()["layouts"][0]["inputs"]}
    assert client.post("/figures/program/a/bake", json=body).status_code == 422
    assert not list(trio.parent.glob("*.baked.json"))


@pytest.mark.parametrize(
    "body",
    [{}, {"inputs": [1]}, {"inputs": "x"}, {"inputs": None, "pins": []},
     {"inputs": "good", "pins": {"`Z`.icon center": [1, 2]}},
     {"inputs": "good", "pins": {"`C`.icon center": [1, "x"]}},
     {"inputs": "good", "pins": [1]}],
)  # fmt: skip
def test_what_does_not_fit_the_program_is_refused(client, body):
    if body.get("inputs") == "good":
        body = {**body, "inputs": layouts(client)["layouts"][0]["inputs"]}
    answer = client.post("/program/a/again", json=body)
    assert answer.status_code == 422
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("headers", "content"),
    [({"content-type": "text/plain"}, b"{}"), ({"content-type": "application/json"}, b"{"),
     ({"content-type": "application/json"}, b"[]"),
     ({"content-type": "application/json", "origin": "http://evil.example"}, b"{}"),
     ({"content-type": "application/json"}, b" " * 4_000_001)],
)  # fmt: skip
def test_requests_of_others_are_refused(client, headers, content):
    answer = client.post("/program/a/bake", content=content, headers=headers)
    assert answer.status_code == 422


def test_another_host_name_is_refused(trio):
    client = TestClient(gallery_app(trio), base_url="http://evil.example")
    assert client.get("/").status_code == 400


def test_errors_of_the_program_come_with_their_place(trio, client):
    (trio.parent / "a.substance").write_text("Set A\nA ⊂ Bee\n")
    answer = client.get("/program/a/layouts")
    assert answer.status_code == 422
    assert ":2:5: Bee has not been declared" in answer.json()["text"]


@contextlib.contextmanager
def serving(app):
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.mark.browser
def test_a_person_chooses_drags_and_bakes(trio):
    with serving(gallery_app(trio)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.goto(f"{address}/?lang=en")
        page.locator("#gallery .card").first.click()
        grip = page.locator(GRIP)
        before = grip.bounding_box()
        x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 30, y + 40, steps=4)
        page.mouse.up()
        page.locator("#judged", has_text="1 pinned").wait_for()
        page.wait_for_function(IS_NEAR, arg=[before["x"] + 30, before["y"] + 40])
        left = page.evaluate(f"{BOX}.x")  # at once: a later answer draws the handles anew
        # the keyboard alone: an arrow key moves the handle, Delete lets it go
        grip.focus()
        page.keyboard.press("Shift+ArrowLeft")
        page.wait_for_function(IS_LEFT_OF, arg=left - 10)
        page.get_by_role("button", name="Bake this layout").click()
        page.locator("#judged", has_text="a.baked.json").wait_for()
        page.keyboard.press("Escape")
        page.locator(".card.baked").wait_for()
        assert wrong == []
        browser.close()
    assert "`C`.icon center" in json.loads((trio.parent / "a.baked.json").read_text())["pins"]
