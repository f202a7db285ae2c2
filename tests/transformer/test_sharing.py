"""numba's threads leave torch's as they are: both are OpenMP's, for the whole process."""

import json
import subprocess
import sys

import pytest

from kuaibao.transformer.sharing import CAN_SHARE

PROGRAM = """
import ctypes, json, torch
torch.set_num_threads(2)
openmp = ctypes.CDLL(None)  # where torch's own is found
nested = [openmp.omp_get_nested()]
import numpy as np
from kuaibao.image_gpt import Palette
from kuaibao.transformer.sharing import n_sharing
pixels = np.arange(768, dtype=np.uint8).reshape(1, 16, 16, 3)
Palette.fit(pixels, 8, seed=0).encode(pixels)
n_sharing()
nested.append(openmp.omp_get_nested())
print(json.dumps([nested, torch.get_num_threads(), openmp.omp_get_max_threads()]))
"""


@pytest.mark.skipif(not CAN_SHARE, reason="no libgomp on this system")
def test_regions_do_not_nest_and_the_number_of_threads_stays():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    (before, after), of_torch, of_openmp = json.loads(done.stdout)
    assert after == before == 0
    assert of_torch == of_openmp == 2


FORKS = """
import os, sys
import numpy as np, torch
torch.set_num_threads(1)
from kuaibao.image_gpt import Palette
from kuaibao.transformer import build_model
from kuaibao.transformer.config import TransformerConfig
from kuaibao.transformer.quantized import quantize

config = TransformerConfig(n_layer=2, n_embd=32, n_head=2, vocab_size=50, n_positions=16, eos_id=0)
ids = torch.tensor([[3, 4, 5]])
pixels = np.arange(768, dtype=np.uint8).reshape(1, 16, 16, 3)

def work():
    palette = Palette.fit(pixels, 8, seed=0)
    trained, model = build_model(config, seed=0), build_model(config, seed=0)
    with torch.autocast("cpu", torch.bfloat16):
        loss = trained(ids[:, :-1], targets=ids[:, 1:])
    loss.backward()
    texts = [model.generate(ids, max_new_tokens=6, temperature=0.0)]
    texts.append(quantize(model).generate(ids, max_new_tokens=6, temperature=0.0))
    return palette.encode(pixels).tolist(), float(loss), str(texts)

here = work()
if os.fork() == 0:
    os._exit(0 if work() == here else 1)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_a_forked_process_does_the_same_without_threads():
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
