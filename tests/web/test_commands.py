"""`kuaibao serve` and `kuaibao desk`, as they are installed."""

import json
import re
import subprocess
import sys

import httpx2
import pytest
from newsroom import FakeClock, furnish
from test_life_of_an_issue import full_issue

from kuaibao.bulletin.desk import Desk, close_issue

CONFIG = 'series = "快报"\nlanguage = "zh"\ndatabase = "desk.db"\n'


def kuaibao(*arguments, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "kuaibao", *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_first_start_makes_the_administrator_by_the_code_of_the_terminal(tmp_path):
    (tmp_path / "bulletin.toml").write_text(CONFIG, "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "kuaibao", "serve", str(tmp_path), "--port", "0"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        base = re.search(r"http://[\d.:]+", process.stderr.readline())[0]
        code = process.stderr.readline().split()[-1]
        with httpx2.Client(base_url=base, timeout=60) as browser:
            before = re.search(r'name="before" value="([^"]+)', browser.get("/signin").text)[1]
            form = {"name": "root", "password": "long enough to be safe", "before": before}
            assert browser.post("/setup", data=form | {"code": "guess"}).status_code == 403
            assert browser.post("/setup", data=form | {"code": code}).status_code == 303
            assert browser.get("/settings").status_code == 200
            assert browser.get("/people").status_code == 200
        with httpx2.Client(base_url=base, timeout=60) as late:
            before = re.search(r'name="before" value="([^"]+)', late.get("/signin").text)[1]
            again = late.post("/setup", data=form | {"code": code, "before": before, "name": "m"})
            assert again.headers["location"] == "/signin"
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bulletin.toml").write_text(CONFIG, "utf-8")
    return tmp_path


def test_the_shell_does_what_the_pages_do(folder, tmp_path_factory):
    desk = Desk.open(folder / "desk.db", folder)
    room = furnish(desk, FakeClock(), 2)
    issue_id = full_issue(room, 1)
    close_issue(desk, room.editor, issue_id)
    other = room.found()[1]
    desk.close()
    items = json.loads(kuaibao("desk", "items", folder, "--as", "editor", "--json").stdout)
    assert {i["state"] for i in items} == {"found", "ready"}
    kuaibao("desk", "move", folder, other, "pick", "--as", "compiler")
    refused = kuaibao("desk", "close", folder, issue_id, "--as", "compiler", code=5)
    assert "not allowed" in refused.stderr
    made = json.loads(
        kuaibao("desk", "publish", folder, issue_id, "--as", "editor", "--json").stdout
    )
    assert made["state"] == "published"
    out = tmp_path_factory.mktemp("site")
    kuaibao("desk", "export", folder, out)
    page = (out / "index.html").read_text("utf-8")
    (address,) = re.findall(r'href="([^"]+)"', page)
    assert "模型学会了阅读" in (out / address).read_text("utf-8")
    assert not list(out.rglob("*.eml"))
    copy = tmp_path_factory.mktemp("backup") / "copy.db"
    kuaibao("desk", "backup", folder, copy)
    (folder / "desk.db").write_bytes(b"gone")
    kuaibao("desk", "restore", folder, copy)
    assert "holds" in kuaibao("desk", "audit", folder, "--as", "root").stdout


def test_the_first_person_by_the_shell_is_the_administrator(folder):
    made = json.loads(
        kuaibao("desk", "add-person", folder, "root", "--role", "editor", "--json").stdout
    )
    assert made["person"]["roles"] == ["administrator", "editor"]
    assert kuaibao("desk", "add-person", folder, "eva", "--role", "editor", code=2).stderr
    kuaibao("desk", "add-person", folder, "eva", "--role", "editor", "--as", "root")
    token = kuaibao("desk", "add-token", folder, "--as", "eva", "--scope", "read").stdout
    assert token.startswith("kb-")
