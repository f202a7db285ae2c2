"""A small bulletin on disk, and a way to build it in a process of its own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_bulletin import make_bulletin


@pytest.fixture
def bulletin(tmp_path):
    return make_bulletin(tmp_path / "bulletin")
