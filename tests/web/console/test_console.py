"""The console in the browser: a key, the playground, an application from filing to approval."""

import re

import httpx2
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000


def use_key(page, key):
    page.locator("#key-button").click()
    page.locator("#key").fill(key)
    page.get_by_role("button", name="Use it").click()


def open_tab(page, name):
    page.locator("#tabs").get_by_role("link", name=name, exact=True).click()


def test_a_prompt_is_completed_and_each_token_shows_what_else_was_weighed(page, server):
    use_key(page, server.key)
    page.locator("#prompt").fill("Once upon")
    page.locator("#prompt").press("Control+Enter")
    tokens = page.locator(".output .token")
    tokens.nth(3).wait_for()
    page.get_by_text(re.compile(r"9 \+ \d+ tokens in")).wait_for()
    tokens.nth(1).focus()
    shown = tokens.nth(1).locator(".alternatives")
    assert shown.is_visible()
    percents = [float(p) for p in re.findall(r"([\d.]+) %", shown.inner_text())]
    assert len(percents) >= 5
    assert percents == sorted(percents, reverse=True)
    assert page.problems == []


def test_two_settings_stand_side_by_side_and_travel_in_a_link(page, server, browser):
    use_key(page, server.key)
    page.locator("#prompt").fill("Compare")
    page.locator("#compare").click()
    columns = page.locator("section.card")
    columns.nth(1).locator("[name=temperature]").fill("0")
    columns.nth(1).locator("[name=max_tokens]").fill("8")
    page.locator("#run").click()
    page.get_by_text(re.compile(r"7 \+ 8 tokens in")).wait_for()
    page.locator("#share").click()
    link = page.url
    assert server.key not in link
    other = browser.new_context().new_page()
    other.goto(server.url + "/console")
    use_key_in_any_language(other, server.key)
    other.goto(link)
    # The page is made anew when the key was looked at.
    expect(other.locator("#prompt")).to_have_value("Compare", timeout=PATIENCE_MS)
    most = other.locator("section.card").nth(1).locator("[name=max_tokens]")
    expect(most).to_have_value("8", timeout=PATIENCE_MS)
    other.context.close()


def use_key_in_any_language(page, key):
    page.locator("#key-button").click()
    page.locator("#key").fill(key)
    page.locator("#key-dialog button[value=use]").click()


def test_the_few_shot_table_builds_the_prompt(page, server):
    use_key(page, server.key)
    page.locator("#preset").select_option("few")
    table = page.locator("section.card").first
    boxes = table.locator("input")
    boxes.nth(0).fill("Say it backwards")
    boxes.nth(1).fill("ab")
    boxes.nth(2).fill("ba")
    boxes.last.fill("xy")
    page.get_by_role("button", name="Build the prompt").click()
    expected = "Say it backwards\n\nInput: ab\nOutput: ba\n\nInput: xy\nOutput:"
    assert page.locator("#prompt").input_value() == expected


def test_an_application_from_filing_to_approval(page, server, browser):
    page.locator("[name=person]").fill("Wanda")
    page.locator("[name=name]").fill("Headlines <script>alert(1)</script>")
    for name in ("purpose", "audience", "output_seen_by", "human_in_the_loop"):
        page.locator(f"[name={name}]").fill("An editor reads <b>everything</b>")
    page.get_by_role("button", name="Send the application").click()
    secret = page.locator("code.secret").inner_text()
    body = {"model": "fake", "prompt": "Hi", "max_tokens": 2}
    headers = {"Authorization": f"Bearer {secret}"}
    assert (
        httpx2.post(server.url + "/v1/completions", json=body, headers=headers).status_code == 403
    )

    admin = browser.new_context(locale="en-GB").new_page()
    admin.goto(server.url + "/console")
    use_key(admin, server.key)
    open_tab(admin, "Applications")
    admin.get_by_role("button", name="Open Headlines").click()
    answers = admin.locator("dd", has_text="<b>everything</b>")
    answers.first.wait_for()
    assert answers.count() == 5  # four answers and the history
    admin.get_by_label("Reasons").fill("An editor reads all of it.")
    admin.get_by_role("button", name="Approve").click()
    admin.locator(".card .state.approved").wait_for()
    open_tab(admin, "Audit")
    admin.get_by_text("chain verified").wait_for()
    admin.context.close()
    assert (
        httpx2.post(server.url + "/v1/completions", json=body, headers=headers).status_code == 200
    )


