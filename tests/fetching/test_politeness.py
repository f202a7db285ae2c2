"""Our manners, scored by the one who is asked."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from kuaibao.fetching import Fetcher, FetchSettings
from kuaibao.fetching.politeness import Limiter, backoff_s, domain_of, fresh_for_s, retry_after_s

NOW = datetime(2020, 6, 17, 8, 0, tzinfo=UTC)


class FakeClock:
    """Time that passes only when someone sleeps."""

    def __init__(self):
        self.now = 0.0
        self.lock = threading.Lock()

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        with self.lock:
            self.now += seconds


@pytest.mark.parametrize(
    ("host", "domain"),
    [("export.arxiv.org", "arxiv.org"), ("a.b.co.uk", "b.co.uk"), ("ARXIV.org.", "arxiv.org"),
     ("x.edu.cn", "x.edu.cn"), ("www.x.edu.cn", "x.edu.cn"), ("localhost", "localhost"), ("1.2.3.4", "1.2.3.4")],
)  # fmt: skip
def test_limits_are_shared_by_a_registrable_domain(host, domain):
    assert domain_of(host) == domain


def test_arxiv_is_asked_once_in_three_seconds():
    clock = FakeClock()
    settings = FetchSettings()
    limiter = Limiter(settings.interval_s, settings.intervals_s, clock=clock, sleep=clock.sleep)
    starts = []
    for host in ("export.arxiv.org", "arxiv.org", "rss.arxiv.org"):
        with limiter.turn(domain_of(host)):
            starts.append(clock.now)
    assert starts == [0.0, 3.0, 6.0]


def test_the_score_of_many_readers_at_one_site(site):
    """Eight threads, one site: never two requests at once, never closer than the interval."""
    running, most = 0, 0
    lock = threading.Lock()

    def answer(handler):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return (200, {}, b"x")

    for number in range(8):
        site.answers[f"/{number}"] = answer
    settings = FetchSettings(interval_s=0.05, allowed_addresses=("127.0.0.1",))
    with Fetcher(settings) as fetcher, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: fetcher.get(f"{site.url}/{n}"), range(8)))
    times = sorted(entry["at"] for entry in site.log)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert most == 1
    assert sum(times[-1:]) - times[0] >= 7 * 0.05 - 0.05
    assert sorted(gaps)[len(gaps) // 2] > 0.03
    agents = {entry["headers"]["user-agent"] for entry in site.log}
    assert len(agents) == 1
    assert agents.pop().startswith("Kuaibao/")
    assert all("gzip" in entry["headers"]["accept-encoding"] for entry in site.log)


def test_two_sites_are_asked_at_the_same_time(site, other_site):
    """Each answers only when both have been asked."""
    both = threading.Barrier(2, timeout=30)

    def answer(handler):
        both.wait()
        return (200, {}, b"x")

    site.answers["/"] = other_site.answers["/"] = answer
    settings = FetchSettings(interval_s=5.0, allowed_addresses=("127.0.0.1",), total_s=60)
    with Fetcher(settings) as fetcher, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(fetcher.get, (f"{site.url}/", f"{other_site.url}/")))
    assert [a.body for a in answers] == [b"x", b"x"]


def test_a_crawl_delay_is_kept(site):
    site.answers |= {
        "/robots.txt": (200, {}, b"User-agent: *\nCrawl-delay: 7\n"),
        "/a": (200, {}, b""),
        "/b": (200, {}, b""),
    }
    clock = FakeClock()
    settings = FetchSettings(interval_s=0.0, allowed_addresses=("127.0.0.1",))
    with Fetcher(settings, sleep=clock.sleep, clock=clock) as fetcher:
        fetcher.get(f"{site.url}/a", obey_robots=True)
        fetcher.get(f"{site.url}/b", obey_robots=True)
    assert clock.now >= 7.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), (" 0 ", 0.0), ("Wed, 17 Jun 2020 08:02:00 GMT", 120.0), ("Wed, 17 Jun 2020 07:00:00 GMT", 0.0),
     ("soon", None), ("-5", None), ("", None), ("9" * 400, None), ("٣", None)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert retry_after_s(value, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"cache-control": "max-age=600"}, 600), ({"cache-control": "public, max-age=600", "age": "100"}, 500),
     ({"cache-control": "no-cache, max-age=600"}, 0), ({"cache-control": "max-age=99999999"}, 86_400),
     ({"expires": "Wed, 17 Jun 2020 09:00:00 GMT"}, 3600), ({"expires": "0"}, 0), ({}, 0),
     ({"cache-control": "max-age=0", "expires": "Wed, 17 Jun 2020 09:00:00 GMT"}, 0),
     ({"cache-control": 'max-age="60"'}, 60), ({"cache-control": "max-age=abc"}, 0)],
)  # fmt: skip
def test_how_long_an_answer_holds(headers, seconds):
    assert fresh_for_s(headers, NOW) == seconds


def test_backing_off_doubles_with_jitter():
    assert [backoff_s(1.0, n, draw=lambda: 1.0) for n in range(4)] == [1, 2, 4, 8]
    assert [backoff_s(1.0, n, draw=lambda: 0.0) for n in range(4)] == [0.5, 1, 2, 4]
