"""Prices by model: what a thousand tokens cost, in the house's own currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Price", "PriceList"]


@dataclass(frozen=True, kw_only=True)
class Price:
    """Per 1,000 tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def cost(self, n_prompt_token: int, n_completion_token: int) -> float:
        """What a request costs."""
        return (n_prompt_token * self.prompt + n_completion_token * self.completion) / 1000


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """The price of each model; others cost nothing."""

    currency: str = "EUR"
    by_model: Mapping[str, Price] = field(default_factory=dict[str, Price])

    def of(self, model: str) -> Price:
        """The model's price; a fine-tuned model (`base:ft-…`) costs what its base does."""
        return self.by_model.get(model) or self.by_model.get(model.split(":")[0]) or Price()
