"""Coverage-guided hostile requests against the text service, in one process (atheris, libFuzzer).

    pip install atheris
    python tests/fuzz/fuzz_service.py -runs=100000
    python tests/fuzz/fuzz_service.py -max_total_time=300
    python tests/fuzz/fuzz_service.py --plain 1000000 [SEED]

Bytes become a method, a path and a body: raw ones, or JSON of the API's own field names with hostile
values. Any answer may come but one of 500 and above; nothing may be raised. Diagrams are left out: each
is a process, and their parsers have a fuzzer of their own.

With --plain the bytes are random and nothing is instrumented: seven times as many requests a second,
and memory can be watched, which grows under atheris (it keeps the result of every comparison, so each
condition of a query).
"""

import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import atheris

sys.path.append(str(Path(__file__).parents[1] / "service"))

IS_PLAIN = "--plain" in sys.argv
with nullcontext() if IS_PLAIN else atheris.instrument_imports(include=["kuaibao.service"]):
    from fake import FakeModel
    from running import make_service

    from kuaibao.service.api import create_app
    from kuaibao.service.service import SCOPES

FIELDS = [
    "model",
    "prompt",
    "messages",
    "input",
    "max_tokens",
    "temperature",
    "top_p",
    "n",
    "best_of",
    "stop",
    "logprobs",
    "echo",
    "stream",
    "user",
    "seed",
    "suffix",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "stream_options",
    "include_usage",
    "role",
    "content",
    "query",
    "documents",
    "file",
    "max_rerank",
    "examples",
    "labels",
    "question",
    "examples_context",
    "training_file",
    "hyperparameters",
    "n_epochs",
    "text",
    "n_sentences",
    "image",
    "keep",
    "top_k",
    "name",
    "template",
    "instruction",
    "selection",
    "how",
    "places",
    "tasks",
    "metric",
    "counts",
    "version",
    "scope",
    "subject_id",
    "amount",
    "unit",
    "thresholds",
    "is_hard",
    "email",
    "purpose",
    "audience",
    "output_seen_by",
    "human_in_the_loop",
    "status",
    "reasons",
    "ceilings",
    "policy",
    "expires_at",
    "label",
    "scopes",
    "is_killed",
    "decision",
    "person",
    "encoding_format",
    "dimensions",
    "return_prompt",
    "search_model",
    "response_format",
    "tools",
    "top_logprobs",
    "type",
    "output",
]
WORDS = (
    "fake", "", "x", "user", "assistant", "complete", "admin", "approved", "refused", "harmless", "tokens",
    "money", "key", "exact", "likelihood", "nearest", "fine-tune", "base64", "content-filter-alpha", "ind-orig",
    "\x00", "\ud800", "’" * 40, "a" * 3000, "你好", "../../etc/passwd", "' OR 1=1 --", "%00", "null", "-1",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, -1, 5, 64, 100, 2**31, 2**63, -(2**63), 2**70, 0.5, -0.0, 1e308, 1e-308)
SKIP = {"/v1/kuaibao/diagrams", "/v1/diagrams"}


