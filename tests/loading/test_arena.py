"""Big blocks that are kept: no page is faulted in twice."""

import subprocess
import sys

import pytest

from kuaibao.loading.arena import large_arena

PROGRAM = """
import resource, numpy as np
from kuaibao.loading.arena import large_arena

def n_fault():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(50_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

outside = n_fault()
with large_arena():
    np.ones(50_000_000, np.uint8)
    with large_arena():
        pass
    inside = n_fault()
print(outside, inside, n_fault())
"""


def has_arena():
    with large_arena() as has:
        return has


@pytest.mark.skipif(not has_arena(), reason="glibc only")
def test_pages_are_faulted_in_once():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    outside, inside, after = map(int, done.stdout.split())
    # Huge pages make few faults of many; what counts is that there are next to none inside.
    assert inside * 10 < outside
    assert inside * 10 < after
