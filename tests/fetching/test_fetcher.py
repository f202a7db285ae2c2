"""Limits, redirects, memory of versions and moves, and never a key in a message."""

import contextlib
import logging
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.fetching import (
    Fetcher,
    FetchError,
    FetchSettings,
    GoneError,
    RedirectError,
    RobotsError,
    StatusError,
    ThrottledError,
    TooLargeError,
    TooSlowError,
    UnreachableError,
    Validators,
    redact,
)


def _fetcher(**settings):
    settings = {"interval_s": 0.0, "n_retry": 0, "allowed_addresses": ("127.0.0.0/8",), **settings}
    return Fetcher(FetchSettings(**settings), sleep=lambda seconds: None)


def test_an_answer_comes_whole(site):
    site.answers["/"] = (200, {"Content-Type": "text/xml; charset=gbk"}, b"hello")
    with _fetcher() as fetcher:
        answer = fetcher.get(f"{site.url}/")
    assert (answer.status, answer.body, answer.content_type) == (
        200,
        b"hello",
        "text/xml; charset=gbk",
    )


@pytest.mark.parametrize("path", ["/bomb/gzip", "/bomb/deflate"])
def test_a_compression_bomb_stops_at_the_limit(site, path):
    with _fetcher(max_bytes=1_000_000, total_s=60) as fetcher:
        with pytest.raises(TooLargeError, match="after decoding"):
            fetcher.get(f"{site.url}{path}")


def test_a_declared_size_is_believed_before_reading(site):
    site.answers["/"] = (200, {"Content-Length": "99999999999"}, b"x")
    with _fetcher() as fetcher, pytest.raises(TooLargeError):
        fetcher.get(f"{site.url}/")


def test_an_endless_body_stops_at_the_limit(site):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(200):
            handler.wfile.write(chunk)

    site.answers["/"] = endless
    with _fetcher(max_bytes=1_000_000) as fetcher, pytest.raises(TooLargeError):
        fetcher.get(f"{site.url}/")


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_drips_is_left_in_time(site, part):
    stop = threading.Event()

    def drip(handler):
        if part == "headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not stop.wait(0.05):
            handler.wfile.write(b"x")

    site.answers["/"] = drip
    start = time.monotonic()
    with _fetcher(total_s=0.6) as fetcher, pytest.raises(TooSlowError):
        fetcher.get(f"{site.url}/")
    stop.set()
    assert time.monotonic() - start < 20


def test_a_resolver_that_hangs_is_left_in_time():
    stop = threading.Event()

    def resolver(host, port):
        stop.wait(30)
        return []

    settings = FetchSettings(interval_s=0, n_retry=0, total_s=0.3)
    with Fetcher(settings, resolver=resolver) as fetcher, pytest.raises(TooSlowError):
        fetcher.get("http://slow.example/")
    stop.set()


