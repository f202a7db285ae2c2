"""The completions API as OpenAI's own client sees it."""

import math

import httpx2
import numpy as np
import openai
import pytest
from fake import FakeModel


def complete(client, **fields):
    fields = {"model": "fake", "prompt": "Hello", "max_tokens": 8, "temperature": 0} | fields
    return client.completions.create(**fields)


def post(server, path, body, key=None):
    headers = {"Authorization": f"Bearer {key or server.key}"}
    return httpx2.post(server.url + path, json=body, headers=headers, timeout=60)


def test_greedy_text_is_the_models_own(client):
    model = FakeModel()
    tokens = model.encode("Hello")
    logits = model.prefill(0, tokens, all_positions=False)[-1]
    expected = []
    for _ in range(8):
        expected.append(int(np.argmax(logits)))
        logits = model.step([0], [expected[-1]])[0]
    answer = complete(client)
    assert answer.choices[0].text.encode() == bytes(expected)
    assert answer.choices[0].finish_reason == "length"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 8)


def test_echo_with_no_new_token_scores_the_prompt_exactly(client):
    answer = complete(client, prompt="Hi you", max_tokens=0, echo=True, logprobs=2)
    choice = answer.choices[0]
    assert choice.text == "Hi you"
    assert choice.logprobs.token_logprobs[0] is None
    model = FakeModel()
    tokens = model.encode("Hi you")
    logits = model.prefill(0, tokens, all_positions=True).astype(np.float64)
    for i in range(1, len(tokens)):
        row = logits[i - 1] - logits[i - 1].max()
        expected = row[tokens[i]] - math.log(np.exp(row).sum())
        assert choice.logprobs.token_logprobs[i] == pytest.approx(expected, abs=1e-4)
        assert len(choice.logprobs.top_logprobs[i]) >= 2
    assert choice.logprobs.text_offset == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "prompt", ["ab", ["ab", "cd"], [97, 98], [[97, 98], [99, 100, 101]], ["", "x"]]
)
def test_every_form_of_prompt(client, prompt):
    answer = complete(client, prompt=prompt, max_tokens=3)
    n = len(prompt) if isinstance(prompt, list) and not isinstance(prompt[0], int) else 1
    assert [c.index for c in answer.choices] == list(range(n))


