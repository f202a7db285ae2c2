"""The desk asks our own text service for a draft; a person mends it, others sign, it is published."""

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
sys.path.insert(0, str(Path(__file__).parents[1] / "bulletin" / "desk"))

from newsroom import TRANSLATION
from serving import Serving

from kuaibao.bulletin.desk import (
    KEY_VARIABLE,
    close_issue,
    issue_folder,
    make_issue,
    place_piece,
    publish_issue,
)

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service(tmp_path):
    """`kuaibao serve-models` as it comes: its address and its administrator's key."""
    command = [sys.executable, "-m", "kuaibao", "serve-models", "--port", "0", "--data", str(tmp_path / "service")]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        key = re.search(r"kb-\S+", process.stdout.readline())
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"http://\S+/v1", line):
                break
        else:
            raise AssertionError("".join(said))
        threading.Thread(target=process.stderr.read, daemon=True).start()  # never let it block
        assert key
        yield found[0], key[0]
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.slow
def test_a_draft_of_our_own_service_is_marked_until_people_sign_it(service, tmp_path, monkeypatch):
    url, key = service
    monkeypatch.setenv(KEY_VARIABLE, key)
    (tmp_path / "desk").mkdir()
    with Serving(tmp_path / "desk", 1) as serving:
        desk, room = serving.desk, serving.room
        (piece_id,) = room.found()
        path = f"/api/v1/pieces/{piece_id}"
        with serving.api("administrator", "read", "admin") as api:
            for name, value in (("model_url", url), ("model_name", "gpt-small")):
                answer = api.put("/api/v1/settings", json={"name": name, "value": value})
                assert answer.status_code == 200, answer.text
        with serving.api("compiler", "read", "write") as api:
            for move in ("pick", "take"):
                moved = api.post(f"{path}/moves", json={"move": move})
                assert moved.status_code == 200, moved.text
            drafted = api.post(f"{path}/draft", json={"how": "endpoint"}, timeout=300)
            assert drafted.status_code == 200, drafted.text
            draft = drafted.json()
            assert draft["is_standing"]
            assert draft["piece"]["is_machine"]
            assert draft["text"]["title"].strip()
            assert draft["text"]["body"].strip()
        with serving.browser("compiler") as browser:
            assert "machine text" in browser.get(f"/pieces/{piece_id}").text
        with serving.api("compiler", "read", "write") as api:  # a person writes what it should say
            text = {"title": "模型学会了阅读", "body": TRANSLATION, "base_revision": 1}
            assert api.put(f"{path}/text", json=text).status_code == 200
            signed = api.post(f"{path}/moves", json={"move": "compile", "is_translation": True})
            assert signed.status_code == 200, signed.text
            assert api.get(path).json()["is_machine"] is False
        for role, move in (("proofreader", "proofread"), ("editor", "accept")):
            with serving.api(role, "read", "write", "publish") as api:
                assert api.post(f"{path}/moves", json={"move": move}).status_code == 200
        issue = make_issue(desk, room.editor, room.series.series_id)
        place_piece(desk, room.editor, piece_id, issue.issue_id)
        close_issue(desk, room.editor, issue.issue_id)
        done = publish_issue(desk, room.editor, issue.issue_id, ("html", "json"))
        issue_text = (issue_folder(desk, done) / "issue.json").read_text("utf-8")
    (section,) = json.loads(issue_text)["sections"]
    assert section["items"][0]["draft"]["is_machine"] is False
    assert "模型学会了阅读" in issue_text
