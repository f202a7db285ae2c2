"""One `generate` for every engine: the same settings, the same texts, refusals by name."""

import importlib.util
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from families import hub_model

from kuaibao.errors import InputError, KuaibaoError
from kuaibao.transformer import GenerationError, load_pretrained
from kuaibao.transformer.engines import load_engine

PROMPTS = [[5, 6, 7], [9, 3, 2, 8]]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hub_model("gpt2").save_pretrained(tmp_path / "hub")
    return tmp_path / "hub"


def tokens(found):
    return [[g.tokens for g in own] for own in found]


def test_whole_weights_write_what_the_model_writes(folder):
    expected = load_pretrained(folder).generate(PROMPTS, max_new_tokens=8)
    found = load_engine(folder, "float32").generate(PROMPTS, max_new_tokens=8)
    assert tokens(found) == tokens(expected)


def test_the_default_on_a_cpu_is_int8(folder):
    default, chosen = load_engine(folder), load_engine(folder, "int8")
    assert default.is_quantized
    settings = {"max_new_tokens": 8, "temperature": 0.9, "seed": 3}
    found, again = (e.generate(PROMPTS, **settings) for e in (default, chosen))
    assert tokens(found) == tokens(again)
    with pytest.raises(InputError, match="no engine 'int4'"):
        load_engine(folder, "int4")


@pytest.mark.skipif(
    importlib.util.find_spec("ctranslate2") is None, reason="extra 'ctranslate2' is not installed"
)
def test_ctranslate2_is_exported_once_and_refuses_what_it_lacks(folder, tmp_path):
    first = load_engine(folder, "ctranslate2").generate(PROMPTS, max_new_tokens=8)
    (kept,) = (tmp_path / "cache").rglob("model.bin")
    stamp = kept.stat().st_mtime_ns
    engine = load_engine(folder, "ctranslate2")
    assert kept.stat().st_mtime_ns == stamp
    assert tokens(engine.generate(PROMPTS, max_new_tokens=8)) == tokens(first)
    with pytest.raises(GenerationError, match="presence_penalty"):
        engine.generate(PROMPTS, presence_penalty=0.5)


# A stand-in for vLLM: it can't be installed beside this torch. It answers with the settings it got
# and with tokens that count on from the prompt, so that our own translation is what is tested.


@dataclass
class Parameters:
    n: int
    max_tokens: int
    stop_token_ids: list
    seed: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: dict | None = None
    logprobs: int | None = None
    detokenize: bool = True
    ignore_eos: bool = False


@dataclass
class Counting:
    model: str
    skip_tokenizer_init: bool
    asked: list = field(default_factory=list)

    def generate(self, rows, parameters, *, use_tqdm):
        self.asked = parameters
        return [
            self._answer(row["prompt_token_ids"], p)
            for row, p in zip(rows, parameters, strict=True)
        ]

    def _answer(self, prompt, parameters):
        outputs = []
        for copy in range(parameters.n):
            ids = [prompt[-1] + 1 + i for i in range(parameters.max_tokens)]
            ends = [i for i, t in enumerate(ids) if t in parameters.stop_token_ids]
            ids = ids[: ends[0] + 1] if ends else ids
            scores = [{t: types.SimpleNamespace(logprob=-1.0 - copy % 2)} for t in ids]
            outputs.append(types.SimpleNamespace(token_ids=ids, logprobs=scores))
        return types.SimpleNamespace(outputs=outputs)


@pytest.fixture
def vllm(folder, monkeypatch):
    monkeypatch.setitem(
        sys.modules, "vllm", types.SimpleNamespace(LLM=Counting, SamplingParams=Parameters)
    )
    return load_engine(folder, "vllm")


def test_settings_reach_vllm_by_its_own_names(vllm):
    vllm.generate(
        PROMPTS, max_new_tokens=4, temperature=0.7, top_k=5, top_p=0.9, seed=10, n=1, best_of=3,
        presence_penalty=0.2, logit_bias={4: 2.0},
    )  # fmt: skip
    first, second = vllm._model.asked
    assert (first.n, first.max_tokens, first.top_k, first.top_p) == (3, 4, 5, 0.9)
    assert (first.temperature, first.presence_penalty) == (0.7, 0.2)
    assert (first.seed, second.seed) == (10, 13)
    assert first.stop_token_ids == [96]  # the model's own end token
    vllm.generate(PROMPTS)
    assert vllm._model.asked[0].temperature == 0.0


def test_answers_of_vllm_end_at_the_end_token_and_at_stop_sequences(vllm):
    ((plain,), _) = vllm.generate(PROMPTS, max_new_tokens=3)
    assert (plain.tokens, plain.finish_reason, plain.score) == ([8, 9, 10], "length", -1.0)
    ((ended,),) = vllm.generate([[93]], max_new_tokens=9)
    assert (ended.tokens, ended.finish_reason) == ([94, 95], "stop")
    ((cut,),) = vllm.generate([[5]], max_new_tokens=9, stop=[[8, 9]])
    assert (cut.tokens, cut.finish_reason) == ([6, 7], "stop")
    assert len(cut.log_probabilities) == 2
    ((best,),) = vllm.generate([[5]], max_new_tokens=2, best_of=4)
    assert best.score == -1.0


def test_what_vllm_lacks_is_refused(vllm, folder, monkeypatch):
    for settings, named in (({"num_beams": 4}, "num_beams"), ({"best_of": 1, "n": 2}, "best_of")):
        with pytest.raises(GenerationError, match=named):
            vllm.generate(PROMPTS, **settings)
    with pytest.raises(GenerationError, match="empty"):
        vllm.generate([[]])
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(KuaibaoError, match="not installed"):
        load_engine(folder, "vllm")
