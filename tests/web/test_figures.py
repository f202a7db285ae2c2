"""The gallery inside the desk: its staff look, writers bake, nobody else sees it."""

import json

import pytest

TRIO = {
    "substance": "a.substance",
    "style": ["kuaibao:sets/euler.style"],
    "domain": "kuaibao:sets/sets.domain",
}


@pytest.fixture
def program(server):
    folder = server.folder / "diagrams"
    folder.mkdir(exist_ok=True)
    (folder / "a.substance").write_text("Set A, B\nA ⊂ B\nAutoLabel All\n")
    (folder / "a.trio.json").write_text(json.dumps(TRIO))
    return folder / "a.trio.json"


def test_strangers_and_readers_do_not_see_the_gallery(server, program):
    with server.reader() as stranger:
        answer = stranger.get("/figures/program/a")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/signin")
        assert stranger.get("/figures/program/a/layouts").status_code in (303, 401)


def test_the_staff_chooses_in_its_language_and_bakes(server, program):
    with server.browser("editor") as browser:
        browser.cookies.set("kuaibao_language", "zh")
        page = browser.get("/figures/")
        assert "所有程序" in page.text or "程序" in page.text
        assert 'href="/figures/program/a"' in page.text
        shown = browser.get("/figures/program/a")
        assert "固定此布局" in shown.text
        assert browser.get("/figures/static/gallery.js").status_code == 200
        made = browser.get("/figures/program/a/layouts?n=2").json()
        body = {"inputs": made["layouts"][0]["inputs"], "pins": {}}
        kept = browser.post("/figures/program/a/bake", json=body)
        assert kept.json() == {"path": "a.baked.json"}
        assert (program.parent / "a.baked.json").exists()
        browser.post("/figures/program/a/unbake", json={})


def test_another_site_cannot_bake(server, program):
    with server.browser("editor") as browser:
        headers = {"origin": "http://evil.example"}
        assert browser.post("/figures/program/a/bake", json={}, headers=headers).status_code == 403


def test_the_desk_leads_to_the_figures(server, program):
    with server.browser("editor") as browser:
        assert 'href="/figures"' in browser.get("/inbox").text
        assert browser.get("/figures", follow_redirects=True).status_code == 200