class Target:
    def __init__(self):
        folder = tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.service = make_service(folder, model=lambda: FakeModel(n_context=48))
        self.service.first_administrator_key()
        self.renew()
        self.app = create_app(self.service)
        self.routes = [
            (method, route.path) for route in _routes(self.app)
            for method in sorted(route.methods) if route.path not in SKIP
        ]  # fmt: skip
        self.loop = asyncio.new_event_loop()
        self.n = 0
        self.statuses: dict[int, int] = {}

    def renew(self):
        """An open house and a live key, whatever requests did to the last ones."""
        house = self.service.applications.set_killed(1, False, actor="fuzz")
        self.key, _ = self.service.make_key(house, scopes=SCOPES, actor="fuzz")

    def __call__(self, data):
        self.n += 1
        if self.n % 500 == 0:
            self.renew()
        given = atheris.FuzzedDataProvider(data)
        method, path = self.routes[given.ConsumeIntInRange(0, len(self.routes) - 1)]
        while "{" in path:
            before, _, rest = path.partition("{")
            path = before + _plain(given) + rest.partition("}")[2]
        query = given.PickValueInList(
            ["", "by=model", "by=%FF", "version=9", "since=x", "after=-1"]
        )
        headers = [(b"host", b"x"), (b"content-type", b"application/json")]
        if given.ConsumeIntInRange(0, 9):
            headers.append((b"authorization", f"Bearer {self.key}".encode()))
        body = given.ConsumeBytes(2000) if not given.ConsumeIntInRange(0, 7) else _json(given, 0)
        if not isinstance(body, bytes):
            body = json.dumps(body).encode("utf-8", "surrogatepass")
        status = self.loop.run_until_complete(self.ask(method, path, query, headers, body))
        self.statuses[status] = self.statuses.get(status, 0) + 1
        assert status < 500 or status == 503, (method, path, query, body[:500])

    async def ask(self, method, path, query, headers, body):
        sent, status = False, 0

        async def receive():
            nonlocal sent
            if sent:
                await asyncio.sleep(3600)
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "path": path, "raw_path": path.encode("utf-8", "surrogatepass"), "query_string": query.encode(),
            "headers": headers, "client": ("127.0.0.1", 1), "server": ("x", 80), "scheme": "http",
            "root_path": "",
        }  # fmt: skip
        await self.app(scope, receive, send)
        return status


def _routes(app):
    """The API's own routes, also those of included routers."""
    from fastapi.routing import APIRoute

    waiting, found = list(app.routes), []
    while waiting:
        one = waiting.pop()
        if isinstance(one, APIRoute):
            found.append(one)
        else:
            waiting.extend(getattr(getattr(one, "original_router", one), "routes", []) or [])
    return sorted(found, key=lambda route: route.path)


def _plain(given):
    return given.PickValueInList(
        ["fake", "1", "2", "0", "-1", "x" * 300, "ftjob-x", "headline-en", "%2e%2e", "快"]
    )


def _json(given, depth):
    kind = given.ConsumeIntInRange(0, 9 if depth < 4 else 5)
    if kind <= 1:
        return given.PickValueInList(list(WORDS))
    if kind == 2:
        return given.PickValueInList(list(NUMBERS))
    if kind == 3:
        return given.PickValueInList([None, True, False])
    if kind == 4:
        return given.ConsumeUnicode(given.ConsumeIntInRange(0, 40))
    if kind == 5:
        return given.ConsumeIntInRange(-9, 300)
    if kind == 6:
        return [_json(given, depth + 1) for _ in range(given.ConsumeIntInRange(0, 4))]
    n_field = given.ConsumeIntInRange(0, 9)
    made = {given.PickValueInList(FIELDS): _json(given, depth + 1) for _ in range(n_field)}
    if depth == 0 and given.ConsumeBool():
        made |= {"model": "fake", "max_tokens": given.ConsumeIntInRange(0, 4)}
    return made


def run_plain(target, n, seed=0):
    """Random bytes, with a line every 10,000 requests: statuses, memory, speed."""
    draw, began = random.Random(seed), time.monotonic()
    for i in range(1, n + 1):
        data = draw.randbytes(draw.choice((30, 100, 400, 1500)))
        try:
            target(data)
        except BaseException:
            print(f"request {i}, seed {seed}, bytes {data.hex()}", flush=True)
            raise
        if i % 10_000 == 0 or i == n:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rate = i / (time.monotonic() - began)
            print(f"{i:,} requests, {dict(sorted(target.statuses.items()))}, "
                  f"{peak:.0f} MB at most, {rate:.0f} a second", flush=True)  # fmt: skip


def main():
    target = Target()
    assert len(target.routes) > 50, target.routes
    # Thousands of errors are logged on purpose: only what fails is to be read.
    import logging

    logging.getLogger("kuaibao.service").setLevel(logging.CRITICAL)
    # A small model, one loop, no lifespan: the fine-tuning worker does not run.
    if IS_PLAIN:
        n, *seed = map(int, sys.argv[sys.argv.index("--plain") + 1 :])
        return run_plain(target, n, *seed)
    atheris.Setup([sys.argv[0], "-max_len=4096", "-timeout=60", *sys.argv[1:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
