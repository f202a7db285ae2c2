"""Run a command with the doctor inside, and fetch what it saw."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kuaibao.doctor.agent import ENVIRONMENT_KEY
from kuaibao.doctor.errors import CommandNotFoundError, DoctorError
from kuaibao.doctor.measured import Observation, from_json

__all__ = ["Examination", "observe_command"]

_BOOTSTRAP = Path(__file__).parent / "bootstrap"


@dataclass(frozen=True)
class Examination:
    """What came back from the command."""

    observation: Observation
    exit_status: int
    failures: list[str] = field(default_factory=list)


def observe_command(
    command: list[str],
    *,
    samples: int = 0,
    seconds: float = 0.0,
    ablate: bool = True,
    treatments: tuple[str, ...] = (),
    treatment_options: dict[str, Any] | None = None,
    quiet: bool = False,
    environment: dict[str, str] | None = None,
    overrides: dict[str, Any] | None = None,
) -> Examination:
    """Run `command` with the doctor in each of its Python processes.

    Args:
        command: Program and arguments; `python` is this environment's when the one on the path
            has no torch.
        samples: Stop after so many samples; 0 for no such limit.
        seconds: Stop so many seconds after the first batch; 0 for no such limit.
        ablate: Repeat batches and probe the data path.
        treatments: Cures to alternate with the untreated loop.
        treatment_options: Their settings.
        quiet: Send the command's output to our standard error.
        environment: Variables to add.
        overrides: Keyword arguments that replace those of every `DataLoader(...)`.

    Raises:
        CommandNotFoundError: The command can't be started.
        DoctorError: The doctor could not look into the process.
    """
    with tempfile.TemporaryDirectory(prefix="kuaibao-doctor-") as folder:
        spool = Path(folder)
        options = {
            "samples": samples,
            "seconds": seconds,
            "ablate": ablate,
            "treatments": list(treatments),
            "treatment_options": treatment_options or {},
            "overrides": overrides or {},
        }
        variables = _variables(spool, options, environment or {})
        status = _run(_resolved(command), variables, quiet=quiet, seconds=seconds)
        return _collect(spool, status)


def _variables(spool: Path, options: dict[str, Any], more: dict[str, str]) -> dict[str, str]:
    variables = {**os.environ, **more}
    old = variables.get("PYTHONPATH")
    variables["PYTHONPATH"] = os.pathsep.join([str(_BOOTSTRAP), *([old] if old else [])])
    variables[ENVIRONMENT_KEY] = json.dumps({"spool": str(spool), "options": options})
    return variables


def _resolved(command: list[str]) -> list[str]:
    name, *rest = command
    if name.endswith(".py") and os.path.isfile(name) and not os.access(name, os.X_OK):
        return [sys.executable, name, *rest]
    if name in ("python", "python3") and not _has_torch(shutil.which(name)):
        return [sys.executable, *rest]
    if shutil.which(name) is None:
        raise CommandNotFoundError(
            f"the command {name!r} could not be found",
            hint="Write the command after `--`, e.g.: kuaibao doctor run -- python train.py",
        )
    return command


def _has_torch(python: str | None) -> bool:
    if python is None:
        return False
    question = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    try:
        return subprocess.run([python, "-c", question], timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _run(command: list[str], variables: dict[str, str], *, quiet: bool, seconds: float) -> int:
    try:
        process = subprocess.Popen(
            command,
            env=variables,
            stdout=2 if quiet else None,  # the descriptor: sys.stderr may be no real file
            start_new_session=True,
        )
    except OSError as error:
        raise CommandNotFoundError(
            f"the command {command[0]!r} can't be started: {error}"
        ) from error
    try:
        return _exit_status(_wait(process, seconds))
    except KeyboardInterrupt:
        _end_group(process, signal.SIGINT)
        raise
    finally:
        _end_group(process, signal.SIGTERM)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Wait for the command; one that hangs far beyond its seconds is ended."""
    limit = time.monotonic() + 4 * seconds + 600 if seconds else None
    while True:
        try:
            return process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if limit is not None and time.monotonic() > limit:
                _end_group(process, signal.SIGTERM)


def _exit_status(code: int) -> int:
    return 128 - code if code < 0 else code


def _end_group(process: subprocess.Popen[bytes], first: signal.Signals) -> None:
    """End whatever the command left behind: it has a process group of its own."""
    for sign in (first, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except (ProcessLookupError, PermissionError):
            return
        stop = time.monotonic() + 5
        while time.monotonic() < stop:
            process.poll()
            try:
                os.killpg(process.pid, 0)
            except (ProcessLookupError, PermissionError):
                return
            time.sleep(0.05)


def _collect(spool: Path, status: int) -> Examination:
    failures = [path.read_text() for path in sorted(spool.glob("failure-*.txt"))]
    found: list[Observation] = []
    for path in sorted(spool.glob("observation-*.json")):
        try:
            found.append(from_json(json.loads(path.read_text())))
        except (ValueError, TypeError, KeyError) as error:
            failures.append(f"{path.name}: {error}")
    if not found and failures:
        raise DoctorError(
            f"the doctor could not look into the process: {failures[0].strip().splitlines()[-1]}",
            hint="The command itself was not changed; run it without the doctor to compare.",
        )
    best = max(found, key=lambda seen: len(seen.steps), default=Observation())
    return Examination(best, status, failures)
