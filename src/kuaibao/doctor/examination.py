"""The whole way: observe, judge, advise, treat, measure again, report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kuaibao.doctor.advice import Advice, advise
from kuaibao.doctor.report import report_of
from kuaibao.doctor.run import Examination, observe_command
from kuaibao.doctor.verdict import diagnose

__all__ = ["examine_command"]


def examine_command(
    command: list[str],
    *,
    samples: int = 0,
    seconds: float = 0.0,
    ablate: bool = True,
    apply: bool = False,
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
        for one in [a for a in advice if a.is_automatic][:3]:
            progress(f"trying {one.cure}: {one.what}")
            _treat(command, one, samples=samples, seconds=seconds, quiet=quiet)
    return report_of(
        found.observation, diagnosis, advice, command=command, exit_status=found.exit_status
    )


def _add_patches(found: Examination, advice: list[Advice]) -> None:
    from kuaibao.doctor.patching import edit_for

    for one in advice:
        edit = edit_for(one.cure, one.options, found.observation.loader.place)
        if edit is not None:
            one.patch = edit.diff
            one.options["edit"] = edit.to_json()


def _treat(command: list[str], one: Advice, *, samples: int, seconds: float, quiet: bool) -> None:
    from kuaibao.doctor.statistics import log_ratio_interval

    found = observe_command(
        command,
        samples=samples,
        seconds=seconds,
        treatments=(one.cure,),
        treatment_options=one.options,
        quiet=quiet,
    )
    for result in found.observation.treatments:
        one.achieved_speedup = log_ratio_interval(result["untreated_s"], result["treated_s"])
        one.checks = result["checks"]
    if not found.observation.treatments:
        one.checks = {"measured": "no: " + "; ".join(found.observation.notes or ["too few steps"])}
