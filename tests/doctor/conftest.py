import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def ward(tmp_path_factory):
    """The patients' data, small."""
    spec = importlib.util.spec_from_file_location(
        "ward_data", Path(__file__).with_name("ward_data.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_data(tmp_path_factory.mktemp("ward") / "data", n_image=24, side=512)
