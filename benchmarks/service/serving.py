"""Throughput, time to the first token and fairness at 1, 8, 32 and 128 clients, beside other servers.

The same weights behind each server, one thread each, asked in turns by the same clients with the same
prompts; streamed, greedy. Fairness is Jain's index over the clients' tokens a second: 1 is equal.
Servers that can't be had here are named and left out. llama-cpp-python is looked for in the
environment of `--llama-python`. The gate's overhead and 1,000 slow clients: `gate.py`.

python benchmarks/service/serving.py [--small] [--llama-python PYTHON] [--clients 1 8 32 128] [--servers NAME…]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import _peers
import httpx2

from kuaibao.transformer.shipped import shipped_model

SERVERS = ("kuaibao", "ctranslate2", "transformers", "llama.cpp")
WORDS = [
    "the",
    "library",
    "opened",
    "a",
    "reading",
    "room",
    "in",
    "may",
    "and",
    "readers",
    "book",
    "desks",
    "at",
    "home",
]


@dataclass
class Heard:
    n_token: int
    first_s: float
    whole_s: float


def prompt(n: int) -> str:
    drawn = random.Random(n)
    return " ".join(drawn.choices(WORDS, k=24))


async def one(client: httpx2.AsyncClient, server: _peers.Server, n: int, n_new: int) -> Heard:
    body = {"model": server.model, "prompt": prompt(n), "max_tokens": n_new, "temperature": 0,
            "stream": True}  # fmt: skip
    headers = {"Authorization": f"Bearer {server.key}"}
    begun, first, n_token = time.perf_counter(), 0.0, 0
    async with client.stream(
        "POST", server.url + "/v1/completions", json=body, headers=headers
    ) as answer:
        if answer.status_code != 200:
            await answer.aread()
            raise RuntimeError(f"{server.name}: {answer.status_code} {answer.text[:200]}")
        async for line in answer.aiter_lines():
            if line.startswith("data: ") and "[DONE]" not in line:
                choices = json.loads(line[6:]).get("choices") or []
                if choices and (choices[0].get("text") or choices[0].get("finish_reason")):
                    n_token += 1
                    first = first or time.perf_counter() - begun
    return Heard(n_token, first, time.perf_counter() - begun)


async def crowd(server: _peers.Server, n_client: int, n_each: int, n_new: int) -> list[list[Heard]]:
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(timeout=900, limits=limits, trust_env=False) as client:

        async def person(who: int) -> list[Heard]:
            return [await one(client, server, who * 100 + i, n_new) for i in range(n_each)]

        return list(await asyncio.gather(*(person(who) for who in range(n_client))))


def jain(values: list[float]) -> float:
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values))


def measure(server: _peers.Server, n_client: int, n_each: int, n_new: int) -> str:
    cpu, begun = server.cpu_s(), time.perf_counter()
    found = asyncio.run(crowd(server, n_client, n_each, n_new))
    passed, used = time.perf_counter() - begun, server.cpu_s() - cpu
    every = [heard for own in found for heard in own]
    n_token = sum(heard.n_token for heard in every)
    firsts = sorted(heard.first_s for heard in every)
    paces = [sum(h.n_token for h in own) / sum(h.whole_s for h in own) for own in found]
    return (
        f"{server.name:13} {n_client:4} clients: {n_token / passed:8.1f} tokens/s, "
        f"{n_token / used:8.1f} a CPU s; first token {statistics.median(firsts):7.3f} s "
        f"(p95 {firsts[int(0.95 * (len(firsts) - 1))]:7.3f}); fairness {jain(paces):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--llama-python", default=sys.executable)
    parser.add_argument("--servers", nargs="*", default=[*SERVERS])
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 32, 128])
    chosen = parser.parse_args()
    n_new, clients = (8, [1, 4]) if chosen.small else (32, chosen.clients)
    folder = shipped_model("gpt-small")
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        makers = {
            "kuaibao": lambda: _peers.ours(folder, work),
            "ctranslate2": lambda: _peers.ctranslate2(folder, work),
            "transformers": lambda: _peers.transformers(folder, work),
            "llama.cpp": lambda: _peers.llama_cpp(folder, work, chosen.llama_python),
        }
        wanted = SERVERS[:2] if chosen.small else chosen.servers
        started = [makers[name]() for name in wanted]
        servers = [server for server in started if server is not None]
        try:
            for server in list(servers):
                try:
                    asyncio.run(crowd(server, 1, 1, 4))
                except (RuntimeError, httpx2.HTTPError) as error:
                    print(f"{server.name}: does not answer ({error})"[:300], flush=True)
                    servers.remove(server)
            for n_client in clients:
                for server in servers:
                    n_each = max(1, (8 if n_client < 8 else 2) // (4 if chosen.small else 1))
                    try:
                        print(measure(server, n_client, n_each, n_new), flush=True)
                    except (RuntimeError, httpx2.HTTPError) as error:
                        print(
                            f"{server.name:13} {n_client:4} clients: failed ({error!r})"[:200],
                            flush=True,
                        )
        finally:
            for server in filter(None, started):
                server.end()


if __name__ == "__main__":
    main()