@pytest.mark.parametrize(
    "bytes_sent",
    [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
     b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, b"HTTP/1.1 abc OK\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
     b"HTTP/1.1 200 OK\r\nContent-Encoding: zz\r\nContent-Length: 4\r\n\r\nnope",
     b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nnope",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_said_so(bytes_sent):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            with contextlib.suppress(OSError):
                connection.sendall(bytes_sent)

    threading.Thread(target=serve, daemon=True).start()
    with _fetcher(total_s=10) as fetcher, pytest.raises(UnreachableError):
        fetcher.get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    listener.close()


def test_validators_go_back_byte_for_byte(site):
    etag, date = 'W/"odd "tag" \xe9"', "yesterday, about 3 o'clock"
    site.answers["/"] = (200, {"ETag": etag, "Last-Modified": date}, b"x")
    with _fetcher() as fetcher:
        first = fetcher.get(f"{site.url}/")
        site.answers["/"] = (304, {}, b"")
        second = fetcher.get(f"{site.url}/", validators=first.validators)
    asked = site.log[-1]["headers"]
    assert asked["if-none-match"].encode("latin-1") == etag.encode("latin-1")
    assert asked["if-modified-since"] == date
    assert second.is_unchanged


def test_no_validator_is_invented(site):
    site.answers["/"] = (200, {}, b"x")
    with _fetcher() as fetcher:
        fetcher.get(f"{site.url}/", validators=Validators())
    assert not {"if-none-match", "if-modified-since"} & set(site.log[0]["headers"])


def test_permanent_moves_are_told_and_temporary_ones_are_not(site):
    site.answers |= {
        "/a": (301, {"Location": "/b"}, b""), "/b": (308, {"Location": "/c"}, b""), "/c": (200, {}, b"c"),
        "/t": (302, {"Location": "/a"}, b""), "/p": (301, {"Location": "/t"}, b""),
    }  # fmt: skip
    with _fetcher() as fetcher:
        assert fetcher.get(f"{site.url}/a").moved_to == f"{site.url}/c"
        assert fetcher.get(f"{site.url}/t").moved_to == ""
        assert fetcher.get(f"{site.url}/p").moved_to == f"{site.url}/t"
        assert fetcher.get(f"{site.url}/p").url == f"{site.url}/c"


@pytest.mark.parametrize("location", ["/loop", "/self?x=1", "http://[bad/", "/ring1"])
def test_redirects_that_lead_nowhere_end(site, location):
    counter = iter(range(1000))
    site.answers |= {
        "/start": (302, {"Location": location}, b""),
        "/loop": (302, {"Location": "/start"}, b""),
        "/self": lambda handler: (302, {"Location": f"/self?x={next(counter)}"}, b""),
        "/ring1": (301, {"Location": "/ring2"}, b""), "/ring2": (301, {"Location": "/ring1"}, b""),
    }  # fmt: skip
    with _fetcher() as fetcher, pytest.raises((RedirectError, FetchError)):
        fetcher.get(f"{site.url}/start")
    assert len(site.log) <= 7


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://e.org/x", "javascript:alert(1)", "data:,x"]
)
def test_redirects_stay_with_http(site, location):
    site.answers["/"] = (302, {"Location": location}, b"")
    with _fetcher() as fetcher, pytest.raises(FetchError):
        fetcher.get(f"{site.url}/")


def test_keys_do_not_follow_a_redirect_to_another_origin(site, other_site):
    site.answers["/"] = (302, {"Location": f"{other_site.url}/x"}, b"")
    other_site.answers["/x"] = (200, {}, b"")
    with _fetcher() as fetcher:
        fetcher.get(f"http://me:secret@127.0.0.1:{site.port}/", headers={"X-Api-Key": "k-123"})
    assert site.log[0]["headers"]["x-api-key"] == "k-123"
    assert "authorization" in site.log[0]["headers"]
    assert not {"x-api-key", "authorization", "cookie", "referer"} & set(
        other_site.log[0]["headers"]
    )


def test_gone_is_gone_and_other_errors_have_their_status(site):
    site.answers |= {"/gone": (410, {}, b""), "/no": (404, {}, b""), "/auth": (401, {}, b"")}
    with _fetcher() as fetcher:
        with pytest.raises(GoneError):
            fetcher.get(f"{site.url}/gone")
        for path, status in (("/no", 404), ("/auth", 401)):
            with pytest.raises(StatusError) as caught:
                fetcher.get(f"{site.url}{path}")
            assert caught.value.status == status


def test_a_passing_trouble_is_tried_again_a_lasting_one_is_not(site):
    answers = iter([(503, {}, b""), (500, {}, b""), (200, {}, b"at last")])
    site.answers["/"] = lambda handler: next(answers)
    site.answers["/no"] = (404, {}, b"")
    waits = []
    settings = FetchSettings(
        interval_s=0, n_retry=2, backoff_s=1.0, allowed_addresses=("127.0.0.1",)
    )
    with Fetcher(settings, sleep=waits.append) as fetcher:
        assert fetcher.get(f"{site.url}/").body == b"at last"
        with pytest.raises(StatusError):
            fetcher.get(f"{site.url}/no")
    assert len(site.asked("/no")) == 1
    assert 0.5 <= waits[0] <= 1.0
    assert 1.0 <= waits[1] <= 2.0


def test_no_key_is_in_a_message_or_a_log(site, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "s3cr3tK3yValue"
    site.answers["/moved"] = (302, {"Location": f"/x?token={secret}"}, b"")
    with _fetcher() as fetcher:
        for url in (
            f"http://user:{secret}@127.0.0.1:{site.port}/x?api_key={secret}&q=open",
            f"{site.url}/moved",
        ):
            with pytest.raises(FetchError) as caught:
                fetcher.get(url, headers={"Authorization": f"Bearer {secret}"})
            assert secret not in str(caught.value)
            assert secret not in repr(caught.value)
    assert secret not in caplog.text


def test_redaction_keeps_what_is_harmless():
    assert (
        redact("https://u:p@e.org/a?q=open+data&key=abc#f") == "https://e.org/a?q=open+data&key=***"
    )
    assert redact("https://e.org/a?x=4f3a9b2c8d7e6f5a4b3c2d1e0f") == "https://e.org/a?x=***"
    assert "\n" not in redact("http://e.org/\nforged log line")


@given(st.text(max_size=80))
def test_any_text_can_be_redacted_and_fetched_without_surprise(text):
    redact(text)
    with _fetcher(total_s=1) as fetcher, pytest.raises(FetchError):
        fetcher.get("x:" + text)


def test_robots_are_asked_once_and_obeyed_for_pages_only(site):
    site.answers |= {
        "/robots.txt": (200, {}, b"User-agent: *\nDisallow: /private\nUser-agent: Kuaibao\nDisallow: /us\n"),
        "/us/x": (200, {}, b"x"), "/open": (200, {}, b"x"),
    }  # fmt: skip
    with _fetcher() as fetcher:
        with pytest.raises(RobotsError):
            fetcher.get(f"{site.url}/us/x", obey_robots=True)
        assert fetcher.get(f"{site.url}/open", obey_robots=True).body == b"x"
        assert fetcher.get(f"{site.url}/us/x").body == b"x"
    assert len(site.asked("/robots.txt")) == 1


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (500, False), (429, False)]
)
def test_without_robots_a_page_is_open_with_broken_robots_it_is_not(site, status, allowed):
    site.answers |= {"/robots.txt": (status, {"Retry-After": "0"}, b""), "/p": (200, {}, b"x")}
    with _fetcher() as fetcher:
        if allowed:
            assert fetcher.get(f"{site.url}/p", obey_robots=True).body == b"x"
        else:
            with pytest.raises(FetchError) as caught:
                fetcher.get(f"{site.url}/p", obey_robots=True)
            assert "can't be had now" in caught.value.message
            assert "asks us not" not in caught.value.message


def test_a_throttled_host_is_left_alone(site):
    site.answers["/"] = (429, {"Retry-After": "3600"}, b"")
    site.answers["/other"] = (200, {}, b"")
    with _fetcher(n_retry=2) as fetcher:
        with pytest.raises(ThrottledError) as caught:
            fetcher.get(f"{site.url}/")
        assert caught.value.wait_s == 3600
        for path in ("/", "/other"):
            with pytest.raises(FetchError, match="left alone"):
                fetcher.get(f"{site.url}{path}")
    assert len(site.log) == 1
