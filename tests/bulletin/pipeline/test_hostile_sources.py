"""A build from servers that are slow, broken, huge, lost in redirects or wrongly encoded."""

import gzip
import http.server
import json
import subprocess
import sys
import threading
import time

import pytest

RSS = """<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>{name}</title>
<link>https://example.org/</link><item><guid>urn:{name}</guid><title>{title}</title>
<link>https://example.org/{name}</link><pubDate>Wed, 17 Jun 2020 09:00:00 GMT</pubDate>
<description>{text}</description></item></channel></rss>"""
TEXT = "The library opened a new reading room. It holds forty desks. Readers may book them at home."
CHINESE = "国家科学图书馆发布新的跟踪系统。系统每天读取六十个来源。馆员校对后发布快报。"


def rss(name, title="A new reading room", text=TEXT, encoding="utf-8", said=None):
    return RSS.format(name=name, title=title, text=text, encoding=said or encoding).encode(encoding)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        try:
            getattr(self, "serve_" + self.path.strip("/").partition("/")[0], self.serve_missing)()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve_good(self):
        self.send(rss("good"))

    def serve_slow(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(200):  # a byte now and then keeps the connection alive for ever
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.2)

    def serve_torn(self):
        self.send(rss("torn")[:-150] + b"<b>&nbsp;</rss")

    def serve_cut(self):
        body = rss("cut")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) * 2))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def serve_huge(self):
        self.send(gzip.compress(b"<rss>" + b" " * 60_000_000, 1), Content_Encoding="gzip")

    def serve_circle(self):
        self.send(b"", status=302, Location="/circle")

    def serve_moved(self):
        self.send(b"", status=301, Location="/gb18030")

    def serve_gb18030(self):
        body = rss("moved", "新的跟踪系统", CHINESE, "gb18030", said="utf-8")
        self.send(body, Content_Type="application/rss+xml; charset=gb18030")

    def serve_private(self):
        self.send(b"", status=302, Location="http://10.0.0.1/feed")

    def serve_page(self):
        self.send(
            b"<!doctype html><title>Not a feed</title><p>Nothing here", Content_Type="text/html"
        )

    def serve_down(self):
        self.send(b"out of order", status=503)

    def serve_missing(self):
        self.send(b"gone", status=404)


@pytest.fixture
def url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda request, address: None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


FEEDS = (
    "good",
    "slow",
    "torn",
    "cut",
    "huge",
    "circle",
    "moved",
    "private",
    "page",
    "down",
    "missing",
)


def test_a_build_prints_what_was_good_and_names_what_was_not(tmp_path, url):
    config = [
        'series = "Tracker"', 'title = "June"', 'language = "en"', "number = 6", "day = 2020-06-30",
        "[reading]", "full_text = false",
        "[fetching]", 'allowed_addresses = ["127.0.0.1"]', "total_s = 3", "n_retry = 0",
    ]  # fmt: skip
    for name in FEEDS:
        config += ["[[sources]]", f'id = "{name}"', 'kind = "feed"', f'url = "{url}/{name}"']
    (tmp_path / "bulletin.toml").write_text("\n".join(config))
    run = subprocess.run(
        [sys.executable, "-m", "kuaibao", "build", str(tmp_path), "--json"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    status = {source["id"]: source["status"] for source in report["sources"]}
    assert {name for name in FEEDS if status[name] == "new"} >= {"good", "moved"}
    for name in ("slow", "huge", "circle", "private", "down", "missing"):
        assert status[name] not in ("new", "unchanged"), name
        assert any(notice.startswith(f"{name}: ") for notice in report["notices"]), name
    assert status["page"] != "new"
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "A new reading room" in page
    assert "新的跟踪系统" in page
    assert "馆员校对后发布快报。" in page