def test_a_stream_is_the_same_text_with_one_usage_at_the_end(client):
    whole = complete(client, n=2, seed=4, temperature=1.0, max_tokens=12)
    stream = complete(
        client, n=2, seed=4, temperature=1.0, max_tokens=12, stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    texts, usage = {0: "", 1: ""}, None
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert [texts[0], texts[1]] == [c.text for c in whole.choices]
    assert usage.completion_tokens == whole.usage.completion_tokens


def test_stop_sequences_end_the_text_before_them(client):
    text = complete(client, max_tokens=12).choices[0].text
    stop = text[4:6]
    cut = complete(client, max_tokens=12, stop=stop)
    assert cut.choices[0].text == text[: text.index(stop)]
    assert cut.choices[0].finish_reason == "stop"


def test_seeds_reproduce_and_differ(client):
    fields = {"temperature": 1.2, "max_tokens": 16}
    first, again = (complete(client, seed=7, **fields).choices[0].text for _ in range(2))
    assert first == again != complete(client, seed=8, **fields).choices[0].text


def test_bias_and_penalties_change_the_choice(client):
    plain = complete(client, max_tokens=1).choices[0].text
    banned = complete(client, max_tokens=1, logit_bias={str(ord(plain)): -100})
    assert banned.choices[0].text != plain
    forced = complete(client, max_tokens=4, logit_bias={"81": 100})
    assert forced.choices[0].text == "QQQQ"
    held_back = complete(client, max_tokens=4, logit_bias={"81": 5}, frequency_penalty=2)
    assert held_back.choices[0].text != "QQQQ"


def test_best_of_is_the_likeliest(client):
    one = complete(client, best_of=4, n=1, seed=3, temperature=1.0, logprobs=0, max_tokens=6)
    four = complete(client, n=4, seed=3, temperature=1.0, logprobs=0, max_tokens=6)
    means = [np.mean(c.logprobs.token_logprobs) for c in four.choices]
    assert one.choices[0].text == four.choices[int(np.argmax(means))].text
    assert one.usage.completion_tokens == 24


def test_a_request_alone_and_in_a_crowd_get_the_same_tokens(client):
    from concurrent.futures import ThreadPoolExecutor

    prompts = [f"prompt number {i}" for i in range(12)]
    alone = [complete(client, prompt=p, temperature=0.9, seed=i).choices[0].text
             for i, p in enumerate(prompts)]  # fmt: skip
    with ThreadPoolExecutor(12) as crowd:
        together = list(
            crowd.map(
                lambda i: (
                    complete(client, prompt=prompts[i], temperature=0.9, seed=i).choices[0].text
                ),
                range(12),
            )
        )
    assert together == alone


def test_chat_follows_a_template_and_streams(client):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    whole = client.chat.completions.create(
        model="fake", messages=messages, max_tokens=6, temperature=0
    )
    assert whole.choices[0].message.role == "assistant"
    stream = client.chat.completions.create(
        model="fake", messages=messages, max_tokens=6, temperature=0, stream=True
    )
    text = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
    assert text == whole.choices[0].message.content


def test_models_and_embeddings(client):
    assert "fake" in [m.id for m in client.models.list()]
    assert client.models.retrieve("fake").id == "fake"
    data = client.embeddings.create(model="fake", input=["a", "b", "a"]).data
    assert data[0].embedding == data[2].embedding != data[1].embedding
    assert math.hypot(*data[0].embedding) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"suffix": "end"}, "suffix"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"n": 3, "best_of": 2}, "best_of"),
        ({"logprobs": 99}, "logprobs"),
        ({"prompt": [300]}, "prompt"),
        ({"prompt": "x" * 600}, "max_tokens"),
        ({"logit_bias": {"9999": 1}}, "logit_bias"),
        ({"stop": ["a"] * 9}, "stop"),
        ({"prompt": []}, "prompt"),
    ],
)
def test_wrong_requests_name_the_parameter(server, fields, param):
    answer = post(server, "/v1/completions", {"model": "fake", "prompt": "a"} | fields)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param, error
    assert error["message"]


def test_errors_have_the_codes_that_clients_expect(client, server):
    with pytest.raises(openai.NotFoundError):
        complete(client, model="nope")
    with pytest.raises(openai.AuthenticationError):
        complete(openai.OpenAI(api_key="kb-x", base_url=server.url + "/v1", max_retries=0))
    assert httpx2.post(server.url + "/v1/completions", json={}, timeout=60).status_code == 401
    assert post(server, "/v1/completions", {"model": "fake"}).status_code in (200, 400)
    not_json = httpx2.post(
        server.url + "/v1/completions",
        content=b"{",
        headers={"Authorization": f"Bearer {server.key}"},
        timeout=60,
    )
    assert not_json.status_code == 400
    assert "error" in not_json.json()


def test_the_forms_of_2020(server):
    by_engine = post(
        server,
        "/v1/engines/fake/completions",
        {"prompt": "Hello", "max_tokens": 8, "temperature": 0},
    ).json()
    assert by_engine["choices"][0]["text"]
    found = post(
        server, "/v1/engines/fake/search", {"query": "cat", "documents": ["a cat", "a dog"]}
    ).json()
    assert [d["document"] for d in found["data"]] == [0, 1]
    label = post(
        server, "/v1/classifications",
        {"model": "fake", "query": "good", "labels": ["Positive", "Negative"],
         "examples": [["fine day", "Positive"], ["bad day", "Negative"]]},
    ).json()  # fmt: skip
    assert label["label"] in ("Positive", "Negative", "Unknown")
    assert label["selected_examples"]
    answers = post(
        server, "/v1/answers",
        {"model": "fake", "question": "Which?", "documents": ["a", "b"],
         "examples": [["What is a?", "A letter."]], "examples_context": "a is a letter",
         "max_tokens": 5},
    ).json()  # fmt: skip
    assert answers["answers"]


