"""What those who run the service see: logs, metrics, clients that leave."""

import json
import logging
import socket
import threading

import httpx2
from fake import FakeModel
from running import Running, make_service, wait_until

from kuaibao.service.logs import JsonLines


def test_each_request_is_a_line_of_json_without_its_text(server, caplog):
    with caplog.at_level(logging.INFO, logger="kuaibao.service.requests"):
        httpx2.post(
            server.url + "/v1/completions",
            json={"model": "fake", "prompt": "a secret garden", "max_tokens": 2},
            headers={"Authorization": f"Bearer {server.key}", "x-request-id": "mine-1"},
            timeout=60,
        )
        wait_until(lambda: any(getattr(r, "fields", {}).get("request_id") == "mine-1"
                               for r in caplog.records))  # fmt: skip
    (record,) = [r for r in caplog.records if r.fields["request_id"] == "mine-1"]
    text = JsonLines().format(record)
    line = json.loads(text)
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/completions", 200)
    assert line["key_id"] == 1
    assert "garden" not in text
    assert server.key not in text


def test_a_client_that_leaves_ends_its_work_and_pays_for_what_was_done(tmp_path):
    go_on = threading.Event()
    steps = []

    def slow():
        steps.append(1)
        if len(steps) > 3:
            go_on.wait(60)

    with Running(make_service(tmp_path, model=lambda: FakeModel(on_step=slow))) as server:
        body = json.dumps({"model": "fake", "prompt": "a", "max_tokens": 400, "temperature": 0})
        head = (
            f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall((head + body).encode())
            wait_until(lambda: len(steps) > 3)

        def status():
            return [row["status"] for row in server.service.ledger.rows()]

        wait_until(lambda: status() == ["cancelled"])
        go_on.set()
        scheduler = server.service.pool.get("fake")
        wait_until(lambda: scheduler.n_running == 0)
        (row,) = server.service.ledger.rows()
        assert 0 < row["n_completion_token"] < 20
