"""Throughput, time to the first token and fairness at 1, 8, 32 and 128 clients, beside other servers.

The same weights behind each server, one thread each, asked in turns by the same clients with the same
prompts, none twice; streamed, greedy, each answer as long as the others. Ours writes with int8 weights unless told otherwise, so each server is there
in float32 and, where it can, in int8. Fairness is Jain's index over the clients' tokens a second: 1 is
equal. Each load is measured in several rounds, whose medians stand in the table. Servers that can't be
had here are named and left out; those that are not asked stand still. llama-cpp-python is looked for in the environment of `--llama-python`.
The gate's overhead and 1,000 slow clients: `gate.py`.

With `--keep FILE` each measurement is kept as a line of JSON, and a later call goes on from there: a
run may be done in pieces, and the table is of the whole of it.

python benchmarks/service/serving.py [--small] [--llama-python PYTHON] [--clients 1 8 32 128]
    [--servers NAME…] [--rounds N] [--tokens N] [--keep FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import _peers
import httpx2
from _prompts import lasting_prompts

from kuaibao.transformer.shipped import shipped_model

SERVERS = (
    "kuaibao", "kuaibao float32", "ctranslate2", "ctranslate2 int8", "llama.cpp", "llama.cpp int8",
    "transformers",
)  # fmt: skip
N_EACH = {1: 4, 8: 2, 32: 1, 128: 1}
"""Requests a client."""


@dataclass
class Heard:
    n_token: int
    first_s: float
    whole_s: float


async def one(client: httpx2.AsyncClient, server: _peers.Server, prompt: str, n_new: int) -> Heard:
    body = {"model": server.model, "prompt": prompt, "max_tokens": n_new, "temperature": 0,
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


async def crowd(
    server: _peers.Server, n_client: int, prompts: list[str], n_new: int
) -> list[list[Heard]]:
    """Each client asks its share of the prompts, one after the other."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(timeout=900, limits=limits, trust_env=False) as client:

        async def person(who: int) -> list[Heard]:
            return [await one(client, server, p, n_new) for p in prompts[who::n_client]]

        return list(await asyncio.gather(*(person(who) for who in range(n_client))))


def jain(values: list[float]) -> float:
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values))


@dataclass(frozen=True)
class Row:
    """One measurement of a server under a load."""

    server: str
    n_client: int
    turn: int
    tokens_a_s: float
    tokens_a_cpu_s: float
    first_s: float
    first_p95_s: float
    fairness: float


def measure(server: _peers.Server, n_client: int, turn: int, prompts: list[str], n_new: int) -> Row:
    cpu, begun = server.cpu_s(), time.perf_counter()
    found = asyncio.run(crowd(server, n_client, prompts, n_new))
    passed, used = time.perf_counter() - begun, server.cpu_s() - cpu
    every = [heard for own in found for heard in own]
    n_token = sum(heard.n_token for heard in every)
    firsts = sorted(heard.first_s for heard in every)
    paces = [sum(h.n_token for h in own) / sum(h.whole_s for h in own) for own in found]
    return Row(
        server.name, n_client, turn, n_token / passed, n_token / max(used, 0.01),
        statistics.median(firsts), firsts[int(0.95 * (len(firsts) - 1))], jain(paces),
    )  # fmt: skip


