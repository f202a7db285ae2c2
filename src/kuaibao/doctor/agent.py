"""The doctor inside the examined process: started by `bootstrap/sitecustomize.py`.

Settings come through the environment, the observation goes out as one JSON file in the spool
folder. Nothing here may break the script: an agent that fails says so in the spool and leaves.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["ENVIRONMENT_KEY", "start"]

ENVIRONMENT_KEY = "KUAIBAO_DOCTOR"

_session: Any = None
_sampler: list[Any] = []


def start() -> None:
    """Read the settings and wait for torch; called once in each Python process of the command."""
    text = os.environ.get(ENVIRONMENT_KEY)
    if not text:
        return
    settings = json.loads(text)
    from kuaibao.doctor.decoders import AfterImport

    if not _is_worker():
        # Early, so that work before the first batch is seen too.
        from kuaibao.doctor.hot_lines import LineSampler

        _sampler.append(LineSampler(lambda: "setup"))
        _sampler[0].start(threading.get_ident())
    AfterImport.watch("torch", lambda module: _on_torch(module, settings))


def _on_torch(module: ModuleType, settings: dict[str, Any]) -> None:
    spool = Path(settings["spool"])
    try:
        _install(spool, settings)
    except Exception:
        _report_failure(spool)


def _install(spool: Path, settings: dict[str, Any]) -> None:
    global _session
    from kuaibao.doctor.decoders import hook_decoders, hook_sleep
    from kuaibao.doctor.fetching import METER, install_fetch_hooks
    from kuaibao.doctor.processes import probe_cores

    hook_decoders()
    hook_sleep()
    METER.spool = spool
    METER.only_counts = bool(settings["options"].get("treatments"))
    if _is_worker() or not _claim(spool):
        install_fetch_hooks()  # a spawned worker, or a second process of the same command
        return
    from kuaibao.doctor.session import Session
    from kuaibao.doctor.settings import Settings

    options = dict(settings["options"])
    options["treatments"] = tuple(options.get("treatments", ()))
    if options.get("ablate"):
        # Here, not in the doctor's process: the two may have different shares of the machine.
        options["cores"] = probe_cores()
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        options["ablate"] = False  # ranks must go on in step: watch only
    _session = Session(Settings(**options), spool, _sampler[0] if _sampler else None)
    _session.on_stop = lambda observation: _hand_over(spool, observation)
    _session.install()
    atexit.register(_finish)


def _is_worker() -> bool:
    """Whether this process was spawned by multiprocessing for someone else."""
    import multiprocessing

    if multiprocessing.parent_process() is not None:
        return True
    return any("multiprocessing" in word and "spawn" in word for word in sys.argv[:3])


def _claim(spool: Path) -> bool:
    """One process of the command is examined: the first that imports torch and is no worker.

    A launcher that imports torch and starts the real script as another process must not keep the
    claim, so a claim is only final once a batch was asked for; later processes write their own
    observation and the largest one counts.
    """
    return spool.is_dir()


def _hand_over(spool: Path, observation: Any) -> None:
    target = spool / f"observation-{os.getpid()}.json"
    temporary = target.with_suffix(".part")
    try:
        temporary.write_text(json.dumps(observation.to_json(), default=str))
        temporary.replace(target)
    except OSError:
        pass  # the doctor is gone


def _finish() -> None:
    if _session is not None and os.getpid() == _pid:
        try:
            _session.finish()
        except Exception:
            _report_failure(_session.spool)


def _report_failure(spool: Path) -> None:
    with contextlib.suppress(OSError):
        (spool / f"failure-{os.getpid()}.txt").write_text(traceback.format_exc())


_pid = os.getpid()