def test_keys_are_revoked_at_once(page, server):
    use_key(page, server.key)
    made = httpx2.post(
        server.url + "/v1/kuaibao/applications/1/keys", json={"label": "spare"},
        headers={"Authorization": f"Bearer {server.key}"},
    ).json()  # fmt: skip
    open_tab(page, "Keys")
    page.on("dialog", lambda dialog: dialog.accept())
    row = page.locator("tr", has_text="spare")
    row.get_by_role("button", name="Revoke").click()
    row.get_by_text("revoked", exact=True).wait_for()
    answer = httpx2.get(
        server.url + "/v1/models", headers={"Authorization": f"Bearer {made['secret']}"}
    )
    assert answer.status_code == 401


def test_the_whole_console_speaks_chinese(page, server):
    use_key(page, server.key)
    page.locator("#language").click()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    for name in ("试用", "申请", "应用", "密钥", "用量", "复核", "审计", "规则"):
        open_tab(page, name)
        page.locator("h1", has_text=re.compile("[\u4e00-\u9fff]")).wait_for()
    page.get_by_text("以顾客名义撰写商品评论").wait_for()
    assert page.problems == []


def test_both_catalogues_have_the_same_words(page, server):
    words = page.evaluate(
        "import('/console/words.js').then(m => [Object.keys(m.catalogues.en), Object.keys(m.catalogues.zh)])"
    )
    assert sorted(words[0]) == sorted(words[1])


def test_the_console_is_closed_to_scripts_from_elsewhere(server):
    answer = httpx2.get(server.url + "/console")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    for name in ("../__init__.py", "..%2f__init__.py", "main.py", "%2e%2e/__init__.py"):
        assert httpx2.get(f"{server.url}/console/{name}").status_code == 404


def test_usage_is_shown_by_every_group_and_a_budget_is_set_and_seen(page, server):
    use_key(page, server.key)
    body = {"model": "fake", "prompt": "Hello", "max_tokens": 4}
    headers = {"Authorization": f"Bearer {server.key}"}
    httpx2.post(server.url + "/v1/completions", json=body, headers=headers, timeout=60)
    open_tab(page, "Usage")
    for group in ("application", "key", "person", "model"):
        page.locator("#by").select_option(group)
        page.locator("tbody td").first.wait_for()
    form = page.locator("#budgets form")
    form.locator("input[type=number]").nth(0).fill("1")
    form.locator("input[type=number]").nth(1).fill("8")
    form.locator("select").nth(1).select_option("tokens")
    form.get_by_role("button").click()
    page.locator("#budgets tbody tr").wait_for()
    assert "8 tokens" in page.locator("#budgets tbody").inner_text()
    page.get_by_role("button", name="Remove key 1").click()
    page.get_by_text("There is none yet.").wait_for()
    assert page.problems == []


def test_a_page_that_is_opened_while_the_key_is_looked_at_stays(page, server):
    held, listed = [], []
    page.route("**/v1/kuaibao/held", lambda route: held.append(route))
    page.on("request", lambda request: request.url.endswith("/templates") and listed.append(1))
    with page.expect_request("**/v1/kuaibao/held"):
        use_key(page, server.key)
    open_tab(page, "Few-shot")
    page.get_by_label("Name of a new template").fill("colours")
    held.pop().continue_()
    page.locator("#tabs").get_by_role("link", name="Review", exact=True).wait_for()
    page.wait_for_load_state("networkidle")
    assert page.get_by_label("Name of a new template").input_value() == "colours"
    assert len(listed) == 1
    assert page.problems == []


def test_a_template_is_made_kept_tried_and_measured(page, server):
    use_key(page, server.key)
    open_tab(page, "Few-shot")
    page.get_by_label("Name of a new template").fill("colours")
    page.get_by_role("button", name="Make it").click()
    page.get_by_label("Instruction").fill("Name the colour.")
    pairs = "\n".join(f"a {c} wall → {c}" for c in ("red", "blue", "grey", "pink"))
    page.get_by_label("Examples, a line each").fill(pairs)
    page.get_by_role("button", name="Keep as a new version").click()
    page.get_by_text("4 of 4 examples, nearest to the question").wait_for()
    page.get_by_role("textbox", name="Input", exact=True).fill("a red door")
    page.get_by_role("button", name="Complete", exact=True).click()
    page.get_by_role("combobox", name="Measure").select_option("likelihood")
    tasks = "\n".join(f"the {c} gate → {c}" for c in ("red", "blue", "grey", "pink"))
    page.get_by_label("Solved tasks, a line each").fill(tasks)
    page.get_by_role("button", name="Measure", exact=True).click()
    page.get_by_text("What was measured").wait_for()
    page.get_by_label("Solved tasks, a line each").fill(tasks)
    page.get_by_role("button", name="Choose the examples").click()
    page.get_by_text("chosen for fake by").wait_for()
    page.locator("#language").click()
    page.get_by_role("heading", name="少样本模板").wait_for()
    assert page.problems == []
