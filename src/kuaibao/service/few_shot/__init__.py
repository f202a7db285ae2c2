"""Few-shot as an object: templates with examples, versioned, measured, chosen, used."""

from kuaibao.service.few_shot.choosing import Candidate, Choice, choose_examples
from kuaibao.service.few_shot.evaluation import METRICS, Evaluation, Metric, evaluate
from kuaibao.service.few_shot.store import StoredTemplate, TemplateBook
from kuaibao.service.few_shot.template import Example, Selection, Template, parse_template
from kuaibao.service.few_shot.writer import Writes, complete_with, prompt_that_fits

__all__ = [
    "METRICS",
    "Candidate",
    "Choice",
    "Evaluation",
    "Example",
    "Metric",
    "Selection",
    "StoredTemplate",
    "Template",
    "TemplateBook",
    "Writes",
    "choose_examples",
    "complete_with",
    "evaluate",
    "parse_template",
    "prompt_that_fits",
]
