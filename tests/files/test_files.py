"""Files are whole or not there."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.files import (
    FileLock,
    LockedError,
    atomic_path,
    hash_file,
    hash_value,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_writer_killed_in_the_middle_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    code = f"""
        import os, signal
        from kuaibao.files import atomic_path
        with atomic_path({str(target)!r}) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)])
    assert run.returncode != 0
    assert target.read_text() == "old"


def test_files_keep_their_text_byte_for_byte(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "快报\r\nline\n")
    assert (tmp_path / "deep" / "a.txt").read_bytes() == "快报\r\nline\n".encode()
    assert len(hash_file(tmp_path / "deep" / "a.txt")) == 64


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_a_hash_does_not_depend_on_the_order_of_keys(value):
    assert hash_value(value) == hash_value(dict(reversed(value.items())))


def test_json_is_readable_by_people(tmp_path):
    write_json(tmp_path / "a.json", {"题": [1]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "题" in text
    assert json.loads(text) == {"题": [1]}


def test_two_holders_of_a_lock_exclude_each_other(tmp_path):
    with FileLock(tmp_path / "lock"):
        with pytest.raises(LockedError, match="another process"), FileLock(tmp_path / "lock"):
            pass
    with FileLock(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()
