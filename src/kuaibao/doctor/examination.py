"""The whole way: observe, judge, advise, treat, measure again, report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kuaibao.doctor.advice import Advice, advise
from kuaibao.doctor.errors import DoctorError
from kuaibao.doctor.report import report_of
from kuaibao.doctor.run import Examination, observe_command
from kuaibao.doctor.verdict import diagnose

__all__ = ["examine", "examine_command"]


def examine_command(
    command: list[str],
    *,
    samples: int = 0,
    seconds: float = 0.0,
    ablate: bool = True,
    apply: bool = False,
    cures: tuple[str, ...] = (),
    quiet: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Examine a command; gives the report (see `schema.json`).

    Args:
        command: Program and arguments of an unmodified script.
        samples: Stop after so many samples; 0 for no such limit.
        seconds: Stop so many seconds after the first batch; 0 for no such limit.
        ablate: Repeat batches and probe the data path, instead of only watching.
        apply: Run the command again with each automatic cure, alternating with the untreated loop.
        cures: Names of the cures to try; without any, the three that promise most.
        quiet: Send the command's output to standard error.
        progress: Told what happens now.

    Raises:
        DoctorError: The doctor could not do its work.
    """
    progress("looking at " + " ".join(command))
    found = observe_command(command, samples=samples, seconds=seconds, ablate=ablate, quiet=quiet)
    diagnosis = diagnose(found.observation)
    advice = advise(found.observation, diagnosis)
    _add_patches(found, advice)
    if apply:
        tried = [a for a in advice if a.is_automatic and (not cures or a.cure in cures)]
        for one in tried[:_MOST_TRIED]:
            progress(f"trying {one.cure}: {one.what}")
            try:
                _treat(command, one, samples=samples, seconds=seconds, quiet=quiet)
            except DoctorError as error:
                progress(f"{one.cure} is no cure here: {error}")
                advice.remove(one)
    return report_of(
        found.observation, diagnosis, advice, command=command, exit_status=found.exit_status
    )


_MOST_TRIED = 3


def _add_patches(found: Examination, advice: list[Advice]) -> None:
    from kuaibao.doctor.patching import edit_for

    for one in advice:
        edit = edit_for(one.cure, one.options, found.observation.loader.place)
        if edit is not None:
            one.patch = edit.diff
            one.options["edit"] = edit.to_json()


_RUN_CURES: dict[str, dict[str, dict[str, Any]]] = {
    "persistent_workers": {"overrides": {"persistent_workers": True}},
    "malloc_arena": {
        "environment": {
            "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
            "MALLOC_TRIM_THRESHOLD_": str((1 << 31) - 1),
        }
    },
}
"""Cures that can't be switched within a run: whole runs alternate."""


def _treat(command: list[str], one: Advice, *, samples: int, seconds: float, quiet: bool) -> None:
    from kuaibao.doctor.alternate import Arm, alternate
    from kuaibao.doctor.statistics import log_ratio_interval

    treated = _RUN_CURES.get(one.cure)
    if one.options.get("whole_runs"):
        treated = {"overrides": {"num_workers": one.options["n_workers"]}}
    if treated is not None:
        found = alternate(
            Arm("untreated", command),
            Arm("treated", command, **treated),
            samples=samples,
            seconds=seconds or (0.0 if samples else 8.0),
            rounds=2,
            quiet=quiet,
        )
        one.achieved_speedup = found.speedup
        one.checks = {"same_batches": found.n_same_batches, "compared": found.n_batches_compared}
        return
    seen = observe_command(
        command,
        samples=samples,
        seconds=seconds,
        treatments=(one.cure,),
        treatment_options=one.options,
        quiet=quiet,
    )
    for result in seen.observation.treatments:
        one.achieved_speedup = log_ratio_interval(result["untreated_s"], result["treated_s"])
        one.checks = result["checks"]
    if not seen.observation.treatments:
        one.checks = {"measured": "no: too few steps"}


def examine(
    loader: Any, step: Callable[[Any], Any], *, samples: int = 0, seconds: float = 20.0
) -> dict[str, Any]:
    """Examine a loader and a step in this process; gives the report.

    Args:
        loader: A `torch.utils.data.DataLoader`; it is iterated again and again.
        step: One training step on one batch: copy, forward, loss, backward, optimiser.
        samples: Stop after so many samples; 0 for no such limit.
        seconds: Stop after so many seconds.

    Raises:
        DoctorError: The loader gives nothing, or is no `DataLoader`.
    """
    import tempfile
    from pathlib import Path

    from kuaibao.doctor.decoders import hook_decoders, hook_sleep
    from kuaibao.doctor.processes import probe_cores
    from kuaibao.doctor.session import Session
    from kuaibao.doctor.settings import Settings, StopExamination

    hook_decoders()
    hook_sleep()
    with tempfile.TemporaryDirectory(prefix="kuaibao-doctor-") as folder:
        settings = Settings(samples=samples, seconds=seconds, cores=probe_cores())
        session = Session(settings, Path(folder))
        session.install()
        try:
            while not session.finished:
                n_before = session.observation.samples_seen
                for batch in loader:
                    step(batch)
                if session.observation.samples_seen == n_before:
                    raise DoctorError("the loader gave no batch to examine")
        except StopExamination:
            pass
        finally:
            session.finish()
            session.uninstall()
    seen = session.observation
    diagnosis = diagnose(seen)
    return report_of(seen, diagnosis, advise(seen, diagnosis), command=[], exit_status=0)
