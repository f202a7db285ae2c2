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
