"""A recipe: everything that a training run depends on, in one strict TOML file."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from kuaibao.errors import Place, did_you_mean
from kuaibao.training.errors import RecipeError

__all__ = ["OptimizerSettings", "Recipe", "RunSettings", "load_recipe", "parse_recipe"]

MAX_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """How weights are moved."""

    name: Literal["adamw", "adafactor"] = "adamw"
    learning_rate: float = 1e-3
    """At its highest."""
    schedule: Literal["cosine", "inverse_sqrt", "constant"] = "cosine"
    warmup_steps: int = 100
    min_learning_rate: float = 0.0
    """Where the cosine ends."""
    beta1: float = 0.9
    beta2: float = 0.95
    weight_decay: float = 0.0
    """Of matrices, not of norms and biases."""
    clip_norm: float = 1.0
    """Of the whole gradient; 0 for no clipping."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How long, how large, how often."""

    steps: int = 1000
    batch_size: int = 16
    """Samples a step, over all devices and accumulated parts."""
    accumulate: int = 1
    """Parts that a batch is cut into."""
    evaluate_every: int = 200
    checkpoint_every: int = 200
    keep: int = 2
    """Newest checkpoints that are kept; the best by validation loss stays too."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of products; weights and optimiser are float32 in all. `auto` is bf16 (fp16 on older GPUs)
    where the device has instructions for it."""
    ema: float = 0.0
    """Decay of the averaged weights; 0 for none."""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """Under torchrun: weights copied to each process, or spread over them."""
    recompute: bool = False
    """Activation checkpointing: less memory, about a third more time."""
    compile: Literal["", "inductor", "eager"] = ""
    """Back end of `torch.compile` for the training step; empty for none. On a CPU the first step
    then takes minutes, and the others were no faster (docs/models.md)."""
    prefetch: bool = False
    """Make the next batch in a thread meanwhile; pays where the device is not the CPU."""
    n_thread: int = 0
    """CPU threads; 0 leaves torch's own number."""
    patience: int = 0
    """Evaluations without a better loss after which the run ends; 0 for no early end."""
    initial_model: str = ""
    """A folder whose weights the run begins with."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One run."""

    task: str
    """gpt, image-gpt or pegasus."""
    seed: int = 0
    out: str = ""
    """Folder of the run, from the recipe's own; `runs/NAME` if not given."""
    model: dict[str, Any] = field(default_factory=dict[str, Any])
    """Sizes, as the task reads them; or `name` of a published size."""
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    """As the task reads it."""
    optimizer: OptimizerSettings = OptimizerSettings()
    run: RunSettings = RunSettings()
    folder: Path = Path()
    """Where the recipe lies: its paths start there."""
    name: str = "run"

    @property
    def run_folder(self) -> Path:
        """Where checkpoints, figures and the model go."""
        return self.folder / (self.out or f"runs/{self.name}")

    def fingerprint(self) -> dict[str, Any]:
        """What two runs must share to be one: all but where they lie and how long they go on."""
        value = dataclasses.asdict(self)
        for key in ("folder", "name", "out"):
            del value[key]
        for key in ("steps", "evaluate_every", "checkpoint_every", "keep", "n_thread", "patience",
                    "parallel", "recompute", "prefetch", "compile"):  # fmt: skip
            del value["run"][key]
        return value


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: No such file, or it is wrong; with the line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"{path} is larger than {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} can't be read: {error}") from error
    return parse_recipe(text, folder=path.parent, file=str(path))


def parse_recipe(text: str, *, folder: Path = Path(), file: str = "recipe.toml") -> Recipe:
    """Read the text of a recipe.

    Raises:
        RecipeError: It is wrong; with the line.
    """
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{file} is not valid TOML: {error}") from error
    place = _Places(file, text)
    if "task" not in table:
        raise RecipeError("the recipe names no task", place=Place(file=file))
    values = _checked(Recipe, table, place)
    values["optimizer"] = OptimizerSettings(
        **_checked(OptimizerSettings, table.get("optimizer", {}), place)
    )
    values["run"] = RunSettings(**_checked(RunSettings, table.get("run", {}), place))
    recipe = Recipe(**values, folder=folder, name=Path(file).stem)
    _check_ranges(recipe, place)
    return recipe


@dataclass(frozen=True)
class _Places:
    file: str
    text: str

    def of(self, name: str) -> Place:
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.strip().startswith((name, f"[{name}")):
                return Place(
                    file=self.file, line=number, column=line.find(name) + 1,
                    source_line=line, length=len(name),
                )  # fmt: skip
        return Place(file=self.file)


def _checked(kind: type, table: Any, place: _Places) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise RecipeError("a table is wanted here", place=Place(file=place.file))
    types = get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind) if f.name not in ("folder", "name")]
    if kind is not Recipe:
        known = [f.name for f in dataclasses.fields(kind)]
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise RecipeError(
                f"unknown setting '{name}'", place=place.of(name), hint=did_you_mean(name, known)
            )
        if kind is Recipe and name in ("optimizer", "run"):
            continue
        values[name] = _typed(name, value, types[name], place)
    return values


def _typed(name: str, value: Any, kind: Any, place: _Places) -> Any:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise RecipeError(
                f"{name} = {value!r} is not one of the known values", place=place.of(name),
                hint=did_you_mean(str(value), get_args(kind)),
            )  # fmt: skip
        return value
    base = get_origin(kind) or kind
    if base is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, base) or (base is int and isinstance(value, bool)):
        raise RecipeError(f"{name} must be {base.__name__}, got {value!r}", place=place.of(name))
    return value


def _check_ranges(recipe: Recipe, place: _Places) -> None:
    run, optimizer = recipe.run, recipe.optimizer
    positive = {"steps": run.steps, "batch_size": run.batch_size, "accumulate": run.accumulate,
                "evaluate_every": run.evaluate_every, "checkpoint_every": run.checkpoint_every,
                "keep": run.keep, "learning_rate": optimizer.learning_rate}  # fmt: skip
    for name, value in positive.items():
        if not value > 0:
            raise RecipeError(f"{name} must be positive, got {value}", place=place.of(name))
    if run.batch_size % run.accumulate:
        raise RecipeError(
            f"batch_size ({run.batch_size}) must divide by accumulate ({run.accumulate})",
            place=place.of("accumulate"),
        )
    if run.parallel == "fsdp" and optimizer.name == "adafactor":
        raise RecipeError(
            "torch's Adafactor can't work on weights that are spread by FSDP",
            place=place.of("parallel"),
            hint='With parallel = "fsdp" take adamw; Adafactor\'s own state is small: "ddp" does.',
        )
    if not 0 <= run.ema < 1:
        raise RecipeError(f"ema must lie from 0 to below 1, got {run.ema}", place=place.of("ema"))
