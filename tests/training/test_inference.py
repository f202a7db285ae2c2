"""Two processes write together what one writes alone."""

import json
import os
import subprocess
import sys

import pytest

from kuaibao.training import World, generate_shared
from kuaibao.transformer import TransformerConfig, build_model, save_pretrained
from kuaibao.transformer.tokenizers import train_byte_level_bpe

PROMPTS = ["the cat", "a", "red green", "blue", "the sun sat"]


@pytest.fixture
def folder(tmp_path):
    words = train_byte_level_bpe(["the cat sat on the mat", "red green blue"] * 5, 280)
    config = TransformerConfig(vocab_size=words.vocab_size, eos_id=words.eos_id, n_positions=48,
                               n_embd=32, n_layer=2, n_head=2)  # fmt: skip
    save_pretrained(build_model(config, seed=1), tmp_path / "m")
    words.save(tmp_path / "m")
    (tmp_path / "prompts.jsonl").write_text(
        "".join(json.dumps({"prompt": p}) + "\n" for p in PROMPTS)
    )
    return tmp_path


@pytest.mark.timeout(600)
def test_two_processes_write_what_one_writes(folder):
    command = ["-m", "kuaibao", "generate", "-m", str(folder / "m"), "--prompts",
               str(folder / "prompts.jsonl"), "--seed", "4", "-n", "2", "--max-tokens", "8",
               "--json"]  # fmt: skip
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    answers = []
    for start in ([], torchrun):
        done = subprocess.run([sys.executable, *start, *command], capture_output=True, text=True,
                              timeout=280, env=environment, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        answers.append(json.loads(done.stdout))
    one, two = answers
    assert two == one
    assert [a["prompt"] for a in one["answers"]] == PROMPTS
    assert all(len(a["choices"]) == 2 for a in one["answers"])


def test_one_process_asks_its_engine_once():
    class Engine:
        def generate(self, prompts, **settings):
            return [prompts, settings]

    assert generate_shared(Engine(), [[1], [2]], World.join(), seed=3) == [[[1], [2]], {"seed": 3}]
