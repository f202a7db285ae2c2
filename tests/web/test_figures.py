"""The gallery inside the desk, and the pictures of an item."""

import dataclasses
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from kuaibao.bulletin.model import Enclosure
from kuaibao.bulletin.writing import Pictures

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


def test_a_bulletin_that_wants_no_pictures_shows_none_and_says_how_to_want_them(server):
    with server.browser("editor") as browser:
        page = browser.get("/pieces/1").text
        assert 'id="pictures"' not in page
        answer = browser.submit("/pieces/1/pictures")
        assert answer.status_code == 422
        assert "lead = true" in answer.text


def test_the_editor_tells_kinds_and_chooses_the_lead_on_the_item_s_page(server):
    with server.browser("editor") as browser, _pictures(server) as sorter:
        looked = browser.submit("/pieces/1/pictures")
        assert looked.headers["location"] == "/pieces/1#pictures"
        for language, word in (
            ("en", "Proposed lead: it explains most"),
            ("zh", "建议题图：it explains most"),
        ):
            browser.cookies.set("kuaibao_language", language)
            assert word in browser.get("/pieces/1").text
        browser.submit("/pieces/1/pictures/kind", url="b.png", kind="photograph")
        assert sorter.learnt == [(b"b", "photograph")]
        browser.submit("/pieces/1/pictures/lead", url="b.png")
        assert sorter.preferred == [("photograph", "chart")]
        page = browser.get("/pieces/1").text
        assert "由编辑选定" in page
        assert page.count('class="card leads"') == 1
        wrong = browser.submit("/pieces/1/pictures/lead", url="c.png")
        assert wrong.status_code == 422
    with server.browser("reader") as reader, _pictures(server):
        assert reader.submit("/pieces/1/pictures/lead", url="a.png").status_code == 403


class _Sorted:
    reason, skipped = "it explains most", ()

    def __init__(self, figures, lead):
        self.figures, self.lead = figures, lead


class _Sorter:
    """Takes the first letter of a file for its kind."""

    kinds = ("chart", "photograph")

    def __init__(self):
        self.learnt, self.preferred = [], []

    def sort(self, pictures, told):
        shown = [
            SimpleNamespace(file=name, kind=told.get(name, "chart"), probability=0.9, width=8,
                            height=8, same_as="")
            for name in pictures
        ]  # fmt: skip
        return _Sorted(shown, next(iter(pictures)))

    def learn(self, picture, kind):
        self.learnt.append((picture, kind))
        return len(self.learnt)

    def prefer(self, chosen, over):
        self.preferred.append((chosen, over))
        return len(self.preferred)

    def shown(self, picture):
        return "image/png", picture


@contextmanager
def _pictures(server):
    """A desk that wants pictures; the first item encloses two."""
    sorter = _Sorter()
    folder = server.folder / "manuscripts"
    folder.mkdir(exist_ok=True)
    for name in ("a", "b"):
        (folder / f"{name}.png").write_bytes(name.encode())
    pictures = Pictures(server.folder / "pictures", folder, 6, lambda: sorter, lambda: None)
    gather = pictures.gather
    enclosed = tuple(Enclosure(url=f"{n}.png", media_type="image/png") for n in ("a", "b"))

    def with_pictures(item, fetcher):
        lead = dataclasses.replace(item.lead, enclosures=enclosed)
        return gather(dataclasses.replace(item, entries=(lead,)), fetcher)

    pictures.gather = with_pictures
    server.desk.pictures = pictures
    yield sorter
    server.desk.pictures = None
