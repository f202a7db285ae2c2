"""A server that misbehaves on request, and keeps a log of how we behaved."""

import gzip
import http.server
import threading
import time
import zlib
from dataclasses import dataclass, field

import pytest

BOMB = b"\0" * (40 * 1024 * 1024)


@dataclass
class Site:
    """One loopback site: what it answers by path, and what it was asked."""

    port: int = 0
    answers: dict = field(default_factory=dict)
    log: list = field(default_factory=list)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path):
        return [entry for entry in self.log if entry["path"] == path]


def _gzip():
    return gzip.compress(BOMB, 1)


def _deflate():
    return zlib.compress(BOMB, 1)


BOMBS = {
    "/bomb/gzip": ("gzip", _gzip),
    "/bomb/deflate": ("deflate", _deflate),
}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.site.log.append(
            {
                "path": self.path,
                "at": time.monotonic(),
                "headers": {k.lower(): v for k, v in self.headers.items()},
            }
        )
        try:
            self._answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self):
        path = self.path.partition("?")[0]
        answer = self.site.answers.get(path)
        if callable(answer):
            answer = answer(self)
            if answer is None:
                return
        if answer is None and path in BOMBS:
            coding, make = BOMBS[path]
            answer = (200, {"Content-Encoding": coding}, make())
        status, headers, body = answer or (404, {}, b"")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _serve():
    site = Site()
    handler = type("Handler", (_Handler,), {"site": site})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda request, address: None  # a client that leaves is what we test
    server.daemon_threads = True
    site.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return site, server


@pytest.fixture
def site():
    site, server = _serve()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def other_site():
    site, server = _serve()
    yield site
    server.shutdown()
    server.server_close()
