"""Which weights answer what: rounded ones write, the model's own give numbers."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from running import Running, make_service

sys.path.append(str(Path(__file__).parents[1] / "gpt"))

from small import small_model

from kuaibao.errors import InputError
from kuaibao.service.models import make_spec
from kuaibao.service.settings import ServiceSettings
from kuaibao.transformer import Stepper, load_pretrained
from kuaibao.transformer.quantized import quantize

PROMPT = [5, 17, 40, 8, 23, 99, 61]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("model")
    small_model(where, n_positions=64)
    return where


@pytest.fixture(scope="module")
def client(folder, tmp_path_factory):
    import openai

    service = make_service(tmp_path_factory.mktemp("service"))
    service.pool.add(make_spec(service.settings, "m", str(folder)))
    with Running(service) as server:
        yield openai.OpenAI(api_key=server.key, base_url=server.url + "/v1", max_retries=0)


def greedy(model, n):
    """Tokens and their log-probabilities, step by step."""
    stepper = Stepper(model, 1, 64)
    row = stepper.prefill(0, PROMPT, as_steps=True)[0]
    tokens, logprobs = [], []
    for _ in range(n):
        tokens.append(int(row.argmax()))
        logprobs.append(float(row.log_softmax(-1)[tokens[-1]]))
        row = stepper.step([0], [tokens[-1]])[0]
    return tokens, logprobs


def test_an_echoed_prompt_has_the_log_probabilities_of_the_model_itself(client, folder):
    answer = client.completions.create(
        model="m", prompt=PROMPT, max_tokens=0, echo=True, logprobs=1
    )
    with torch.inference_mode():
        logits = load_pretrained(folder)(torch.tensor([PROMPT]))[0]
    expected = logits.log_softmax(-1)[torch.arange(len(PROMPT) - 1), torch.tensor(PROMPT[1:])]
    found = answer.choices[0].logprobs.token_logprobs
    assert found[0] is None
    assert np.allclose(found[1:], expected.numpy(), atol=1e-5)


def test_the_log_probabilities_of_what_is_written_are_the_model_s_own_too(client, folder):
    answer = client.completions.create(
        model="m", prompt=PROMPT, max_tokens=5, temperature=0, logprobs=1
    )
    _, expected = greedy(load_pretrained(folder), 5)
    assert np.allclose(answer.choices[0].logprobs.token_logprobs, expected, atol=1e-4)


def test_text_alone_is_written_with_rounded_weights(folder, tmp_path):
    service = make_service(tmp_path)
    service.pool.add(make_spec(service.settings, "m", str(folder)))
    tokens, _ = greedy(quantize(load_pretrained(folder)), 6)
    model = service.pool.get("m").model
    row = model.prefill(0, PROMPT, all_positions=False)[0]
    found = []
    for _ in tokens:
        found.append(int(row.argmax()))
        row = model.step([0], found[-1:])[0]
    assert found == tokens
    assert service.pool.get("m") is not service.pool.get("m", is_exact=True)
    assert set(service.pool.schedulers) == {"m", "m (exact)"}
    service.close()


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_one_precision_may_answer_all(folder, tmp_path, precision):
    service = make_service(tmp_path, precision=precision)
    service.pool.add(make_spec(service.settings, "m", str(folder)))
    assert service.pool.get("m") is service.pool.get("m", is_exact=True)
    service.close()


def test_the_memory_decides_how_many_sequences_run_at_once(folder, tmp_path):
    sizes = {"n_layer": 12, "n_embd": 768, "n_positions": 1024}
    (tmp_path / "config.json").write_text(json.dumps(sizes))
    (tmp_path / "model.safetensors").write_bytes(b"1234")
    slot_bytes = 2 * 12 * 768 * 1024
    spec = make_spec(ServiceSettings(memory_gb=1.0), "big", str(tmp_path))
    n_slot = int(0.25e9 / slot_bytes)
    assert 1 < n_slot < 128
    assert spec.size_bytes == 4 + n_slot * slot_bytes
    few = make_spec(ServiceSettings(n_slot=3), "big", str(tmp_path))
    assert few.size_bytes == 4 + 3 * slot_bytes
    assert few.exact_size_bytes == 4 + 3 * slot_bytes * 4
    small = make_spec(ServiceSettings(), "small", str(folder))
    assert small.load().n_slot == 128


def test_a_precision_that_is_none_is_named(folder):
    with pytest.raises(InputError, match="unknown precision 'int9'") as caught:
        make_spec(ServiceSettings(precision="int9"), "m", str(folder))
    assert "int8" in str(caught.value.hint)
