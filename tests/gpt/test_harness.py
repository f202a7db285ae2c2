"""The evaluation harness asks our models through its own interface, on a task of local data."""

import importlib.util
import json
import math
import sys
import types
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small import small_model

from kuaibao.errors import InputError, KuaibaoError
from kuaibao.gpt.few_shot import Choice, evaluate_choices
from kuaibao.gpt.harness import evaluate_harness, harness_model
from kuaibao.transformer import log_probabilities

TASK = """
task: local_choice
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: "{{{{options}}}}"
doc_to_target: answer
target_delimiter: ""
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""
QUESTIONS = [Choice(f"the {w}", (" sat on", " ran", " red"), i % 3)
             for i, w in enumerate(["cat", "dog", "sun", "mat", "blue"])]  # fmt: skip


@pytest.fixture
def asked(tmp_path):
    return small_model(tmp_path / "m", n_positions=16)


def request(*arguments):
    return types.SimpleNamespace(args=arguments)


@pytest.fixture
def harness(asked, monkeypatch):
    """Our side of the interface alone, where the harness is not there to be inherited from."""
    if importlib.util.find_spec("lm_eval") is None:
        base = types.SimpleNamespace(LM=object)
        monkeypatch.setitem(sys.modules, "lm_eval.api.model", base)
    return harness_model(*asked)


def test_likelihoods_are_the_models_own(asked, harness):
    model, words = asked
    model.eval()
    before, own = [words.eos_id, *words.encode("the cat")], words.encode(" sat on")
    expected = sum(log_probabilities(model, [*before, *own])[len(before) - 1 :])
    ((found, _),) = harness.loglikelihood([request("the cat", " sat on")])
    assert found == pytest.approx(expected, abs=1e-4)
    # Spaces at the context's end go to the continuation: the same tokens, the same figure.
    ((moved, _),) = harness.loglikelihood([request("the cat ", "sat on")])
    assert moved == pytest.approx(found)
    assert harness.loglikelihood([request("the cat", "")]) == [(0.0, True)]


def test_whole_texts_longer_than_the_window_are_scored(asked, harness):
    model, words = asked
    short, long = "the cat sat", " ".join(["the cat sat on the mat"] * 9)
    (found,) = harness.loglikelihood_rolling([request(short)])
    expected = sum(log_probabilities(model.eval(), [words.eos_id, *words.encode(short)]))
    assert found == pytest.approx(expected, abs=1e-4)
    (found,) = harness.loglikelihood_rolling([request(long)])
    n = len(words.encode(long))
    assert n > 3 * model.config.n_positions
    assert found == pytest.approx(-n * math.log(words.vocab_size), rel=0.1)


def test_text_ends_at_the_first_of_the_strings(harness):
    (whole,) = harness.generate_until([request("the cat", {"max_gen_toks": 6})])
    assert len(whole) > 2
    (cut,) = harness.generate_until([request("the cat", {"max_gen_toks": 6, "until": [whole[2]]})])
    assert cut == whole[: whole.index(whole[2])]


@pytest.mark.timeout(600)
@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is None, reason="lm_eval is not installed")
def test_a_task_of_local_data_gives_the_accuracy_that_we_find(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    model, words = asked
    data = tmp_path / "questions.jsonl"
    rows = [{"prompt": q.prompt, "options": list(q.options), "answer": q.answer} for q in QUESTIONS]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "local.yaml").write_text(TASK.format(data=data))
    found = evaluate_harness(model.eval(), words, ["local_choice"], include_path=tmp_path / "tasks")
    ours = evaluate_choices(model, words, QUESTIONS)
    assert found["local_choice"]["acc"] == pytest.approx(ours.accuracy["sum"])
    with pytest.raises(InputError, match="no task 'unheard_of'"):
        evaluate_harness(model, words, ["unheard_of"])


@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is not None, reason="lm_eval is installed")
def test_without_the_harness_it_says_what_to_install(asked):
    with pytest.raises(KuaibaoError, match="lm_eval is not installed"):
        evaluate_harness(*asked, ["local_choice"])
