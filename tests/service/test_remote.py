"""This service as the gate before another server: here, before one of its own kind."""

import openai
import pytest
from running import Running, make_service

from kuaibao.errors import InputError
from kuaibao.service.models import make_spec
from kuaibao.service.policy import ApplicationForm, Decision, Policy


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    with Running(make_service(tmp_path_factory.mktemp("far"))) as running:
        yield running


@pytest.fixture
def gate(far, tmp_path, monkeypatch):
    monkeypatch.setenv("FAR_KEY", far.key)
    service = make_service(tmp_path, remote_keys={"big": "FAR_KEY", "gone": "FAR_KEY"})
    service.pool.add(make_spec(service.settings, "big", far.url + "/v1#fake"))
    service.pool.add(make_spec(service.settings, "gone", "http://127.0.0.1:9/v1"))
    with Running(service) as running:
        yield running


def client_of(server, key=None):
    return openai.OpenAI(api_key=key or server.key, base_url=server.url + "/v1", max_retries=0)


def test_an_answer_is_the_far_server_s_and_is_billed_by_its_count(gate, far):
    fields = {"prompt": "Once upon", "max_tokens": 7, "seed": 3, "temperature": 0.5}
    near = client_of(gate).completions.create(model="big", **fields)
    direct = client_of(far).completions.create(model="fake", **fields)
    assert near.choices[0].text == direct.choices[0].text
    assert near.model == "big"
    (row,) = gate.service.ledger.totals("model")
    assert (row.group, row.n_prompt_token, row.n_completion_token) == ("big", 9, 7)


def test_a_stream_comes_through_in_pieces(gate):
    stream = client_of(gate).chat.completions.create(
        model="big", messages=[{"role": "user", "content": "Hello"}], max_tokens=9, stream=True,
        logprobs=True,  # an event for each token
    )  # fmt: skip
    parts = [part for part in stream if part.choices]
    assert len(parts) > 2
    assert all(part.model == "big" for part in parts)
    (row,) = gate.service.ledger.totals("model")
    assert row.n_completion_token > 0


def test_embeddings_are_handed_on(gate, far):
    near = client_of(gate).embeddings.create(model="big", input="light").data[0].embedding
    assert near == client_of(far).embeddings.create(model="fake", input="light").data[0].embedding


def test_the_far_server_s_refusal_reaches_the_caller_in_its_words(gate):
    with pytest.raises(openai.BadRequestError, match="best_of"):
        client_of(gate).completions.create(model="big", prompt="x", n=3, best_of=2)


def test_a_far_server_that_is_gone_is_503_and_costs_nothing(gate):
    with pytest.raises(openai.InternalServerError, match="cannot be reached"):
        client_of(gate).completions.create(model="gone", prompt="x")
    assert all(row.cost == 0 for row in gate.service.ledger.totals("model"))


def test_the_policy_holds_before_another_server_too(gate):
    form = ApplicationForm(
        purpose="Letters", audience="editors", output_seen_by="editors", human_in_the_loop="one"
    )
    secret, application = gate.service.sign_up("petra", "", "Letters", form)
    gate.service.applications.decide(
        application.application_id,
        Decision(status="approved", reasons="a test", policy=Policy(input={"personal_data": "refuse"}, output={})),
        actor="test",
    )  # fmt: skip
    client = client_of(gate, secret)
    with pytest.raises(openai.PermissionDeniedError, match="personal_data"):
        client.completions.create(model="big", prompt="Write to anna@example.org", max_tokens=3)
    assert client.completions.create(model="big", prompt="Write", max_tokens=3).choices


def test_a_key_that_the_environment_lacks_is_told_at_the_start(tmp_path):
    service = make_service(tmp_path, remote_keys={"big": "NOT_THERE"})
    with pytest.raises(InputError, match="NOT_THERE"):
        make_spec(service.settings, "big", "https://models.example.org/v1")
    service.close()
