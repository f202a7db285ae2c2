"""What every test shares: a clean environment, one torch thread, no way out to the network."""

import os
import socket

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import HealthCheck, settings

# The machine may be slow and shared: an example's time says nothing about the code.
# A run tests the change, so it draws the same examples each time; new ones are looked for with
# `pytest --hypothesis-profile explore`, and what they find becomes an `@example`.
settings.register_profile(
    "kuaibao",
    deadline=None,
    max_examples=50,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "explore", settings.get_profile("kuaibao"), derandomize=False, max_examples=500
)
settings.load_profile("kuaibao")

_connect = socket.socket.connect


def _loopback_only(self, address):
    host = address[0] if isinstance(address, tuple) else "localhost"
    if self.family != socket.AF_UNIX and not str(host).startswith(("127.", "::1", "localhost")):
        raise OSError(f"tests may not leave this machine (tried {address})")
    return _connect(self, address)


@pytest.fixture(autouse=True)
def _stay_on_this_machine(monkeypatch):
    for name in [n for n in os.environ if n.startswith("KUAIBAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
