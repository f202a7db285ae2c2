"""Advice: each a cure with the speed-up that the measured times let one expect.

Only what the verdict's class, or another class with an excess of its own, calls for is advised;
a healthy loop gets none. Remarks on hidden dangers stand in `remarks` and carry no speed-up.
"""

from __future__ import annotations

from kuaibao.doctor.case import WORTH, Advice, Case
from kuaibao.doctor.cures_data import DATA_RULES
from kuaibao.doctor.cures_loop import LOOP_RULES
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.verdict import Diagnosis

__all__ = ["Advice", "advise"]


def advise(seen: Observation, diagnosis: Diagnosis) -> list[Advice]:
    """All cures worth their work, best first; none for the healthy or the undecided."""
    if diagnosis.accounts is None or diagnosis.verdict in ("healthy", "undecided"):
        return []
    case = Case(seen, diagnosis, diagnosis.accounts)
    found = [advice for rule in (*DATA_RULES, *LOOP_RULES) for advice in rule(case)]
    worth = [a for a in found if a.predicted_speedup.mid >= WORTH or a.cause == "memory"]
    return sorted(worth, key=lambda a: a.predicted_speedup.mid, reverse=True)
