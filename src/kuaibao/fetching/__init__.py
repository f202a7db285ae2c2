"""The one guarded way out: addresses, limits, validators, politeness."""

from kuaibao.fetching.values import Response, Validators

__all__ = ["Response", "Validators"]
