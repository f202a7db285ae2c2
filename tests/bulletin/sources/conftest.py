"""What source tests share: a network that is a table, and a context at a fixed moment."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kuaibao.bulletin.sources import SourceContext, make_source
from kuaibao.fetching import FetchError, Response, Validators

RECORDED = Path(__file__).parent / "recorded"
NOW = datetime(2020, 6, 17, 8, 0, tzinfo=UTC)


@dataclass
class FakeNetwork:
    """Answers by the beginning of the address; keeps what was asked."""

    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def get(self, url, *, validators=None, headers=None, max_bytes=None, obey_robots=False):
        self.asked.append(
            {"url": url, "validators": validators, "headers": headers or {}, "robots": obey_robots}
        )
        for start in sorted(self.answers, key=len, reverse=True):
            if url.startswith(start):
                answer = self.answers[start]
                answer = answer.pop(0) if isinstance(answer, list) else answer
                if isinstance(answer, Exception):
                    raise answer
                if isinstance(answer, Response):
                    return answer
                data = answer if isinstance(answer, bytes) else (RECORDED / answer).read_bytes()
                return Response(url=url, status=200, body=data, validators=Validators(etag='"1"'))
        raise FetchError(url, "nothing is there")

    def connect(self, host, port, *, timeout_s=30.0):
        raise FetchError(host, "no network in tests")


@pytest.fixture
def network():
    return FakeNetwork()


@pytest.fixture
def ask(network, tmp_path):
    """Ask a source once: `ask(kind, settings, state)`."""

    def run(kind, settings, state=None, *, now=NOW, secrets=None, base_dir=None):
        base = base_dir or tmp_path
        source = make_source("s", kind, settings, base)
        context = SourceContext(
            fetcher=network, state=state or {}, now=now, base_dir=base, secrets=secrets or {}
        )
        result = source.fetch(context)
        json.dumps(dict(result.state))
        assert all(isinstance(v, str) for v in result.state.values())
        return result

    return run
