"""Requests made from the OpenAPI document, right and wrong ones: never a server error."""

import warnings
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from running import make_service
from schemathesis import GenerationMode
from starlette.testclient import TestClient

from kuaibao.service.api import create_app
from kuaibao.service.service import SCOPES

N_EXAMPLE = 4
# A process for each diagram: what it makes of hostile programs is tested with the diagrams.
FEW = {"POST /v1/diagrams": 2}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    service = make_service(tmp_path_factory.mktemp("hostile"))
    service.first_administrator_key()
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield service, client


def send(case, service, client):
    # Cases before may have ended the last key or switched the house off.
    house = service.applications.set_killed(1, False, actor="test")
    key, _ = service.make_key(house, scopes=SCOPES, actor="test")
    sent = case.as_transport_kwargs(base_url="http://testserver")
    sent["headers"] = {**(sent.get("headers") or {}), "Authorization": f"Bearer {key}"}
    sent.pop("cookies", None)
    answer = client.request(**sent)
    assert answer.status_code < 500, (case.operation.label, sent, answer.text)
    return answer.status_code


def attempt(operation, mode, service, client):
    """Statuses of some calls of an operation."""
    seen = set()

    @settings(
        max_examples=FEW.get(operation.label, N_EXAMPLE), deadline=None, database=None,
        derandomize=True,  # other requests are tried by hand, not by the suite's luck
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def tried(case):
        seen.add(send(case, service, client))

    with suppress(Unsatisfiable):  # a call without any parameter can't be wrong
        tried()
    return seen


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_documented_call_fails_the_server(served, mode):
    service, client = served
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
        operations = [found.ok() for found in schema.get_all_operations()]
    statuses = {one.label: attempt(one, mode, service, client) for one in operations}
    assert sum(bool(seen) for seen in statuses.values()) > 30
    if mode is GenerationMode.POSITIVE:
        assert {200, 400, 404} <= set().union(*statuses.values())


@pytest.mark.parametrize("number", [2**63, 2**200])
def test_nothing_has_a_number_beyond_the_database_s(served, number):
    service, client = served
    house = service.applications.set_killed(1, False, actor="test")
    key, _ = service.make_key(house, scopes=SCOPES, actor="test")
    path = f"/v1/kuaibao/applications/{number}"
    answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize(("path", "body"), [
    ("/v1/completions", b'{"model": "\\ud800", "prompt": "x"}'),
    ("/v1/fine_tuning/jobs", b'{"model": "fake", "training_file": "\\udccb"}'),
])  # fmt: skip
def test_half_a_surrogate_pair_in_a_name_is_a_name_that_is_not_known(served, path, body):
    answer = posted(served, path, body)
    assert answer.status_code == 404
    assert "\ufffd" in answer.json()["error"]["message"]


def test_a_prompt_that_ends_within_an_emoji_is_read_as_a_browser_would_send_it(served):
    body = b'{"model": "fake", "prompt": ["hi \\ud83d"], "max_tokens": 0, "echo": true}'
    answer = posted(served, "/v1/completions", body)
    assert answer.json()["choices"][0]["text"] == "hi \ufffd"


@pytest.mark.parametrize("n", [100, 400, 900, 5000])
def test_a_body_nested_too_deeply_is_refused(served, n):
    body = b'{"model": "fake", "prompt": ' + b"[" * n + b"]" * n + b"}"
    answer = posted(served, "/v1/completions", body)
    assert answer.status_code == 400


def posted(served, path, body):
    service, client = served
    house = service.applications.set_killed(1, False, actor="test")
    key, _ = service.make_key(house, scopes=SCOPES, actor="test")
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return client.post(path, content=body, headers=headers)
