"""The newsroom is a module of this folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from newsroom import open_newsroom


@pytest.fixture
def room(tmp_path):
    with open_newsroom(tmp_path) as made:
        yield made
