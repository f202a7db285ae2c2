"""What the gate costs beside the bare engine, and 1,000 slow clients held open.

Overhead: the same sequences through the scheduler alone, and through HTTP, key, quota, ledger and an
output policy's absence, in turns in one process; its CPU seconds, the clients being another process.
The model is a random one of GPT-2's smallest size, since the gate's cost is by request and token, not by
parameter (`--small`: the repository's own). The slow clients send a request byte by byte, wait, and read
slowly, while a quick one is timed.

python benchmarks/service/gate.py [--small] [--slow N] [--precision int8|float32] [--tokens N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import httpx2
import psutil
import torch
import uvicorn

from kuaibao.service.api import create_app
from kuaibao.service.engine import GenerationRequest, Sampling
from kuaibao.service.models import make_spec
from kuaibao.service.service import Service, make_pool, open_service_database
from kuaibao.service.settings import ServiceSettings
from kuaibao.transformer import TransformerConfig, build_model
from kuaibao.transformer.checkpoints import save_pretrained
from kuaibao.transformer.shipped import shipped_model
from kuaibao.transformer.tokenizers import load_tokenizer

N_AT_ONCE = 8


class Served:
    """The service in a thread of this process, so that its CPU seconds and ours are one count."""

    def __init__(self, model: str, precision: str, folder: str) -> None:
        settings = ServiceSettings(
            data=folder, max_waiting=4000, n_slot=N_AT_ONCE, precision=precision
        )
        spec = make_spec(settings, "bench", model)
        self.service = Service(
            settings, open_service_database(folder), make_pool(settings, {"bench": spec}),
            lambda name, where: make_spec(settings, name, where),
        )  # fmt: skip
        self.key = self.service.first_administrator_key()
        config = uvicorn.Config(
            create_app(self.service), port=0, log_level="critical", backlog=2048
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.05)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def end(self) -> None:  # noqa: D102
        self.server.should_exit = True
        self.thread.join(60)


def prompts(n: int) -> list[tuple[int, ...]]:
    return [tuple(1 + (7 * i + j) % 3000 for j in range(32)) for i in range(n)]


def bare(served: Served, n: int, n_new: int) -> float:
    """CPU seconds of the engine alone, `N_AT_ONCE` sequences at once."""
    scheduler = served.service.pool.get("bench")
    turn = threading.Semaphore(N_AT_ONCE)
    begun, left = time.process_time(), threading.Semaphore(0)

    def hear(event: object) -> None:
        if getattr(event, "finish_reason", None):
            turn.release()
            left.release()

    for prompt in prompts(n):
        turn.acquire()
        sampling = Sampling(max_tokens=n_new, temperature=0, logit_bias={0: -100.0})
        scheduler.submit(
            GenerationRequest(prompt=prompt, sampling=sampling, tenant=str(begun)), hear
        )
    for _ in range(n):
        left.acquire()
    return time.process_time() - begun


def gated(
    served: Served, clients: ProcessPoolExecutor, n: int, n_new: int, *, stream: bool
) -> float:
    """CPU seconds of the same through the API; the clients are a process of their own."""
    begun = time.process_time()
    clients.submit(ask_all, served.port, served.key or "", n, n_new, stream, str(begun)).result()
    return time.process_time() - begun


def ask_all(port: int, key: str, n: int, n_new: int, stream: bool, user: str) -> None:
    """The clients: `N_AT_ONCE` requests at a time."""

    async def ask(
        client: httpx2.AsyncClient, prompt: tuple[int, ...], turn: asyncio.Semaphore
    ) -> None:
        body = {"model": "bench", "prompt": list(prompt), "max_tokens": n_new, "temperature": 0,
                "logit_bias": {"0": -100}, "stream": stream, "user": user}  # fmt: skip
        async with turn:
            url = f"http://127.0.0.1:{port}/v1/completions"
            async with client.stream("POST", url, json=body) as answer:
                assert answer.status_code == 200
                async for _ in answer.aiter_bytes():
                    pass

    async def crowd() -> None:
        turn = asyncio.Semaphore(N_AT_ONCE)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=900, trust_env=False) as client:
            await asyncio.gather(*(ask(client, prompt, turn) for prompt in prompts(n)))

    asyncio.run(crowd())


def overhead(served: Served, clients: ProcessPoolExecutor, n: int, n_new: int, rounds: int) -> None:
    bare(served, N_AT_ONCE, n_new)
    gated(served, clients, N_AT_ONCE, n_new, stream=False)
    # Beginnings that are cached would make the later of two equal runs cheaper.
    served.service.pool.get("bench")._prefixes.find = lambda *_: None  # type: ignore[method-assign]
    rows: dict[str, list[float]] = {"bare engine": [], "gate, whole": [], "gate, streamed": []}
    for _ in range(rounds):
        rows["bare engine"].append(bare(served, n, n_new))
        rows["gate, whole"].append(gated(served, clients, n, n_new, stream=False))
        rows["gate, streamed"].append(gated(served, clients, n, n_new, stream=True))
    base = statistics.median(rows["bare engine"])
    for name, values in rows.items():
        middle = statistics.median(values)
        print(f"{name:15} {middle:7.2f} CPU s for {n} x {n_new} tokens "
              f"({min(values):.2f} to {max(values):.2f}); {100 * (middle / base - 1):+.1f} %",
              flush=True)  # fmt: skip


async def slow(served: Served, n: int) -> None:
    """`n` clients that dawdle at sending and at reading, and a quick one among them."""
    body = json.dumps({"model": "bench", "prompt": "the library", "max_tokens": 4, "stream": True})
    head = (
        f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    whole, gate, answers = (head + body).encode(), asyncio.Event(), []

    async def dawdle(i: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(whole[: len(whole) // 2])
        await writer.drain()
        held.append(i)
        await gate.wait()
        writer.write(whole[len(whole) // 2 :])
        await writer.drain()
        text = b""
        while part := await reader.read(64):
            text += part
            await asyncio.sleep(0.01)
        writer.close()
        answers.append(b" 200 " in text[:20] and b"[DONE]" in text)

    await _quick(served)  # loads the model
    held: list[int] = []
    process, before = psutil.Process(), psutil.Process().memory_info().rss
    tasks = [asyncio.create_task(dawdle(i)) for i in range(n)]
    while len(held) < n:
        await asyncio.sleep(0.1)
    grown = (process.memory_info().rss - before) / 1e6
    quick = await _quick(served)
    print(f"{n} clients are held open, half a request sent: {grown:.0f} MB more; a quick client's "
          f"answer of 4 tokens takes {quick:.3f} s", flush=True)  # fmt: skip
    gate.set()
    begun = time.perf_counter()
    during = await _quick(served)
    await asyncio.gather(*tasks)
    print(f"{sum(answers)} of {n} are answered in {time.perf_counter() - begun:.1f} s when they go on; "
          f"a quick client's of another key meanwhile {during:.3f} s", flush=True)  # fmt: skip


async def _quick(served: Served) -> float:
    body = {"model": "bench", "prompt": "the library", "max_tokens": 4}
    headers = {"Authorization": f"Bearer {_other_key(served)}"}
    begun = time.perf_counter()
    async with httpx2.AsyncClient(timeout=600, trust_env=False) as client:
        url = f"http://127.0.0.1:{served.port}/v1/completions"
        answer = await client.post(url, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
    return time.perf_counter() - begun


def _other_key(served: Served) -> str:
    from kuaibao.service.policy import ApplicationForm, Decision, Policy

    form = ApplicationForm(purpose="b", audience="b", output_seen_by="b", human_in_the_loop="b")
    secret, application = served.service.sign_up(f"quick{time.time()}", "", "quick", form)
    decision = Decision(
        status="approved", reasons="a benchmark", policy=Policy(input={}, output={})
    )
    served.service.applications.decide(application.application_id, decision, actor="benchmark")
    return secret


def random_model(folder: str) -> str:
    """Random weights of GPT-2's smallest size, with the tokeniser of the repository's model."""
    save_pretrained(build_model(TransformerConfig(eos_id=0, n_positions=256), seed=0), folder)
    load_tokenizer(shipped_model("gpt-small")).save(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128, help="of each answer")
    parser.add_argument("--precision", choices=["int8", "float32"], default="int8")
    parser.add_argument("--only", choices=["overhead", "slow"])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    with tempfile.TemporaryDirectory() as folder:
        if chosen.only != "slow":
            small = str(shipped_model("gpt-small"))
            model = small if chosen.small else random_model(str(Path(folder) / "model"))
            served = Served(model, chosen.precision, str(Path(folder) / "a"))
            size = (8, 16, 1) if chosen.small else (16, chosen.tokens, chosen.rounds)
            with ProcessPoolExecutor(1, get_context("spawn")) as clients:
                overhead(served, clients, *size)
            served.end()
        if chosen.only != "overhead":
            served = Served(
                str(shipped_model("gpt-small")), chosen.precision, str(Path(folder) / "b")
            )
            asyncio.run(slow(served, 50 if chosen.small else chosen.slow))
            served.end()


if __name__ == "__main__":
    main()
