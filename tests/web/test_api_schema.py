"""Schemathesis at every operation of the API: whatever is sent, the server has no error of its own."""

import subprocess
import sys

import pytest
from serving import Serving

SHUTTING_OUT = r"/people/\{|/tokens/\{|/me/password"
"""These can shut out the caller itself, after which nothing else would be tried."""
SLOW = "/backup|/collect"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("schema"), 2) as server:
        yield server


def schemathesis(server, *options):
    token = server.token_of("administrator", "read", "write", "publish", "admin")
    return subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{server.base}/api/openapi.json",
         "-H", f"Authorization: Bearer {token}", "--checks", "not_a_server_error",
         "--max-examples", "2", "--generation-deterministic", "--phases", "coverage,fuzzing", "--no-color", *options],
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip


@pytest.mark.timeout(600)
def test_no_request_that_fits_the_description_or_just_misses_it_breaks_the_server(desk):
    done = schemathesis(desk, "--exclude-path-regex", f"{SHUTTING_OUT}|{SLOW}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert "Authentication failed" not in done.stdout, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_neither_do_requests_that_may_shut_out_the_caller(desk):
    done = schemathesis(desk, "--include-path-regex", SHUTTING_OUT)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