class Kept:
    """The measurements of a run, also of its earlier pieces."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        lines = file.read_text().splitlines() if file and file.exists() else []
        self.rows = [Row(**json.loads(line)) for line in lines]

    def has(self, server: str, n_client: int, turn: int) -> bool:
        """Whether an earlier piece measured this."""
        return any((r.server, r.n_client, r.turn) == (server, n_client, turn) for r in self.rows)

    def add(self, row: Row) -> None:
        """Print and keep a measurement."""
        self.rows.append(row)
        if self.file:
            with self.file.open("a") as out:
                out.write(json.dumps(asdict(row)) + "\n")
        print(f"{row.server:17} {row.n_client:4} clients, round {row.turn}: {row.tokens_a_s:7.0f} "
              f"tokens/s, {row.tokens_a_cpu_s:7.0f} a CPU s; first token {row.first_s:.3f} s "
              f"(p95 {row.first_p95_s:.3f}); fairness {row.fairness:.2f}", flush=True)  # fmt: skip

    def table(self) -> str:
        """Medians over the rounds, as Markdown; the range of tokens a second in brackets."""
        lines = [
            "| clients | server | tokens/s | tokens a CPU s | first token, median (p95) | fairness |",
            "|---|---|---|---|---|---|",
        ]
        for n_client in sorted({row.n_client for row in self.rows}):
            for server in SERVERS:
                own = [r for r in self.rows if (r.server, r.n_client) == (server, n_client)]
                if own:
                    lines.append(f"| {n_client} | {server} | {_cells(own)} |")
        return "\n".join(lines)


def _cells(own: list[Row]) -> str:
    def middle(of: Callable[[Row], float]) -> float:
        return statistics.median(map(of, own))

    paces = [row.tokens_a_s for row in own]
    return (
        f"{middle(lambda r: r.tokens_a_s):,.0f} ({min(paces):,.0f} to {max(paces):,.0f}) | "
        f"{middle(lambda r: r.tokens_a_cpu_s):,.0f} | {middle(lambda r: r.first_s):.3f} s "
        f"({middle(lambda r: r.first_p95_s):.3f}) | {middle(lambda r: r.fairness):.2f}"
    )


def run(
    servers: list[_peers.Server], clients: list[int], rounds: int, n_new: int, kept: Kept,
    prompts: list[str],
) -> None:  # fmt: skip
    left = iter(prompts)  # each is asked once of each server: what was cached helps nobody
    for turn in range(rounds):
        for n_client in clients:
            asked = list(islice(left, n_client * N_EACH.get(n_client, 1)))
            # Who comes first finds another machine than who comes last: they take turns in that too.
            for server in [*servers[turn % len(servers) :], *servers[: turn % len(servers)]]:
                if kept.has(server.name, n_client, turn):
                    continue
                server.resume()
                try:
                    kept.add(measure(server, n_client, turn, asked, n_new))
                except (RuntimeError, httpx2.HTTPError) as error:
                    print(f"{server.name:17} {n_client:4} clients: failed ({error!r})"[:200],
                          flush=True)  # fmt: skip
                server.pause()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--llama-python", default=sys.executable)
    parser.add_argument("--servers", nargs="*", default=[*SERVERS])
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 32, 128])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=128, help="of each answer")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    n_new, clients = (8, [1, 4]) if chosen.small else (chosen.tokens, chosen.clients)
    folder, kept = shipped_model("gpt-small"), Kept(chosen.keep)
    rounds = 1 if chosen.small else chosen.rounds
    n_prompt = rounds * sum(n * N_EACH.get(n, 1) for n in clients)
    prompts = lasting_prompts(folder, n_prompt, n_new)
    python = chosen.llama_python
    # Also who is stopped from outside ends the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        makers = {
            "kuaibao": lambda: _peers.ours(folder, work, "auto"),
            "kuaibao float32": lambda: _peers.ours(folder, work, "float32"),
            "ctranslate2": lambda: _peers.ctranslate2(folder, work, "float32"),
            "ctranslate2 int8": lambda: _peers.ctranslate2(folder, work, "int8"),
            "llama.cpp": lambda: _peers.llama_cpp(folder, work, python, "F32"),
            "llama.cpp int8": lambda: _peers.llama_cpp(folder, work, python, "Q8_0"),
            "transformers": lambda: _peers.transformers(folder, work),
        }
        wanted = ("kuaibao", "ctranslate2") if chosen.small else chosen.servers
        servers: list[_peers.Server] = []
        try:
            for name in wanted:
                if (server := makers[name]()) is None:
                    continue
                servers.append(server)
                try:
                    # The first answers load the model and make the machine code.
                    asyncio.run(crowd(server, 2, ["The library", "A desk", "In May"], 8))
                except (RuntimeError, httpx2.HTTPError) as error:
                    print(f"{server.name}: does not answer ({error})"[:300], flush=True)
                    servers.pop().end()
                    continue
                server.pause()
            run(servers, clients, rounds, n_new, kept, prompts)
        finally:
            for server in servers:
                server.end()
    print("\n" + kept.table())


if __name__ == "__main__":
    main()
