"""LangChain, `llm` and lm-evaluation-harness, as they come, against the real server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from running import Running, make_service

sys.path.append(str(Path(__file__).parents[1] / "gpt"))

from small import small_model

from kuaibao.service.engine.core import CoreModel
from kuaibao.service.engine.pool import ModelSpec

HARNESS = Path(sys.prefix) / "lm-eval" / "bin" / "python"
QUESTIONS = [
    {"prompt": "the cat sat on the", "options": [" mat", " sun", " blue"], "answer": 0},
    {"prompt": "a dog ran in the", "options": [" green", " sun"], "answer": 1},
    {"prompt": "red green", "options": [" blue", " mat", " a dog ran in the sun"], "answer": 0},
    {"prompt": "快报 是 一份", "options": [" 简报", " cat"], "answer": 0},
]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return folder, *small_model(folder, n_positions=128)


@pytest.fixture(scope="module")
def real(small, tmp_path_factory):
    service = make_service(tmp_path_factory.mktemp("service"))
    service.pool.add(ModelSpec(
        name="tiny", load=lambda: CoreModel.load("tiny", small[0], n_slot=4), size_bytes=10**6
    ))  # fmt: skip
    with Running(service) as server:
        yield server


def test_langchain_completes_streams_and_embeds(real, monkeypatch):
    from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    common = {"api_key": real.key, "base_url": real.url + "/v1", "max_retries": 0}
    text = OpenAI(model="tiny", temperature=0, max_tokens=6, **common)
    whole = text.invoke("the cat")
    assert whole == "".join(text.stream("the cat")) != ""
    assert len(text.generate(["a", "red"]).generations) == 2
    chat = ChatOpenAI(model="tiny", temperature=0, max_tokens=6, **common)
    assert chat.invoke("the cat").usage_metadata["output_tokens"] > 0
    vectors = OpenAIEmbeddings(
        model="tiny", check_embedding_ctx_length=False, **common
    ).embed_documents(["cat", "dog"])  # fmt: skip
    assert vectors[0] != vectors[1]


def test_llm_asks_both_endpoints_with_its_usage(real, tmp_path):
    models = [
        {"model_id": "text", "model_name": "tiny", "api_base": real.url + "/v1", "api_key_name": "ours",
         "completion": True},
        {"model_id": "chat", "model_name": "tiny", "api_base": real.url + "/v1", "api_key_name": "ours"},
    ]  # fmt: skip
    # YAML reads JSON.
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(models))
    environment = os.environ | {"LLM_USER_PATH": str(tmp_path)}
    llm = [sys.executable, "-m", "llm"]
    subprocess.run([*llm, "keys", "set", "ours", "--value", real.key], env=environment, check=True)
    for model in ("text", "chat"):
        run = subprocess.run(
            [*llm, "-m", model, "the cat", "-o", "max_tokens", "5", "-u"],
            env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert run.stdout.strip()
        assert "Token usage" in run.stderr


@torch.inference_mode()
def likelihood(model, words, prompt, option):
    """Log-probability of an option behind its prompt, straight from the model."""
    n_before, whole = len(words.encode(prompt)), words.encode(prompt + option)
    logprobs = torch.log_softmax(model(torch.tensor([whole[:-1]]))[0].double(), -1)
    return sum(float(logprobs[i - 1, whole[i]]) for i in range(n_before, len(whole)))


@pytest.mark.timeout(600)
def test_lm_evaluation_harness_finds_the_likelihoods_that_we_do(real, small, tmp_path):
    if (
        not HARNESS.exists()
        or subprocess.run([HARNESS, "-c", "import lm_eval"], capture_output=True).returncode
    ):
        pytest.skip("lm-evaluation-harness is not installed: make test installs it where it can")
    folder, model, words = small
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, QUESTIONS)))
    (tmp_path / "ours.yaml").write_text(
        f"task: ours\ndataset_path: json\ndataset_kwargs:\n  data_files: {tmp_path}/questions.jsonl\n"
        "test_split: train\noutput_type: multiple_choice\ndoc_to_text: '{{prompt}}'\n"
        "doc_to_choice: '{{options}}'\ndoc_to_target: '{{answer}}'\ntarget_delimiter: ''\n"
        "metric_list:\n  - metric: acc\n  - metric: acc_norm\n"
    )
    run = subprocess.run(
        [HARNESS, "-m", "lm_eval", "run", "--model", "local-completions", "--model_args",
         f"model=tiny,base_url={real.url}/v1/completions,tokenizer={folder},"
         "tokenizer_backend=huggingface,max_length=128,num_concurrent=2,max_retries=1",
         "--tasks", "ours", "--include_path", str(tmp_path), "--output_path", str(tmp_path / "out"),
         "--log_samples"],
        env=os.environ | {"OPENAI_API_KEY": real.key, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf"),
                          "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    (samples,) = (tmp_path / "out").rglob("samples_ours*.jsonl")
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    rows.sort(key=lambda row: row["doc_id"])
    found = [[float(pair[0][0]) for pair in row["resps"]] for row in rows]
    ours = [[likelihood(model, words, q["prompt"], o) for o in q["options"]] for q in QUESTIONS]
    for theirs, own in zip(found, ours, strict=True):
        assert theirs == pytest.approx(own, abs=1e-3)
    (results,) = (tmp_path / "out").rglob("results*.json")
    accuracy = json.loads(results.read_text())["results"]["ours"]["acc,none"]
    hits = [max(range(len(own)), key=own.__getitem__) == q["answer"]
            for own, q in zip(ours, QUESTIONS, strict=True)]  # fmt: skip
    assert accuracy == sum(hits) / len(hits)
