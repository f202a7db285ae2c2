"""What can go wrong with text.

InputError
└── StrategyError    an unknown strategy, or a ratio or number out of range (also a ValueError)
"""

from __future__ import annotations

from kuaibao.errors import InputError

__all__ = ["StrategyError"]


class StrategyError(InputError, ValueError):
    """A strategy that doesn't exist, or a ratio or number of sentences out of range."""
