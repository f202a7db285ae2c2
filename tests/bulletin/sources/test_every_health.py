"""Each state of health, told by the command of sources on loopback servers."""

import http.server
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

NOW = datetime.now(UTC)
ITEM = "<item><title>{0}</title><guid>{0}</guid><pubDate>{1:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
ARXIV = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/2006.00001v1</id><title>A paper</title>'
    "<summary>Words.</summary><author><name>Ann Lee</name></author><published>{0}</published><updated>{0}</updated></entry></feed>"
)
PAGE = "<html><body><ul class='{}'><li><a href='/1'>One thing of note</a></li></ul></body></html>"


def _rss(*days_ago):
    items = "".join(ITEM.format(n, NOW - timedelta(days=n)) for n in days_ago)
    return 200, f'<rss version="2.0"><channel><title>F</title>{items}</channel></rss>', {}


ANSWERS = {
    "/robots.txt": (200, "User-agent: *\nDisallow: /private", {}),
    "/ok": _rss(0, 1, 2, 3, 4),
    "/silent": _rss(*range(30, 40)),
    "/arxiv": (200, ARXIV.format(f"{NOW - timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}"), {}),
    "/broken": (404, "", {}),
    "/no-feed": (200, "<html><p>We have moved our news to another place.</p></html>", {}),
    "/page": (200, PAGE.format("items"), {}),
    "/quota": (429, "", {"Retry-After": "7200"}),
    "/gone": (410, "", {}),
    "/private": (200, PAGE.format("news"), {}),
}
SOURCES = {
    "ok": 'kind = "feed"\nurl = "{0}/ok"',
    "silent": 'kind = "feed"\nurl = "{0}/silent"',
    "lagging": 'kind = "arxiv"\ncategories = ["cs.DL"]\nbase_url = "{0}/arxiv"',
    "broken": 'kind = "feed"\nurl = "{0}/broken"',
    "no-feed": 'kind = "feed"\nurl = "{0}/no-feed"',
    "changed_layout": 'kind = "page"\nurl = "{0}/page"\nselector = "ul.news li"',
    "out_of_quota": 'kind = "feed"\nurl = "{0}/quota"',
    "gone": 'kind = "feed"\nurl = "{0}/gone"',
    "skipped": 'kind = "page"\nurl = "{0}/private"\nselector = "ul.news li"',
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        status, body, headers = ANSWERS.get(
            "/" + self.path.split("?")[0].split("/")[1], (404, "", {})
        )
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def addresses():
    """A server for each source: one alone would be asked once a second."""
    servers = {
        name: http.server.ThreadingHTTPServer((f"127.0.0.{number}", 0), _Handler)
        for number, name in enumerate(SOURCES, start=20)
    }
    threads = [
        threading.Thread(target=server.serve_forever, daemon=True) for server in servers.values()
    ]
    for thread in threads:
        thread.start()
    yield {n: "http://{}:{}".format(*server.server_address) for n, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


def test_the_command_tells_every_state_from_every_other(addresses, tmp_path):
    tables = [
        f'[[sources]]\nid = "{name}"\n{text.format(addresses[name])}'
        for name, text in SOURCES.items()
    ]
    head = ['series = "T"', '[fetching]\nallowed_addresses = ["127.0.0.0/8"]\nn_retry = 0']
    (tmp_path / "bulletin.toml").write_text("\n".join([*head, *tables]))
    command = [sys.executable, "-m", "kuaibao", "sources", "check", str(tmp_path), "--json"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.stdout, run.stderr
    found = {s["source"]: s for s in json.loads(run.stdout)["sources"]}
    told = {name: source["health"] for name, source in found.items()}
    assert told == {name: "broken" if name == "no-feed" else name for name in SOURCES}, found
    assert all(source["reason"] for source in found.values())
    assert run.returncode == 1
