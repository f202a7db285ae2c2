"""PEGASUS: abstractive summaries by gap-sentence pre-training (Zhang et al. 2020).

What needs no model is imported at once, what needs torch on first use.
"""

from kuaibao.pegasus.masking import MaskedDocument, mask_document, mask_words
from kuaibao.pegasus.metrics import Interval, bootstrap, measure_summary, summarize_figures

__all__ = [
    "Interval",
    "MaskedDocument",
    "bootstrap",
    "mask_document",
    "mask_words",
    "measure_summary",
    "summarize_figures",
]
