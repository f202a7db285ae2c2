"""Figures measured in a forked child, so that what the measuring does to memory stays there."""

from __future__ import annotations

import json
import os
import select
import signal
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["measured_in_a_child"]


def measured_in_a_child(measure: Callable[[], Any], *, timeout_s: float = 30.0) -> Any:
    """What `measure` gives in a child of this process; None when it fails or takes too long.

    Args:
        measure: Runs with the child's one thread; torch must need no other. It gives JSON values,
            in less than 64 KB.
        timeout_s: Seconds after which the child is killed.
    """
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there are other threads: none of them is needed there
        child = os.fork()
    if child == 0:
        _answer(measure, write)
    os.close(write)
    try:
        ready, _, _ = select.select([read], [], [], timeout_s)
        text = os.read(read, 1 << 16) if ready else b""
        return json.loads(text) if text else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(read)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def _answer(measure: Callable[[], Any], write: int) -> None:
    try:
        import torch

        torch.set_num_threads(1)
        os.write(write, json.dumps(measure(), default=float).encode())
    finally:
        os._exit(0)  # nothing of the script's may be cleaned up from here
