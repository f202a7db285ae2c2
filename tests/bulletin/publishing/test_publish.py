import dataclasses
import email
import email.policy
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kuaibao.bulletin.publishing import ALL_FORMATS, find_cjk_font, publish, render
from kuaibao.errors import InputError

GOLDEN = Path(__file__).parent / "golden"
TEXT_FORMATS = ("html", "atom", "rss", "json_feed", "ics", "bibtex", "ris", "mail", "json")
needs_chinese_font = pytest.mark.skipif(
    find_cjk_font() is None, reason="no Chinese font on this machine (install fonts-noto-cjk)"
)


@needs_chinese_font
@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_the_forms_of_the_contract_lie_in_the_folder(
    english_issue, chinese_issue, language, tmp_path
):
    published = publish(english_issue if language == "en" else chinese_issue, tmp_path / "out")
    assert published.notices == ()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "index.html", "issue.pdf", "issue.epub", "feed.xml", "feed.rss", "feed.json",
        "conferences.ics", "papers.bib", "papers.ris", "mail.eml", "issue.json",
    }  # fmt: skip
    assert set(published.paths) == set(ALL_FORMATS)
    assert all(path.stat().st_size > 200 for path in published.paths.values())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_the_issue_looks_as_it_was_approved(english_issue, chinese_issue, language, name):
    """Renew with RENEW_GOLDEN=1 and look at the difference."""
    issue = english_issue if language == "en" else chinese_issue
    made = render(issue, [name])[0][name]
    file = GOLDEN / language / {
        "html": "index.html", "atom": "feed.xml", "rss": "feed.rss", "json_feed": "feed.json",
        "ics": "conferences.ics", "bibtex": "papers.bib", "ris": "papers.ris", "mail": "mail.txt",
        "json": "issue.json",
    }[name]  # fmt: skip
    if name == "mail":
        made = readable(made)
    if os.environ.get("RENEW_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made)
    assert made.decode("utf-8") == file.read_bytes().decode("utf-8")


def readable(mail):
    """Headers, then both parts decoded: base64 is nothing to look at."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    head = "".join(f"{name}: {value}\n" for name, value in message.items())
    parts = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    return "\n=====\n".join([head, *parts]).encode("utf-8")


@needs_chinese_font
def test_publishing_twice_gives_the_same_bytes(chinese_issue):
    assert render(chinese_issue) == render(chinese_issue)


def test_an_unknown_format_is_named_with_those_that_there_are(english_issue, tmp_path):
    with pytest.raises(InputError, match="Did you mean 'epub'"):
        publish(english_issue, tmp_path, ["epbu"])
    assert list(tmp_path.iterdir()) == []


def test_only_what_was_asked_for_is_made_and_linked(english_issue, tmp_path):
    published = publish(english_issue, tmp_path, ["html", "atom"])
    assert set(published.paths) == {"html", "atom"}
    page = (tmp_path / "index.html").read_text("utf-8")
    assert 'href="feed.xml"' in page
    assert 'href="issue.pdf"' not in page


def test_files_of_other_names_and_other_languages_are_left_alone(
    english_issue, chinese_issue, tmp_path
):
    (tmp_path / "CNAME").write_text("bulletin.example.org")
    publish(chinese_issue, tmp_path / "zh", ["html"])
    publish(english_issue, tmp_path, ["html"])
    assert (tmp_path / "CNAME").read_text() == "bulletin.example.org"
    assert "跟踪扫描动态快报" in (tmp_path / "zh/index.html").read_text("utf-8")


def test_an_error_while_rendering_leaves_the_old_issue_whole(english_issue, tmp_path, monkeypatch):
    publish(english_issue, tmp_path, TEXT_FORMATS)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    module = sys.modules["kuaibao.bulletin.publishing.publish"]

    def fails(issue):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(module, "render_json", fails)
    with pytest.raises(RuntimeError):
        publish(dataclasses.replace(english_issue, series="Other"), tmp_path, TEXT_FORMATS)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from conftest import make_english_issue
from kuaibao.bulletin.publishing import publish
n_left = int(sys.argv[3])
replace = os.replace
def dying(*args):
    global n_left
    n_left -= 1
    if n_left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*args)
os.replace = dying
publish(make_english_issue(), sys.argv[2], ["atom", "ics", "bibtex", "html", "json"])
"""


@pytest.mark.parametrize("n_renamed", [0, 2, 4])
def test_a_killed_publication_leaves_only_whole_files_and_the_next_one_completes_it(
    english_issue, tmp_path, n_renamed
):
    formats = ["atom", "ics", "bibtex", "html", "json"]
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path), str(n_renamed)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    rendered, _ = render(english_issue, formats)
    whole = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name[0] != "."}
    assert len(whole) == n_renamed
    assert set(whole.values()) <= set(rendered.values())
    assert "issue.json" not in whole  # it comes last: where it lies, all lie
    published = publish(english_issue, tmp_path, formats)
    assert {n: p.read_bytes() for n, p in published.paths.items()} == rendered


def test_the_json_holds_the_whole_issue(chinese_issue):
    value = json.loads(render(chinese_issue, ["json"])[0]["json"])
    assert value["series"] == "跟踪扫描动态快报"
    assert value["day"] == "2020-06-25"
    assert set(value) == {field.name for field in dataclasses.fields(chinese_issue)}
    signature = value["sections"][0]["items"][0]["signatures"][1]
    assert (signature["role"], signature["person"]) == ("proofread", "李朝安")


def test_an_empty_issue_is_still_an_issue(english_issue):
    issue = dataclasses.replace(
        english_issue, sections=(), highlights=(), title="", publisher="", editors=(), contact="",
        base_url="", disclaimer="", content_hash="",
    )  # fmt: skip
    rendered, notices = render(issue)
    assert notices == ()
    assert b"This issue holds no items." in rendered["html"]


def test_a_long_chinese_head_is_set_smaller_and_a_short_one_as_ever(chinese_issue):
    long = dataclasses.replace(chinese_issue, series="智能信息技术跟踪扫描动态快报")
    rule = ".masthead .series { font-size: max("
    assert rule in render(long, ["html"])[0]["html"].decode("utf-8")
    assert rule not in render(chinese_issue, ["html"])[0]["html"].decode("utf-8")
