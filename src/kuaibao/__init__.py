"""Kuaibao (快报): a research bulletin made on your own machine.

Each room works by itself: `kuaibao.text`, `kuaibao.diagrams`, `kuaibao.bulletin`, and with the
extra `models` also `kuaibao.transformer`, `kuaibao.training`, `kuaibao.pegasus` and the others.
This module imports nothing, so that `import kuaibao` costs nothing.
"""

__all__ = ["__version__"]
__version__ = "0.1.0"
