"""Claim: 200 sessions of editors and readers at once on two cores, p95 under 300 ms.

A desk with 5,000 items is opened in a process of its own; each session reads, picks, writes and
thinks for a while, as people do. Figures: requests, failures, p50, p95, p99 in milliseconds.

    python benchmarks/web/sessions.py [--small] [--sessions N] [--seconds S] [--think S]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2

from kuaibao import __version__, accounts
from kuaibao.bulletin.config import load_config
from kuaibao.bulletin.desk import (
    Actor,
    Desk,
    assign,
    file_found,
    first_administrator,
    list_pieces,
    make_issue,
    move_piece,
    place_piece,
    seed_series,
)
from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.reading import claims_of
from kuaibao.bulletin.sources.protocol import SourceResult
from kuaibao.bulletin.store import items_since, join_entries

TEXT = (
    "The library trained a model of {n} billion words on 12 June 2026. It read {n} pages in 4 "
    "hours. The model is called GPT-Kitten-{n} and runs without a network. Readers may try it. "
) * 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=8.0, help="mean seconds between two pages")
    parser.add_argument("--items", type=int, default=5000)
    options = parser.parse_args()
    if options.small:
        options.sessions, options.seconds, options.items, options.think = 8, 4, 60, 0.5
    with tempfile.TemporaryDirectory() as folder:
        sessions, pieces = furnish(Path(folder), options.items, options.sessions)
        server = subprocess.Popen(
            [sys.executable, "-m", "kuaibao", "serve", folder, "--port", "0"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            base = address(server)
            answers, failures = asyncio.run(load(base, sessions, pieces, options))
        finally:
            server.terminate()
            server.wait(30)
    times = [took for _, took in answers]
    cuts = statistics.quantiles(times, n=100)
    print(
        json.dumps(
            {
                "claim": "p95 under 300 ms with 200 sessions on 2 cores",
                "date": datetime.now(UTC).date().isoformat(), "kuaibao": __version__,
                "python": platform.python_version(), "cores": os.cpu_count(),
                "load_average": os.getloadavg()[0], "sessions": options.sessions,
                "think_s": options.think, "items": options.items, "requests": len(times),
                "per_second": round(len(times) / options.seconds, 1), "failures": failures,
                "p50_ms": round(cuts[49]), "p95_ms": round(cuts[94]), "p99_ms": round(cuts[98]),
                "p95_ms_by_page": by_page(answers),
            }
        )
    )  # fmt: skip


def furnish(folder: Path, n_item: int, n_session: int) -> tuple[list[tuple[str, str]], list[int]]:
    """A desk with items, people and their sessions; gives (session, role) and open pieces."""
    (folder / "bulletin.toml").write_text('series = "Load"\nlanguage = "zh"\n', "utf-8")
    config = load_config(folder)
    desk = Desk.open(config.database, folder)
    seed_series(desk, config)
    made = first_administrator(desk, "root", "a long password")
    assert made is not None
    roles = ["editor", "compiler", "proofreader", "reader"]
    sessions: list[tuple[str, str]] = []
    people: dict[str, Actor] = {}
    with desk.store.database.write() as connection:
        for n in range(n_session):
            role = roles[n % 4]
            person = accounts.create_person(connection, f"p{n}", password=None, roles=[role])
            secret, _ = accounts.start_session(connection, person)
            sessions.append((secret, role))
            people.setdefault(role, Actor(person))
    now = datetime.now(UTC)
    entries = tuple(
        Entry(
            source_id="load", entry_id=str(n), title=f"A model learns to read, part {n}",
            url=f"https://example.org/{n}", language="en", summary=TEXT.format(n=n + 100),
            published=PartialDate(value=now - timedelta(days=n % 30), precision="day"),
        )
        for n in range(n_item)
    )  # fmt: skip
    run = desk.store.begin_run(now)
    desk.store.save_fetch(run, "load", "feed", SourceResult(entries=entries, status="new"))
    for batch in desk.store.unjoined("load"):
        join_entries(desk.store, batch, [claims_of(one.entry) for one in batch])
    desk.store.finish_run(run, {})
    file_found(desk, list(items_since(desk.store, (now - timedelta(days=60)).date())))
    editor = people["editor"]
    issue = make_issue(desk, editor, 1)
    pieces = [p.piece_id for p in list_pieces(desk, editor, limit=min(40, n_item // 2))]
    for piece_id in pieces:
        move_piece(desk, editor, piece_id, "pick")
        place_piece(desk, editor, piece_id, issue.issue_id)
        assign(desk, editor, piece_id, compiler_id=people["compiler"].person_id)
    desk.close()
    return sessions, pieces


def address(server: subprocess.Popen[str]) -> str:
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"http://\S+", line):
            return found[0].rstrip("/")
    raise SystemExit("the server did not start")


async def load(
    base: str, sessions: list[tuple[str, str]], pieces: list[int], options: argparse.Namespace
) -> tuple[list[tuple[str, float]], int]:
    answers: list[tuple[str, float]] = []
    failures = 0
    # One for all: making it takes tens of milliseconds, which would count as the server's.
    tls = ssl.create_default_context()
    end = time.perf_counter() + options.seconds

    async def person(n: int, secret: str, role: str) -> None:
        nonlocal failures
        chance = random.Random(n)
        async with httpx2.AsyncClient(
            base_url=base, cookies={"kuaibao_session": secret}, timeout=60, verify=tls
        ) as client:
            await asyncio.sleep(chance.random() * options.think)
            csrf = ""
            while time.perf_counter() < end:
                method, path, data = action(role, chance, pieces, csrf)
                started = time.perf_counter()
                answer = await client.request(method, path, data=data)
                answers.append((f"{method} {path}", (time.perf_counter() - started) * 1000))
                failures += answer.status_code >= 500 or answer.status_code in (403, 422)
                if found := re.search(r'name="csrf" content="([^"]+)"', answer.text):
                    csrf = found[1]
                await asyncio.sleep(chance.expovariate(1 / options.think))

    await asyncio.gather(*(person(n, s, r) for n, (s, r) in enumerate(sessions)))
    return answers, failures


def by_page(answers: list[tuple[str, float]]) -> dict[str, int]:
    """Milliseconds that 95 of 100 requests of a kind stay under, the slowest kind first."""
    kinds: dict[str, list[float]] = {}
    for what, took in answers:
        kinds.setdefault(re.sub(r"\d+|\?.*", "", what), []).append(took)
    slow = {kind: sorted(own)[int(len(own) * 0.95)] for kind, own in kinds.items()}
    return {kind: round(slow[kind]) for kind in sorted(slow, key=lambda one: -slow[one])}


def action(
    role: str, chance: random.Random, pieces: list[int], csrf: str
) -> tuple[str, str, dict[str, str] | None]:
    """One thing that a person of this role does."""
    if role == "reader":
        return "GET", chance.choice(["/read", "/settings"]), None
    piece = chance.choice(pieces)
    draw = chance.random()
    if draw < 0.15 and csrf:
        text = f"图书馆训练了一个 {chance.randrange(100, 999)} 亿词的模型。它不需要联网。"
        fields = {"csrf": csrf, "title": "题目", "body": text, "base_revision": "0"}
        return "POST", f"/pieces/{piece}/review", fields
    if draw < 0.25 and csrf:
        return "POST", f"/pieces/{piece}/comments", {"csrf": csrf, "text": "好。"}
    pages = ["/inbox", "/inbox?page=2", "/work", "/issues/1", f"/pieces/{piece}", f"/pieces/{piece}",
             "/archive?q=kitten", "/notes", "/terms"]  # fmt: skip
    return "GET", chance.choice(pages), None


if __name__ == "__main__":
    main()
