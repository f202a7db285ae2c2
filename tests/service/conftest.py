"""A real server in a thread, over a fake model."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from running import Running, make_service


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Running(make_service(tmp_path_factory.mktemp("service"))) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    import openai

    return openai.OpenAI(api_key=server.key, base_url=server.url + "/v1", max_retries=0)
