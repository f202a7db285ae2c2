"""The page in a real browser: search, keys, colours, evidence, phone width, print."""

import shutil

import pytest

from kuaibao.bulletin.publishing import publish

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tools:
        made = tools.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield made
        made.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory, english_issue, chinese_issue):
    folder = tmp_path_factory.mktemp("site")
    publish(english_issue, folder, ["html"])
    publish(chinese_issue, folder / "zh", ["html"])
    return folder


@pytest.fixture
def open_page(browser, site):
    opened, problems = [], []

    def open_(language="en", *, width=1280, **settings):
        page = browser.new_page(viewport={"width": width, "height": 900}, **settings)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda r: r.url.startswith(("file:", "data:")) or problems.append(r.url))
        path = site / "zh" if language == "zh" else site
        page.goto((path / "index.html").as_uri())
        opened.append(page)
        return page

    yield open_
    for page in opened:
        page.close()
    assert problems == []  # no script error, no breach of the policy, no request to anywhere


def shown(page):
    return page.eval_on_selector_all("article:not([hidden])", "all => all.map(a => a.id)")


@pytest.mark.parametrize(
    ("language", "term", "found"),
    [
        ("zh", "疫", ["item-2-2"]),
        ("zh", "新冠", ["item-2-2"]),
        ("zh", "仓储 许可", ["item-2-1"]),
        ("zh", "ＰＥＧＡＳＵＳ", ["item-4-1"]),
        ("en", "REPOSITORIES", ["item-2-1"]),
        ("en", "kyoto", ["item-5-1"]),
        ("en", "nowhere to be found", []),
    ],
)
def test_search_finds_words_of_any_length_in_both_languages(open_page, language, term, found):
    page = open_page(language)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.insert_text(term)
    assert shown(page) == found
    said = page.inner_text("#found")
    assert said
    assert page.locator("section.part:visible").count() == (1 if found else 0)
    page.keyboard.press("Escape")
    assert len(shown(page)) == 7
    assert page.inner_text("#found") == ""


def test_search_marks_what_it_found(open_page):
    page = open_page("zh")
    page.fill("#search", "新冠")
    marked = page.evaluate("[...CSS.highlights.get('found')].map(range => range.toString())")
    assert marked == ["新冠"]


def test_j_and_k_walk_through_the_items_and_those_found(open_page):
    page = open_page()
    focused = "document.activeElement.id"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "item-1-1"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "item-2-1"
    page.keyboard.press("k")
    assert page.evaluate(focused) == "item-1-1"
    page.keyboard.press("/")
    page.keyboard.insert_text("library")
    page.keyboard.press("Enter")
    first = page.evaluate(focused)
    assert first == shown(page)[0]
    page.keyboard.press("j")
    assert page.evaluate(focused) == shown(page)[1]


def test_letters_typed_into_the_search_are_text_not_commands(open_page):
    page = open_page()
    page.focus("#search")
    page.keyboard.type("jk?te/")
    assert page.input_value("#search") == "jk?te/"
    assert not page.evaluate("document.getElementById('help').open")


def test_the_question_mark_opens_the_list_of_keys(open_page):
    page = open_page("zh")
    page.keyboard.press("?")
    assert "下一条" in page.inner_text("#help")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('help').open")


def test_the_first_tab_leads_past_the_head(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_evidence_shows_on_hover_on_focus_and_by_key(open_page):
    page = open_page()
    note = page.locator("#item-2-1-0-1")
    assert not note.is_visible()
    page.hover("#item-2-1 .sentence >> nth=0", position={"x": 20, "y": 8})
    assert note.is_visible()
    assert "licence of every file is printed" in note.inner_text()
    page.mouse.move(2, 2)
    page.locator("#item-2-1 .evidence").first.focus()
    assert note.is_visible()
    page.keyboard.press("Escape")
    assert not note.is_visible()
    page.locator("#item-4-1").focus()
    page.keyboard.press("e")
    assert page.locator("#item-4-1 .note:visible").count() == 6
    page.keyboard.press("e")
    assert page.locator("#item-4-1 .note:visible").count() == 0


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_colours_follow_the_system_and_then_the_reader(open_page):
    light, dark = "rgb(251, 249, 244)", "rgb(21, 22, 26)"
    assert background(open_page(color_scheme="light")) == light
    page = open_page(color_scheme="dark")
    assert background(page) == dark
    page.keyboard.press("t")
    assert background(page) == light
    page.reload()
    assert background(page) == light  # remembered
    page.click("#theme")
    assert background(page) == dark
    page.click("#theme")
    page.emulate_media(color_scheme="light")
    assert background(page) == light


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(open_page, language, width):
    page = open_page(language, width=width)
    page.locator("#item-4-1").focus()
    page.keyboard.press("e")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const below = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > .9) return c;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const e of document.body.querySelectorAll("*")) {
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!text || e.closest("svg, script, style") || !e.checkVisibility()) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgb(style.color)), light(below(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + .05) / (b + .05);
    if (ratio < (large ? 3 : 4.5)) bad.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_that_wcag_aa_asks(open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.locator("#item-2-1").focus()
    page.keyboard.press("e")
    assert page.evaluate(CONTRAST) == []


STRUCTURE = """() => {
  const problems = [];
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) problems.push("ids are not unique");
  for (const e of document.querySelectorAll("[aria-labelledby], [aria-controls]"))
    for (const name of ["aria-labelledby", "aria-controls"])
      for (const id of (e.getAttribute(name) || "").split(/\\s+/).filter(Boolean))
        if (!document.getElementById(id)) problems.push(name + " points at nothing: " + id);
  for (const e of document.querySelectorAll("a[href^='#']"))
    if (e.hash.length > 1 && !document.getElementById(e.hash.slice(1))) problems.push("dead link " + e.hash);
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (h.closest("dialog")) continue;
    if (+h.tagName[1] > level + 1) problems.push("heading level left out at " + h.textContent);
    level = +h.tagName[1];
  }
  if (document.querySelectorAll("main").length !== 1) problems.push("one main, please");
  for (const e of document.querySelectorAll("img:not([alt]), button:empty:not([aria-label])")) problems.push(e.outerHTML);
  for (const e of document.querySelectorAll("button")) {
    const box = e.getBoundingClientRect();
    if (box.width && (box.width < 24 || box.height < 24)) problems.push("small target " + e.outerHTML.slice(0, 80) + box.width + "x" + box.height);
  }
  return problems;
}"""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_structure_serves_screen_readers(open_page, language):
    page = open_page(language)
    assert page.evaluate(STRUCTURE) == []
    assert page.get_attribute("html", "lang") == {"en": "en", "zh": "zh-CN"}[language]


def test_in_print_there_are_no_controls(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".aids").is_visible()
    assert page.locator(".evidence:visible").count() == 0
    assert background(page) == "rgb(255, 255, 255)"


def test_without_scripts_the_issue_can_be_read(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator("article:visible").count() == 7
    assert page.locator("#search:visible").count() == 0
    context.close()
