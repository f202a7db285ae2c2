"""Claim: a hostile feed costs bounded time and memory, and nothing else is lost.

Each shape is parsed in a process of its own; prints seconds, the largest memory of the process and
of its worker, and how many entries were read. The table of docs/security.md.
"""

import argparse
import http.server
import resource
import subprocess
import sys
import threading
import time
import zlib
from contextlib import suppress
from pathlib import Path

FEED = '<?xml version="1.0"{}?><rss version="2.0"><channel><title>F</title>{}</channel></rss>'
NAUGHTY = ["\u202etxt.exe", "a\u0300" * 500, "\ufeff\u200b\u2060", "\U0001f469\u200d\U0001f680", "\ufffe\uffff", "' OR 1=1 --", "{{7*7}}${7*7}",
           "&lt;script&gt;alert(1)&lt;/script&gt;", "../../etc/passwd", "%s%n%x", "=cmd|' /C calc'!A0", "NaN", "0x0", "\u2028\u2029"]  # fmt: skip


def _items(titles):
    return "".join(f"<item><title>{title}</title><link>http://e.org/{n}</link></item>" for n, title in enumerate(titles))  # fmt: skip


def _charset(text, encoding, declared):
    name = f' encoding="{declared}"' if declared else ""
    return FEED.format(name, _items([f"{text} {n}" for n in range(1000)])).encode(encoding)


MORE = {
    "gb18030, declared as utf-8": _charset("图书馆提供教育服务，各地读者都能借阅", "gb18030", "utf-8"),
    "Big5, not declared": _charset("圖書館提供教育服務，各地讀者都能借閱", "big5", ""),
    "KOI8-R, declared as utf-8": _charset("Библиотека открыта для всех читателей", "koi8_r", "utf-8"),
    "naughty strings": FEED.format("", _items(NAUGHTY * 70)).encode("utf-8"),
}  # fmt: skip
"""Wrong encodings and strings that break readers: beside the time, whether every title came through."""
TESTS = Path(__file__).parents[2] / "tests" / "bulletin" / "sources"


def one(name: str) -> None:
    sys.path.insert(0, str(TESTS))
    import importlib.util

    spec = importlib.util.spec_from_file_location("test_feeds", TESTS / "test_feeds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from kuaibao.bulletin.sources.feeds import parse_feed
    from kuaibao.bulletin.sources.feeds.worker import stop_workers

    data = MORE.get(name) or module.HOSTILE[name]
    parse_feed(module.ILL["ampersand"], timeout_s=60)  # the worker is up, as in a run
    start = time.perf_counter()
    feed = parse_feed(data)
    seconds = time.perf_counter() - start
    stop_workers()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    if name in MORE and len({entry.title.value for entry in feed.entries}) < len(NAUGHTY) - 2:
        sys.exit(f"{name}: titles were lost")
    said = feed.problems[-1][:60] if feed.problems else ""
    print(
        f"| {name} | {len(data) / 1e6:.1f} MB | {seconds:.2f} s | {own} MB | {worker} MB | {len(feed.entries)} | {said} |"
    )


def bomb(coding: str) -> None:
    """A body of 200 MB of zeros, packed, served on this machine."""
    from kuaibao.errors import KuaibaoError
    from kuaibao.fetching import Fetcher, FetchSettings

    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Encoding", coding)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said = "read whole"
    start = time.perf_counter()
    with Fetcher(FetchSettings(allowed_addresses=("127.0.0.0/8",))) as fetcher:
        try:
            fetcher.get(f"http://127.0.0.1:{server.server_port}/")
        except KuaibaoError as error:
            said = error.message.partition(": ")[2]
    seconds = time.perf_counter() - start
    server.shutdown()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"| 200 MB of zeros, {coding} | {len(body) / 1e6:.1f} MB | {seconds:.2f} s | {own} MB | | | {said} |"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options.add_argument("--bomb", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.bomb:
        bomb(chosen.bomb)
        return
    if chosen.one:
        one(chosen.one)
        return
    names = ["entity bomb", "external entity"] if chosen.small else [
        "entity bomb", "quadratic entities", "external entity", "200,000 items", "200,000 ill-formed entries",
        "100,000 nested tags", "100,000 nested elements", "100,000 attributes", "a million <", "a million &",
        "deep JSON", "20 MB", "every byte", *MORE,
    ]  # fmt: skip
    print("| shape | size | time | memory | worker | entries | told as |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        subprocess.run([sys.executable, __file__, "--one", name], check=True)
    for coding in ("gzip", "deflate"):
        subprocess.run([sys.executable, __file__, "--bomb", coding], check=True)


if __name__ == "__main__":
    main()
