"""The paper's claims on this machine: small trainings, run in pieces, told with intervals."""

from kuaibao.pegasus.reproduction.plan import SCALES, Pretraining, Scale, Trial, find_scale, plan
from kuaibao.pegasus.reproduction.report import Finding, findings, write_report
from kuaibao.pegasus.reproduction.runner import Outcome, reproduce

__all__ = [
    "SCALES",
    "Finding",
    "Outcome",
    "Pretraining",
    "Scale",
    "Trial",
    "find_scale",
    "findings",
    "plan",
    "reproduce",
    "write_report",
]
