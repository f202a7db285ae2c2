"""A real server in a thread, over the newsroom of the desk's tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "bulletin" / "desk"))

from serving import Serving


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("web")) as serving:
        yield serving
