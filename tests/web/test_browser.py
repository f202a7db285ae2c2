"""The desk in a real browser: four people make an issue; keys, colours, widths, axe-core."""

import re
import shutil
import time

import pytest
from newsroom import TRANSLATION
from playwright.sync_api import Error
from plenty import CONFIG, enrich, pages
from serving import Serving
from starlette.routing import Route

from kuaibao.bulletin.desk import get_desk_issue, get_piece, issue_pieces
from kuaibao.web.access import SESSION_COOKIE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),  # axe looks at twenty pages: minutes on a busy machine
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tools:
        made = tools.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield made
        made.close()


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("browser"), 3) as serving:
        yield serving


class Desk:
    """A person at a screen."""

    def __init__(self, chromium, server, role, language="en", theme="light", width=1280):
        self.context = chromium.new_context(viewport={"width": width, "height": 900})
        cookies = {SESSION_COOKIE: server.session_of(role)} if role else {}
        cookies |= {"kuaibao_language": language, "kuaibao_theme": theme}
        self.context.add_cookies(
            [{"name": k, "value": v, "url": server.base} for k, v in cookies.items()]
        )
        self.base, self.problems = server.base, []
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message):
        if message.type == "error" and "status of" not in message.text:
            self.problems.append(message.text)

    def go(self, path):
        self.page.goto(self.base + path)
        return self.page

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def _leave(self):
        """Chromium may never answer when a page is closed in the middle of a navigation (seen
        once in forty saves by Ctrl-S); a form on its way interrupts the leaving in its turn."""
        while self.page.url != "about:blank":
            try:
                self.page.goto("about:blank")
            except Error as error:
                if "interrupted by another navigation" not in str(error):
                    raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._leave()
        self.context.close()
        assert self.problems == []


def test_four_people_make_an_issue(chromium, newsroom):
    desk, room = newsroom.desk, newsroom.room
    with Desk(chromium, newsroom, "editor") as editor:
        page = editor.go("/issues")
        page.fill("input[name=day]", "2026-11-30")
        editor.press("Open the next issue")
        assert "/issues/1" in page.url
        editor.go("/inbox")  # two stories by the keyboard alone
        for _ in range(2):
            page.keyboard.press("j")
            page.keyboard.press("p")
            page.wait_for_selector(".story-picked.chosen")
        assert page.locator(".story-picked").count() == 2
    first, second = [p.piece_id for p in issue_pieces(desk, 1)]
    for piece_id in (first, second):
        with Desk(chromium, newsroom, "editor") as editor:
            page = editor.go(f"/pieces/{piece_id}")
            page.locator("summary", has_text="Assign").click()
            page.select_option("select[name=compiler]", label="Chen Wen")
            page.select_option("select[name=proofreader]", label="Li Ping")
            page.fill("input[name=due]", "2026-11-28")
            page.locator("details[open] button.strong").click()
        with Desk(chromium, newsroom, "compiler", "zh") as compiler:
            page = compiler.go("/notes")
            page.locator(f'a[href="/pieces/{piece_id}"]').first.click()
            page.fill("textarea[name=title]", "模型学会了阅读")
            page.fill("textarea[name=body]", TRANSLATION.replace("3200", "3300"))
            page.wait_for_selector(".finding-number_added")  # told while typing
            page.fill("textarea[name=body]", TRANSLATION)
            page.wait_for_selector(".finding-number_added", state="detached")
            page.keyboard.press("Control+s")
            page.wait_for_url(re.compile("saved=saved"))
            compiler.press("签署翻译")
        with Desk(chromium, newsroom, "proofreader") as proofreader:
            page = proofreader.go(f"/pieces/{piece_id}")
            page.locator(".pairs > li").nth(1).hover()
            assert "3,200 pages" in page.locator(".sentences .lit").inner_text()
            page.fill("textarea[name=text]", "好。")
            page.select_option("select[name=error_class]", "wording")
            proofreader.press("Send")
            proofreader.press("Sign as proofread")
            page.wait_for_selector("text=proofread by Li Ping")
        with Desk(chromium, newsroom, "editor") as editor:
            editor.go(f"/pieces/{piece_id}")
            editor.press("Accept")
            editor.page.wait_for_selector(".steps [aria-current] >> text=Ready")
    with Desk(chromium, newsroom, "editor") as editor:
        page = editor.go("/issues/1")
        page.locator(f'[data-piece-id="{second}"]').focus()
        page.keyboard.press("[")
        page.wait_for_function(
            "order => document.querySelector('[data-order]').dataset.known === order",
            arg=f"{second},{first}",
        )
        source = page.locator(f'[data-piece-id="{first}"]')
        source.drag_to(
            page.locator(f'[data-piece-id="{second}"]'), target_position={"x": 40, "y": 3}
        )
        page.wait_for_function(
            "order => document.querySelector('[data-order]').dataset.known === order",
            arg=f"{first},{second}",
        )
        editor.press("Close the issue")
        page.wait_for_selector(".chip-closed")

        def late(route):  # all is told before the page listens
            while get_desk_issue(desk, 1).state != "published":
                time.sleep(0.1)
            route.continue_()

        page.route("**/live", late)
        editor.press("Publish")
        page.wait_for_selector(".board-head .chip-published", timeout=90_000)  # without a reload
    assert get_desk_issue(desk, 1).state == "published"
    assert get_piece(desk, room.editor, first).state == "published"
    with Desk(chromium, newsroom, "reader", "zh") as reader:
        page = reader.go("/read")
        page.locator(".library h2 a").first.click()
        assert "Chen Wen" in page.locator("body").inner_text()
        assert page.evaluate("document.querySelectorAll('h1').length") == 1


