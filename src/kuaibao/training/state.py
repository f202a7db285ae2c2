"""Checkpoints of a run: weights and optimiser as safetensors, the rest as JSON, hashed, no pickle.

A checkpoint is a folder `step-000200` that appears whole by a rename. Data order and random states
follow from the recipe's seed and the step, so they need no room in it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kuaibao.files import hash_file, write_json
from kuaibao.training.distributed import fill_model, placed_like, whole
from kuaibao.training.errors import TrainingStateError

__all__ = ["RunState", "latest_checkpoint", "load_state", "remove_old", "save_state"]

TENSORS, META = "state.safetensors", "state.json"


@dataclass
class RunState:
    """Where a run is, besides its tensors."""

    step: int = 0
    """Steps that are done."""
    losses: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    evaluations: list[tuple[int, dict[str, float]]] = field(
        default_factory=list[tuple[int, dict[str, float]]]
    )
    best_loss: float = float("inf")
    best_step: int = -1
    n_unit: int = 0
    seconds: float = 0.0
    scaler: dict[str, Any] = field(default_factory=dict[str, Any])
    """Of the gradient, in fp16."""


def save_state(
    folder: Path, state: RunState, model: nn.Module, optimizer: torch.optim.Optimizer,
    extra: Mapping[str, Tensor], fingerprint: Mapping[str, Any], *, is_writer: bool = True,
) -> Path:  # fmt: skip
    """Write a checkpoint; gives its folder. Of several processes all call, one writes.

    Raises:
        TrainingStateError: It can't be written, the disk is full; nothing is left behind.
    """
    target = folder / f"step-{state.step:07d}"
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"optimizer.{k}": v for k, v in _flat(optimizer).items()}
    tensors |= {f"extra.{k}": v for k, v in extra.items()}
    own = {k: whole(v).detach().cpu().contiguous().clone() for k, v in tensors.items()}
    if is_writer:
        try:
            _write(target, own, state, fingerprint)
        except (OSError, SafetensorError) as error:
            raise TrainingStateError(
                f"the checkpoint of step {state.step} can't be written: {error}",
                hint="Make room, then go on with --resume.",
            ) from error
    return target


def _write(
    target: Path, tensors: dict[str, Tensor], state: RunState, fingerprint: Mapping[str, Any]
) -> None:
    part = target.parent / f".{target.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        save_file(tensors, part / TENSORS)
        _flush(part / TENSORS)
        meta = {
            "fingerprint": fingerprint, "hash": hash_file(part / TENSORS), "step": state.step,
            "losses": state.losses, "evaluations": state.evaluations, "n_unit": state.n_unit,
            "best_loss": state.best_loss if state.best_step >= 0 else None,
            "best_step": state.best_step, "seconds": state.seconds, "scaler": state.scaler,
        }  # fmt: skip
        write_json(part / META, meta)
        if target.exists():
            shutil.rmtree(target)
        os.replace(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that verifies; damaged ones are passed over."""
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            meta = json.loads((path / META).read_text(encoding="utf-8"))
            if hash_file(path / TENSORS) == meta["hash"]:
                return path
        except (OSError, ValueError, KeyError):
            continue
    return None


def load_state(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, fingerprint: Mapping[str, Any]
) -> tuple[RunState, dict[str, Tensor]]:
    """Fill model and optimiser; gives the run's state and the extra tensors.

    Raises:
        TrainingStateError: Damaged, or of another recipe.
    """
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
        if hash_file(path / TENSORS) != meta["hash"]:
            raise TrainingStateError(f"{path} is damaged: its hash differs")
        tensors = load_file(path / TENSORS)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise TrainingStateError(f"{path} is damaged: {error}") from error
    if meta["fingerprint"] != json.loads(json.dumps(fingerprint)):
        changed = [k for k, v in json.loads(json.dumps(fingerprint)).items()
                   if meta["fingerprint"].get(k) != v]  # fmt: skip
        raise TrainingStateError(
            f"{path} belongs to another recipe (changed: {', '.join(changed)})",
            hint="Take another `out`, or remove the run's folder.",
        )
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "extra": {}}
    for name, tensor in sorted(tensors.items()):  # every process must spread them in one order
        kind, _, rest = name.partition(".")
        parts[kind][rest] = tensor
    fill_model(model, parts["model"])
    _fill(optimizer, parts["optimizer"])
    best = meta["best_loss"]
    state = RunState(
        step=meta["step"], losses=[(s, v) for s, v in meta["losses"]],
        evaluations=[(s, v) for s, v in meta["evaluations"]],
        best_loss=float("inf") if best is None else best, best_step=meta["best_step"],
        n_unit=meta["n_unit"], seconds=meta["seconds"], scaler=meta.get("scaler", {}),
    )  # fmt: skip
    return state, parts["extra"]


def remove_old(folder: Path, keep: int, best_step: int) -> None:
    """Keep the newest `keep` and the best."""
    found = sorted(folder.glob("step-*"))
    for path in found[:-keep]:
        if path.name != f"step-{best_step:07d}":
            shutil.rmtree(path, ignore_errors=True)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _flat(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's tensors by the place of their parameter."""
    flat: dict[str, Tensor] = {}
    for i, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state.get(parameter, {}).items():
            if value is not None:
                flat[f"{i}.{name}"] = torch.as_tensor(value)
    return flat


def _fill(optimizer: torch.optim.Optimizer, flat: Mapping[str, Tensor]) -> None:
    parameters = _parameters(optimizer)
    for key, tensor in flat.items():
        index, _, name = key.partition(".")
        parameter = parameters[int(index)]
        value = tensor if name == "step" else placed_like(tensor, parameter)
        optimizer.state[parameter][name] = value.clone()
    for parameter in parameters:
        own = optimizer.state.get(parameter)
        # Adafactor keeps None where a parameter has no rows or no columns.
        if own and "row_var" in own:
            own.setdefault("variance", None)
        elif own and "variance" in own:
            own.setdefault("row_var", None)
            own.setdefault("col_var", None)
