"""kill -9 while a stream is written, a model is fine-tuned and answers are billed."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from running import wait_until

sys.path.append(str(Path(__file__).parents[1] / "gpt"))

from small import small_model

PAIRS = [{"prompt": f"{q}:", "completion": a}
         for q, a in (("cat", " mat"), ("dog", " sun"), ("red", " blue"))] * 6  # fmt: skip
START_S = 150


class Server:
    """`kuaibao serve-models` in a process of its own."""

    def __init__(self, model, data):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KUAIBAO_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kuaibao", "serve-models", "--model", f"tiny={model}",
             "--data", str(data), "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.said = queue.Queue()
        self.log = []
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.url = self.said.get(timeout=START_S).split(" ")[2].removesuffix("/v1,")
        except queue.Empty:
            self.process.kill()
            raise AssertionError("".join(self.log)) from None

    def _listen(self):
        for line in self.process.stderr:
            self.log.append(line)
            if line.startswith("Listening on"):
                self.said.put(line)

    def first_key(self):
        return self.process.stdout.readline().strip().rpartition(" ")[2]

    def end(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def folders(tmp_path):
    _, words = small_model(tmp_path / "model", n_positions=2048)
    return tmp_path / "model", tmp_path / "data", words


def call(server, key, method, path, **more):
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx2.request(method, server.url + path, headers=headers, timeout=120, **more)
    assert answer.status_code == 200, answer.text
    return answer


def complete(server, key, n):
    """Tokens that an answer said it used; None if the server went meanwhile."""
    body = {"model": "tiny", "prompt": "the cat", "max_tokens": 3 + n % 5, "user": f"u{n}"}
    try:
        answer = call(server, key, "POST", "/v1/completions", json=body).json()
    except httpx2.HTTPError:
        return None
    return f"{answer['id']}", answer["usage"]["total_tokens"]


def rows(server, key):
    import csv

    text = call(server, key, "GET", "/v1/kuaibao/usage.csv").text
    return {row["request_id"]: row for row in csv.DictReader(text.splitlines())}


@pytest.mark.timeout(900)
def test_a_kill_loses_no_job_counts_each_use_once_and_leaves_the_audit_whole(folders):
    model, data, words = folders
    first = Server(model, data)
    key = first.first_key()
    lines = "\n".join(map(json.dumps, PAIRS)).encode()
    uploaded = call(first, key, "POST", "/v1/files", data={"purpose": "fine-tune"},
                    files={"file": ("pairs.jsonl", lines)}).json()  # fmt: skip
    job = call(first, key, "POST", "/v1/fine_tuning/jobs", json={
        "model": "tiny", "training_file": uploaded["id"],
        "hyperparameters": {"n_epochs": 30, "batch_size": 2, "learning_rate_multiplier": 10},
    }).json()  # fmt: skip
    run = data / "jobs" / job["id"] / "run"
    wait_until(lambda: run.exists() and any(p.is_dir() for p in run.rglob("*step*")), START_S)
    streamed = []

    def stream():
        body = {"model": "tiny", "prompt": "the cat", "max_tokens": 2000, "stream": True,
                "logprobs": 0,  # an event for each token
                "logit_bias": {str(words.eos_id): -100}}  # fmt: skip
        headers = {"Authorization": f"Bearer {key}"}
        try:
            with httpx2.stream("POST", first.url + "/v1/completions", json=body, headers=headers,
                               timeout=120) as answer:  # fmt: skip
                streamed.extend(line for line in answer.iter_lines() if line)
        except httpx2.HTTPError:
            pass

    writing = threading.Thread(target=stream)
    with ThreadPoolExecutor(4) as crowd:
        asked = [crowd.submit(complete, first, key, n) for n in range(40)]
        wait_until(lambda: sum(one.done() for one in asked) >= 8)
        writing.start()
        wait_until(lambda: len(streamed) > 70)
        first.end(signal.SIGKILL)
        answered = dict(filter(None, (one.result() for one in asked)))
    writing.join(60)
    assert "[DONE]" not in streamed[-1]

    second = Server(model, data)
    try:
        kept = rows(second, key)
        for request_id, n_token in answered.items():
            row = kept[request_id]
            assert int(row["n_prompt_token"]) + int(row["n_completion_token"]) == n_token
            assert row["status"] == "done"
        open_rows = [r for r in kept.values() if r["status"] != "done"]
        assert {r["status"] for r in open_rows} == {"interrupted"}
        longest = max(open_rows, key=lambda r: int(r["n_completion_token"]))
        assert 32 <= int(longest["n_completion_token"]) <= len(streamed) + 64
        audit = call(second, key, "GET", "/v1/kuaibao/audit").json()
        assert audit["verified"] == len(audit["data"]) > 0

        def described():
            return call(second, key, "GET", f"/v1/fine_tuning/jobs/{job['id']}").json()

        wait_until(lambda: described()["status"] not in ("queued", "running"), START_S)
        ended = described()
        assert ended["status"] == "succeeded", (data / "jobs" / job["id"] / "log.txt").read_text()
        report = json.loads((data / "jobs" / job["id"] / "result.json").read_text())
        a_pass = sum(len(words.encode(pair["completion"])) + 1 for pair in PAIRS)
        assert report["n_trained_token"] == pytest.approx(report["n_epoch"] * a_pass)
        body = {"model": ended["fine_tuned_model"], "prompt": "cat:", "max_tokens": 4}
        assert call(second, key, "POST", "/v1/completions", json=body).json()["choices"]
        assert second.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    finally:
        second.process.kill()
