"""What errors say in Chinese: every message that the desk's code can raise has its words."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from kuaibao.bulletin.desk import WorkflowError
from kuaibao.errors import InputError
from kuaibao.web.words import Words

ROOT = Path(importlib.util.find_spec("kuaibao").origin).parent
FOLDERS = ("bulletin/desk", "bulletin/mailing", "bulletin/hooks", "accounts", "web", "web/pages",
           "web/api")  # fmt: skip
LOCALES = ROOT / "web" / "locales"
ZH = tomllib.loads((LOCALES / "zh.toml").read_text("utf-8"))


ELSEWHERE = "made elsewhere"


def template(node):
    """A message with {} for what is filled in; None for one that is made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return None


def test_every_obstacle_and_reason_of_the_workflow_has_chinese_words():
    source = (ROOT / "bulletin" / "desk" / "workflow.py").read_text("utf-8")
    reasons = set(re.findall(r'"(no_\w+|not_\w+|own_text|wrong_state|published)"', source))
    assert reasons >= {"no_text", "no_source", "no_link", "not_compiled", "not_proofread"}
    assert reasons <= set(ZH["reason"]) | set(ZH["obstacle"])


def raised():
    """Every call of an error of ours: kind, message, reason."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if is_call and node.func.id.endswith("Error") and node.args:
                    reasons = [
                        template(k.value) or ELSEWHERE for k in node.keywords if k.arg == "reason"
                    ]
                    yield node.func.id, template(node.args[0]), reasons[0] if reasons else None


def test_every_message_of_the_desk_has_chinese_words():
    words, missing = Words.of("zh"), []
    for kind, message, reason in raised():
        if message is None or kind in ("ValueError", "TypeError", "MissingExtraError"):
            continue
        is_known = (
            reason == ELSEWHERE
            or (reason and reason in ZH["reason"])
            or kind in ZH["error"]
            or words.message(message.replace("{}", "7"))
        )
        if not is_known:
            missing.append((kind, message))
    assert missing == []
    assert len(list(raised())) > 60


def test_a_message_keeps_what_was_filled_in():
    words = Words.of("zh")
    assert words.error(InputError("'1 May' is no day", hint="x")).startswith("'1 May' 不是日期")
    assert words.error(WorkflowError("x", reason="own_text")) == "不得校对自己的文稿。"
    assert words.error(InputError("the moon is full")) == "输入有误：the moon is full"
    assert Words.of("en").error(InputError("a series has a name")) == "a series has a name"


def test_what_a_form_lacks_is_said_in_the_readers_language(server):
    with server.browser("editor") as browser:
        browser.cookies.set("kuaibao_language", "zh")
        assert "target：必填" in browser.submit("/terms", source="x").text
        assert "series_id：须为整数" in browser.submit("/issues", series_id="x").text
        series = f"/settings/series/{server.room.series.series_id}"
        assert (
            "days_between：不得小于 1" in browser.submit(series, name="快报", days_between=0).text
        )


def test_the_api_says_errors_in_chinese_to_who_asks_for_it(server):
    with server.api("editor", "read", "write", "publish") as api:
        answers = [
            api.post(
                "/api/v1/issues", json={"series_id": "x"}, headers={"accept-language": language}
            )
            for language in ("zh-CN,zh;q=0.9", "en", "de")
        ]
    assert [a.status_code for a in answers] == [422, 422, 422]
    chinese, english, other = (a.json() for a in answers)
    assert chinese["message"] == "series_id：须为整数"
    assert english["message"] == other["message"]
    assert english["message"].startswith("series_id: Input should be a valid integer")
    assert chinese["error"] == english["error"]


def test_every_reason_of_the_ranking_and_verdict_of_a_source_has_chinese_words():
    words = Words.of("zh")
    found = set()
    for name in ("reading/rank.py", "reading/learning/learner.py"):
        tree = ast.parse((ROOT / "bulletin" / name).read_text("utf-8"))
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            kept = getattr(node.func.value, "id", "")
            if node.func.attr == "append" and kept in ("reasons", "found"):
                said = node.args[0].left if isinstance(node.args[0], ast.BinOp) else node.args[0]
                arms = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
                found |= {template(arm) for arm in arms}
    assert len(found - {None}) >= 8
    assert [r for r in found if r and not words.message(r.replace("{}", "7") + "x" * r.endswith(" "))] == []  # fmt: skip
    verdict = "nothing for 9 days, where 1 day is usual"
    assert words.said(verdict) == "已 9 天没有新条目，通常间隔 1 天"
    assert words.said("https://x.org/: the server answered 500; 3 times in a row") == (
        "https://x.org/：服务器返回 500；连续 3 次"
    )


def test_every_trouble_that_a_source_can_have_has_chinese_words():
    words, missing, n_found = Words.of("zh"), [], 0
    for path in sorted((ROOT / "bulletin" / "sources").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "")
            said = [k.value for k in node.keywords if k.arg == "message"]
            said += node.args[:1] if name == "LayoutError" else []
            for message in filter(None, map(template, said)):
                n_found += 1
                if not words.message(message.replace("{}", "7")):
                    missing.append((path.name, message))
    assert missing == []
    assert n_found > 20
    reasons = set()
    for path in sorted((ROOT / "fetching").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name.endswith("Error") and len(node.args) > 1:
                reasons.add(template(node.args[1]))
    reasons -= {None}
    assert len(reasons) > 10
    assert [
        r for r in reasons if not words.message(f"https://x.org/: {r}".replace("{}", "7"))
    ] == []


def test_every_reason_of_a_join_has_chinese_words():
    words = Words.of("zh")
    reasons = {
        found
        for name in ("reading/same_story.py", "store/items.py")
        for found in re.findall(
            r'"((?:same|nearly|first to|joined by)\b[^"]*)"',
            (ROOT / "bulletin" / name).read_text("utf-8"),
        )
    }
    assert len(reasons) >= 8
    assert [r for r in reasons if not words.message(re.sub(r"\{.*?\}", "x", r))] == []
    told = words.message("joined by another entry: same DOI 10.1000/1")
    assert told == "因另一条而合并：DOI 相同 10.1000/1"


def test_the_catalogue_fits_the_messages():
    phrases = tomllib.loads((LOCALES / "messages.zh.toml").read_text("utf-8"))
    for english, chinese in phrases.items():
        assert english.count("{}") == chinese.count("{}"), english
        assert re.search(r"[\u4e00-\u9fff]", chinese)


@pytest.mark.parametrize("path", ["/settings", "/inbox", "/hooks", "/notes", "/people", "/terms",
                                  "/subscribers", "/issues", "/work", "/calendar", "/trends",
                                  "/sources", "/archive", "/nothing"])  # fmt: skip
def test_a_chinese_page_says_nothing_in_english_of_its_own(server, path):
    from lxml import html

    with server.browser("administrator") as browser:
        browser.cookies.set("kuaibao_language", "zh")
        tree = html.fromstring(browser.get(path).text)
    for quiet in tree.xpath("//*[@lang='en' or self::code or self::kbd or self::script]"):
        quiet.drop_tree()
    for data in tree.xpath("//select[@name='languages'] | //time | //*[@data-from-outside]"):
        data.drop_tree()
    said = [t.strip() for t in tree.xpath("//body//text()") if t.strip()]
    english = [t for t in said if re.search(r"[A-Za-z]{3,} [a-z]{3,} [a-z]{2,}", t)]
    assert [t for t in english if not t.startswith("A model learns")] == []
