"""The training engine: a recipe and a task become a model's folder."""

from kuaibao.training.curve import write_report
from kuaibao.training.distributed import World, end_process
from kuaibao.training.errors import DivergenceError, RecipeError, TrainingStateError
from kuaibao.training.forecast import Devices, Forecast, forecast
from kuaibao.training.inference import generate_shared
from kuaibao.training.loop import Trainer, TrainingResult, train
from kuaibao.training.optimizers import learning_rate, make_optimizer
from kuaibao.training.order import sample_order
from kuaibao.training.profile import Profile
from kuaibao.training.recipe import (
    OptimizerSettings,
    Recipe,
    RunSettings,
    load_recipe,
    parse_recipe,
)
from kuaibao.training.task import TASKS, Batch, Task, find_task

__all__ = [
    "TASKS",
    "Batch",
    "Devices",
    "DivergenceError",
    "Forecast",
    "OptimizerSettings",
    "Profile",
    "Recipe",
    "RecipeError",
    "RunSettings",
    "Task",
    "Trainer",
    "TrainingResult",
    "TrainingStateError",
    "World",
    "end_process",
    "find_task",
    "forecast",
    "generate_shared",
    "learning_rate",
    "load_recipe",
    "make_optimizer",
    "parse_recipe",
    "sample_order",
    "train",
    "write_report",
]
