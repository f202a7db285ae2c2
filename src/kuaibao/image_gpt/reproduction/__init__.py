"""The paper's claims on this machine: small runs, resumable, with baselines and intervals."""

from kuaibao.image_gpt.reproduction.planning import plan_studies
from kuaibao.image_gpt.reproduction.report import write_report
from kuaibao.image_gpt.reproduction.runs import Budget
from kuaibao.image_gpt.reproduction.studies import STUDIES, Study, run_study

__all__ = ["STUDIES", "Budget", "Study", "plan_studies", "run_study", "write_report"]
