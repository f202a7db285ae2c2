"""What the paper's runs cost, counted before anything is bought."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from kuaibao.files import write_text
from kuaibao.image_gpt.task import model_config, parse_data
from kuaibao.training import Recipe, parse_recipe
from kuaibao.transformer import TransformerConfig, count_parameters, load_config, named_config

__all__ = ["Cost", "cost_of", "paper_recipes", "write_recipes"]

V100_FLOPS = 5.5e12
"""A V100's floating-point operations a second in the paper's runs: iGPT-L's count over the 2,500
V100-days that its authors' blog states."""
PAPER_V100_DAYS = 2500
MOCO_V100_DAYS = 70
_BYTES_OF_STATE = 16
"""Weights, gradients and Adam's two averages in 32 bits."""
_ACTIVATION_WIDTHS = 20
"""Numbers that a block keeps a position, in widths of the model, with attention that is recomputed:
two norms and their inputs, q, k, v, the attention's output, and the feed-forward's inner 4 + 4."""


@dataclass(frozen=True)
class Cost:
    """One recipe's needs."""

    name: str
    n_parameter: int
    n_pixel: int
    """That are seen in all steps."""
    flops: float
    """Floating-point operations of all steps, forward and backward."""
    state_bytes: int
    activation_bytes: int
    """Of one picture."""
    batch_size: int
    v100_days: float

    @property
    def memory_bytes(self) -> int:
        """State and a whole batch's activations; a batch may be spread over GPUs or in time."""
        return self.state_bytes + self.batch_size * self.activation_bytes

    def price(self, gpu_hour: float) -> float:
        """Of all steps, in the currency of a GPU hour's price."""
        return self.v100_days * 24 * gpu_hour

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self) | {"memory_bytes": self.memory_bytes}


def paper_recipes() -> dict[str, Recipe]:
    """The recipes of ImageNet, CIFAR-10, CIFAR-100 and STL-10 that come with this room."""
    folder = files("kuaibao.image_gpt") / "recipes"
    found = sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)
    return {
        p.name.removesuffix(".toml"): parse_recipe(p.read_text(encoding="utf-8"), file=p.name)
        for p in found
    }


def write_recipes(folder: Path) -> list[Path]:
    """Copy them into a folder, beside one's data."""
    source = files("kuaibao.image_gpt") / "recipes"
    written: list[Path] = []
    for name in paper_recipes():
        write_text(folder / f"{name}.toml", (source / f"{name}.toml").read_text(encoding="utf-8"))
        written.append(folder / f"{name}.toml")
    return written


def cost_of(name: str, recipe: Recipe) -> Cost:
    """Count a recipe's needs; data and weights need not be there.

    6 operations a parameter and token, and 12 · layers · width · positions for attention.
    """
    data = parse_data(recipe)
    config = _config(recipe)
    n_position = data.size**2
    n_parameter = count_parameters(config)
    n_token = recipe.run.steps * recipe.run.batch_size * n_position
    per_token = 6 * n_parameter + 12 * config.n_layer * config.n_embd * n_position
    width = config.n_layer * config.n_embd * _ACTIVATION_WIDTHS + 2 * config.vocab_size
    item = 4 if recipe.run.precision == "fp32" else 2
    flops = float(per_token) * n_token
    return Cost(
        name, n_parameter, n_token, flops, n_parameter * _BYTES_OF_STATE,
        n_position * width * item, recipe.run.batch_size, flops / V100_FLOPS / 86_400,
    )  # fmt: skip


def _config(recipe: Recipe) -> TransformerConfig:
    """Of the model that is trained: a fine-tuned one's folder need not be there yet."""
    initial = recipe.folder / recipe.run.initial_model if recipe.run.initial_model else None
    if initial is None:
        data = parse_data(recipe)
        return model_config(recipe, data, data.n_color)
    if (initial / "config.json").is_file():
        return load_config(initial)
    return named_config("imagegpt-small")