def test_the_content_filter_answers_with_one_digit(server):
    def label(text):
        body = {"prompt": f"<|endoftext|>{text}\n--\nLabel:", "max_tokens": 1, "temperature": 0,
                "top_p": 0, "logprobs": 10}  # fmt: skip
        answer = post(server, "/v1/engines/content-filter-alpha-c4/completions", body)
        choice = answer.json()["choices"][0]
        assert set(choice["logprobs"]["top_logprobs"][0]) == {"0", "1", "2"}
        return choice["text"]

    assert label("The library opens at nine.") == "0"
    assert label("You are a fucking worthless idiot, I will kill you") in ("1", "2")


def test_health_readiness_metrics_and_openapi(server):
    assert httpx2.get(server.url + "/health", timeout=60).status_code == 200
    assert httpx2.get(server.url + "/ready", timeout=60).status_code == 200
    post(server, "/v1/completions", {"model": "fake", "prompt": "a", "max_tokens": 3})
    metrics = httpx2.get(server.url + "/metrics", timeout=60).text
    for name in ("first_token_seconds", "token_seconds", "waiting", "cached_prompt_tokens_total"):
        assert f"kuaibao_service_{name}{{" in metrics
    assert "/v1/completions" in httpx2.get(server.url + "/openapi.json", timeout=60).json()["paths"]


@pytest.mark.parametrize(("logprobs", "n_event"), [(None, {1, 2}), (0, {12})])
def test_tokens_that_come_together_are_one_event_unless_their_numbers_are_wanted(
    client, monkeypatch, logprobs, n_event
):
    monkeypatch.setattr("kuaibao.service.engine.scheduler.GATHER_S", 3600)
    options = {"max_tokens": 12, "logit_bias": {"256": -100}}
    whole = complete(client, **options)
    chunks = list(complete(client, stream=True, logprobs=logprobs, **options))
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text
    # The first token waits for no other, but others may have come when it is sent.
    assert len([chunk for chunk in chunks if chunk.choices[0].text]) in n_event
    assert chunks[-1].choices[0].finish_reason == "length"


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_follows_a_stop_that_only_the_decoded_text_shows(client, monkeypatch, stream):
    monkeypatch.setattr("kuaibao.service.engine.scheduler.GATHER_S", 3600)
    options = {"max_tokens": 40, "temperature": 2, "seed": 1, "logit_bias": {"256": -100}}
    before, mark, _ = complete(client, **options).choices[0].text.partition("\ufffd")
    assert mark
    # What is no UTF-8 never holds the stop string for the engine, which goes on; its text does.
    answer = complete(client, stop=mark, stream=stream, **options)
    choices = [chunk.choices[0] for chunk in answer] if stream else answer.choices
    assert "".join(choice.text for choice in choices) == before
    assert choices[-1].finish_reason == "stop"


def test_an_error_before_the_first_token_has_a_status_of_its_own_also_in_a_stream(tmp_path):
    from running import Running, make_service

    with Running(make_service(tmp_path, timeout_s=-1.0)) as server:
        body = {"model": "fake", "prompt": "Hello", "max_tokens": 8, "stream": True}
        answer = post(server, "/v1/completions", body)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["error"]["code"] == "overloaded"


def test_log_probabilities_of_a_dialogue_are_streamed_too(client):
    chunks = client.chat.completions.create(
        model="fake", messages=[{"role": "user", "content": "Hi"}], max_tokens=4, stream=True,
        logprobs=True, top_logprobs=2, logit_bias={"256": -100},
    )  # fmt: skip
    tokens = [t for chunk in chunks for t in chunk.choices[0].logprobs.content]
    assert len(tokens) == 4
    assert all(len(token.top_logprobs) == 2 for token in tokens)


def test_too_many_stop_strings_are_counted_and_not_called_no_string(server):
    body = {"model": "fake", "prompt": "x", "stop": list("abcde")}
    answer = post(server, "/v1/completions", body)
    assert answer.status_code == 400
    assert "at most 4 items" in answer.json()["error"]["message"]


def test_a_body_that_is_no_json_is_told_with_the_place(server):
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    answer = httpx2.post(
        server.url + "/v1/completions", content=b'{"model": "fake", ', headers=headers, timeout=60
    )
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert "JSON body" in error["message"]
    assert "character 18" in error["message"]
    assert error["param"] is None