def test_a_text_survives_a_crash_before_it_was_saved(chromium, newsroom):
    piece_id = newsroom.room.found()[2]
    with Desk(chromium, newsroom, "editor") as editor:
        page = editor.go(f"/pieces/{piece_id}")
        if page.locator("button", has_text="Pick").count():
            editor.press("Pick")
        page.fill("textarea[name=body]", "写了一半")
        page.wait_for_function(
            "() => Object.values(localStorage).some(kept => kept.includes('写了一半'))"
        )
        editor.go("/inbox")
        editor.go(f"/pieces/{piece_id}")
        editor.press("Put it back")
        assert page.input_value("textarea[name=body]") == "写了一半"


def test_a_change_elsewhere_is_told_at_once(chromium, newsroom):
    piece_id = newsroom.room.found()[2]
    with Desk(chromium, newsroom, "editor") as one, Desk(chromium, newsroom, "editor") as two:
        watching = one.go(f"/pieces/{piece_id}")
        if watching.locator("button", has_text="Pick").count():
            one.press("Pick")
        watching.wait_for_selector("body[data-stream=open]")
        page = two.go(f"/pieces/{piece_id}")
        page.fill("textarea[name=title]", f"新题目 {page.evaluate('Math.random()')}")
        page.keyboard.press("Control+s")
        watching.wait_for_selector("#changed:not([hidden])")
        page.wait_for_url(re.compile("saved=saved"))


def test_the_help_opens_and_closes_by_keys(chromium, newsroom):
    with Desk(chromium, newsroom, "editor") as editor:
        page = editor.go("/inbox")
        page.keyboard.press("?")
        assert page.locator("dialog#help").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("dialog#help").is_visible()
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_url("**/issues")
        page.keyboard.press("L")
        page.wait_for_selector("html[lang=zh-CN]")


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("rich"), 3, config=CONFIG) as serving:
        yield enrich(serving)


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("en", "light", 1280), ("zh", "dark", 390)]
)
def test_axe_finds_nothing_serious_and_no_page_is_wider_than_the_screen(
    chromium, rich, language, theme, width
):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = []
    for role, addresses in pages(rich).items():
        with Desk(chromium, rich.serving, role, language, theme, width) as person:
            for path in addresses:
                page = person.go(path)
                found += _serious(axe, page, path)
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found.append((path, "wider than the screen"))
    assert found == []


def test_every_page_that_the_application_has_is_among_those_looked_at(rich):
    """A new page is looked at too, or stands here with the reason."""
    elsewhere = {"/live", "/", "/oidc/start", "/oidc/return", "/pieces/{piece_id}/memory",
                 "/subscription/{token}/leave"}  # fmt: skip
    looked_at = [path.partition("?")[0] for paths in pages(rich).values() for path in paths]
    for route in _routes(rich.serving.app.routes):
        is_page = "GET" in (route.methods or ()) and not route.path.startswith("/api")
        if is_page and route.path not in elsewhere:
            pattern = re.compile(re.sub(r"\{[^}]*\}", "[^/]+", route.path))
            assert any(pattern.fullmatch(path) for path in looked_at), route.path


def _routes(routes):
    for route in routes:
        if isinstance(route, Route):
            yield route
        elif hasattr(route, "original_router"):
            yield from _routes(route.original_router.routes)


def _serious(axe, page, path):
    return [
        (path, v["id"], [node["html"][:160] for node in v["nodes"][:3]])
        for v in axe.run(page).response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
