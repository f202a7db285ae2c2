"""The notebook's gallery: what Python answers, and what a person does in the browser."""

import json
import shutil
from pathlib import Path

import pytest

from kuaibao import diagrams
from kuaibao.diagrams.baking import read_baked
from kuaibao.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "diagrams" / "sets" / "chain.trio.json"
SOURCE = Path(diagrams.__file__).with_name("widget.js").read_text(encoding="utf-8")
CHROMIUM = shutil.which("chromium")
STYLE = Path(diagrams.__file__).with_name("widget.css").read_text(encoding="utf-8")
PAGE = """<!doctype html><meta charset="utf-8"><style>%s</style><div id="root"></div><script type="module">
%s
const state = JSON.parse(await hear("null"));
const heard = {};
const model = {
  get: (key) => state[key],
  on: (event, act) => (heard[event] = act),
  off: () => {},
  send: async (message) => {
    Object.assign(state, JSON.parse(await hear(JSON.stringify(message))));
    heard["change:turn"]();
  },
};
render({ model, el: document.getElementById("root") });
</script>"""


@pytest.fixture
def widget():
    program = diagrams.compile_files(diagrams.read_trio(EXAMPLE))
    return diagrams.gallery(program, 6, seed="s").widget()


def test_a_widget_opens_what_is_picked_and_lays_it_out_around_pins(widget):
    assert len(widget.cards) > 1
    widget.pick(1)
    handle = widget.current["handles"][0]
    widget.drag({handle["name"]: (handle["x"] + 20, handle["y"])})
    moved = next(one for one in widget.current["handles"] if one["name"] == handle["name"])
    assert moved["x"] == pytest.approx(handle["x"] + 20)
    assert widget.chosen.violation < 0.1
    assert widget.chosen.svg().startswith("<svg")


def test_a_widget_bakes_its_choice_beside_the_program(widget, tmp_path):
    for path in EXAMPLE.parent.glob("chain*"):
        shutil.copy(path, tmp_path)
    widget.pick(0)
    kept = widget.bake(tmp_path / EXAMPLE.name)
    assert read_baked(kept).inputs == tuple(widget.chosen.result.inputs)


@pytest.mark.parametrize(
    "message",
    [None, 3, {}, {"kind": "pick", "number": 99}, {"kind": "pick", "number": -1},
     {"kind": "again", "pins": {"nothing": [1, 2]}}, {"kind": "again", "pins": {"x": "y"}}],
)  # fmt: skip
def test_a_message_that_makes_no_sense_changes_nothing_but_the_turn(widget, message):
    widget.pick(0)
    before, turn = widget.current, widget.turn
    widget._hear(None, message, None)
    assert (widget.current, widget.turn) == (before, turn + 1)


def test_there_is_no_layout_beyond_the_last(widget):
    with pytest.raises(InputError):
        widget.pick(len(widget.cards))


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)")
def test_a_person_picks_drags_and_goes_back_in_the_browser(widget):
    from playwright.sync_api import sync_playwright

    def hear(text):
        message = json.loads(text)
        if message is not None:
            widget._hear(None, message, None)
        return json.dumps({key: getattr(widget, key) for key in
                           ("canvas", "cards", "current", "pins", "turn")})  # fmt: skip

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(locale="zh-CN")
        page.set_default_timeout(60_000)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.expose_function("hear", hear)
        page.set_content(PAGE % (STYLE, SOURCE.replace("export default { render };", "")))
        page.locator(".k-card").first.click()
        grip = page.locator(".k-handle").first
        grip.wait_for()
        grip.scroll_into_view_if_needed()
        box = grip.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 15, y + 8, steps=3)
        page.mouse.up()
        page.locator(".k-pinned").first.wait_for()
        page.wait_for_function("document.querySelector('[role=status]').textContent.includes('1')")
        name = grip.get_attribute("data-name")
        assert list(widget.pins) == [name]
        grip.focus()
        page.keyboard.press("Delete")
        page.wait_for_function("!document.querySelector('.k-pinned')")
        page.get_by_role("button", name="全部布局").click()
        page.locator(".k-card").first.wait_for()
        assert not errors
        browser.close()
    assert widget.pins == {}
