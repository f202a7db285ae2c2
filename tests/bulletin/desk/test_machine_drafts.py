"""Machine drafts through a real HTTP server that speaks OpenAI's chat API."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from newsroom import TRANSLATION, open_newsroom

from kuaibao.bulletin.desk import (
    EndpointError,
    PieceText,
    draft_by_machine,
    get_piece,
    get_text,
    machine_sentences,
    move_piece,
    save_text,
)
from kuaibao.errors import InputError


class Endpoint:
    """Answers chat completions; `answer` overrides what is sent as (status, body)."""

    def __init__(self):
        self.asked, self.answer = [], None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append((self.path, self.headers.get("authorization"), body))
                wanted = body["messages"][-1]["content"]
                text = "模型学会阅读" if "title" in wanted.splitlines()[0] else TRANSLATION
                said = {
                    "id": "x", "object": "chat.completion", "model": body["model"],
                    "choices": [{"index": 0, "finish_reason": "stop",
                                 "message": {"role": "assistant", "content": f"\n{text}\n"}}],
                }  # fmt: skip
                status, data = outer.answer or (200, json.dumps(said).encode())
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def endpoint():
    made = Endpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def room(tmp_path, endpoint, monkeypatch):
    monkeypatch.setenv("KUAIBAO_DESK_MODEL_KEY", "a key")
    with open_newsroom(tmp_path, 1) as made:
        made.desk.set_setting(made.administrator, "model_url", endpoint.url + "/")
        made.desk.set_setting(made.administrator, "model_name", "small-1")
        move_piece(made.desk, made.editor, made.found()[0], "pick")
        yield made


def test_a_model_translates_title_and_text_and_both_are_marked(room, endpoint):
    (piece_id,) = room.found()
    made = draft_by_machine(room.desk, room.compiler, piece_id, "endpoint")
    assert made.is_standing
    assert made.text.title == "模型学会阅读"
    piece = get_piece(room.desk, room.compiler, piece_id)
    assert piece.is_machine
    whole = " ".join(s for _, s in made.text.sentences())
    assert "175" in whole or "1750 亿" in whole
    assert machine_sentences(room.desk, piece_id) >= {s for _, s in made.text.sentences()}
    path, key, body = endpoint.asked[0]
    assert (path, key, body["model"]) == ("/v1/chat/completions", "Bearer a key", "small-1")
    assert "Chinese" in body["messages"][0]["content"]


def test_a_persons_text_is_never_written_over(room, endpoint):
    (piece_id,) = room.found()
    text = PieceText(title="人写的", body="人写的句子。")
    save_text(room.desk, room.compiler, piece_id, text, base_revision=0)
    made = draft_by_machine(room.desk, room.compiler, piece_id, "endpoint")
    assert not made.is_standing
    assert get_text(room.desk, room.compiler, piece_id).body == "人写的句子。"


@pytest.mark.parametrize(
    "answer",
    [(500, b"{}"), (200, b"<html>"), (200, b'{"choices": []}'), (200, b"[]"), (302, b""),
     (200, b'{"choices": [{"message": {"content": "  "}}]}'),
     (200, b'{"choices": [{"message": {"content": 7}}]}'), (200, b"x" * 3_000_000)],
)  # fmt: skip
def test_an_endpoint_that_fails_is_told_and_nothing_is_written(room, endpoint, answer):
    endpoint.answer = answer
    (piece_id,) = room.found()
    with pytest.raises(EndpointError):
        draft_by_machine(room.desk, room.compiler, piece_id, "endpoint")
    assert get_piece(room.desk, room.compiler, piece_id).revision == 0


def test_an_endpoint_that_is_not_there_is_told(room, endpoint):
    endpoint.server.shutdown()
    endpoint.server.server_close()
    with pytest.raises(EndpointError, match="does not answer"):
        draft_by_machine(room.desk, room.compiler, room.found()[0], "endpoint")


def test_an_offline_translator_drafts_by_the_settings_folder_and_is_marked(room, monkeypatch):
    asked = []

    class Stub:  # the package itself: tests/bulletin/writing/test_offline_translator.py
        def __init__(self, folder):
            asked.append(folder)

        def translate(self, sentences, *, source, target):
            asked.append((source, target))
            return ["模型学会阅读", *(f"第 {n} 句。" for n in range(1, len(sentences)))]

    monkeypatch.setattr("kuaibao.bulletin.writing.offline_translator.OfflineTranslator", Stub)
    room.desk.set_setting(room.administrator, "translator_folder", "translators/en-zh")
    (piece_id,) = room.found()
    made = draft_by_machine(room.desk, room.compiler, piece_id, "translator")
    assert asked == [str(room.desk.folder / "translators/en-zh"), ("en", "zh")]
    assert made.text.title == "模型学会阅读"
    assert get_piece(room.desk, room.compiler, piece_id).is_machine


def test_an_offline_translator_without_a_folder_says_where_to_name_one(room):
    (piece_id,) = room.found()
    with pytest.raises(InputError, match="told no folder"):
        draft_by_machine(room.desk, room.compiler, piece_id, "translator")
