"""What can be read off the objects themselves: the loader's settings, torch's, the optimiser's."""

from __future__ import annotations

import copy
import os
import sys
from time import perf_counter
from typing import Any

import numpy as np

from kuaibao.doctor.batches import batch_bytes, describe_tensors, leaves
from kuaibao.doctor.measured import LoaderFacts
from kuaibao.doctor.processes import open_files_limit

__all__ = [
    "loader_facts",
    "place_of_caller",
    "plain_bytes_a_second",
    "plain_sample_s",
    "probe_optimizers",
    "torch_settings",
]

_MAX_OPTIMIZERS = 4
_MAX_CLONED = 200_000_000
"""Elements of parameters that an optimiser probe may copy."""


def place_of_caller() -> str:
    """file:line of the innermost frame outside torch, the doctor and other packages."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        foreign = "site-packages" in name or f"kuaibao{os.sep}doctor" in name
        if not foreign and not name.startswith("<") and f"lib{os.sep}python" not in name:
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def loader_facts(loader: Any, batch: Any) -> LoaderFacts:
    """Settings of a DataLoader and the types in one of its batches."""
    from torch.utils.data import IterableDataset, RandomSampler

    dataset = loader.dataset
    in_tensors, others = batch_bytes(batch) if batch is not None else (0, 0)
    context = getattr(loader, "multiprocessing_context", None)
    return LoaderFacts(
        n_workers=int(getattr(loader, "num_workers", 0)),
        prefetch_factor=int(getattr(loader, "prefetch_factor", None) or 2),
        persistent_workers=bool(getattr(loader, "persistent_workers", False)),
        pin_memory=bool(getattr(loader, "pin_memory", False)),
        batch_size=int(getattr(loader, "batch_size", None) or 0),
        n_batches=_length(loader),
        n_dataset=_length(dataset),
        shuffled=isinstance(getattr(loader, "sampler", None), RandomSampler),
        iterable=isinstance(dataset, IterableDataset),
        has_getitems=bool(getattr(dataset, "__getitems__", None)),
        start_method=context.get_start_method() if context is not None else _default_method(),
        dataset=type(dataset).__name__,
        collate=getattr(loader.collate_fn, "__name__", type(loader.collate_fn).__name__),
        place=getattr(loader, "_kuaibao_place", ""),
        tensors=describe_tensors(batch) if batch is not None else [],
        batch_bytes=in_tensors + others,
        non_tensor_bytes=others,
        array_bytes=sum(x.nbytes for x in leaves(batch) if isinstance(x, np.ndarray)),
        python_objects=_python_objects(dataset),
        duplicate_seeds=_own_generator(dataset),
        needs_workers=_is_own_function(getattr(loader, "worker_init_fn", None)),
    )


def _length(value: Any) -> int:
    try:
        return len(value)
    except (TypeError, NotImplementedError):
        return -1


def _default_method() -> str:
    import multiprocessing

    return multiprocessing.get_start_method(allow_none=True) or "fork"


def _python_objects(dataset: Any, depth: int = 0) -> int:
    """Objects held in lists and dicts of the data set: each read writes a reference count."""
    total = 0
    for value in list(vars(dataset).values()) if hasattr(dataset, "__dict__") else []:
        if isinstance(value, list | tuple | dict) and len(value) > 1000:
            first = next(iter(value.values() if isinstance(value, dict) else value))
            width = 1 + (len(first) if isinstance(first, list | tuple | dict) else 0)
            total += len(value) * width
        elif depth < 2 and hasattr(value, "__getitem__") and hasattr(value, "__dict__"):
            total += _python_objects(value, depth + 1)
    return total


def _own_generator(dataset: Any) -> bool:
    """Whether the data set carries a generator that every worker would copy with its state."""
    import random

    import torch

    kinds = (np.random.Generator, np.random.RandomState, random.Random, torch.Generator)
    return any(isinstance(value, kinds) for value in getattr(dataset, "__dict__", {}).values())


def torch_settings(session: Any) -> dict[str, Any]:
    """Settings that cost time when they stand wrong."""
    import torch

    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "anomaly_detection": torch.is_anomaly_enabled(),
        "data_parallel": session.hooks.uses_data_parallel,
        "gathered_bytes": session.hooks.gathered_bytes,
        "compiled": session.hooks.uses_compile,
        "cuda": torch.cuda.is_available(),
        "n_backward": session.hooks.n_backward,
        "n_forward": session.hooks.n_forward,
        "n_optimizer_step": session.hooks.n_optimizer_step,
        "n_parameters": sum(
            parameter.numel() for model in session.hooks.models for parameter in model.parameters()
        ),
        "n_parameter_tensors": sum(1 for model in session.hooks.models for _ in model.parameters()),
        "dtypes": sorted(
            {
                str(parameter.dtype).removeprefix("torch.")
                for model in session.hooks.models
                for parameter in model.parameters()
            }
        ),
        "n_optimizers": len(session.hooks.optimizers),
        "open_files_limit": open_files_limit(),
        "distributed": torch.distributed.is_available() and torch.distributed.is_initialized(),
    }


def plain_sample_s() -> float:
    """Seconds to fetch and collate one row of two small tensors: the unit of this machine."""
    import torch
    from torch.utils.data import TensorDataset, default_collate

    n = 32
    data = TensorDataset(torch.zeros(n, 32), torch.zeros(n, dtype=torch.int64))
    seconds: list[float] = []
    for _ in range(5):
        start = perf_counter()
        default_collate([data[i] for i in range(n)])
        seconds.append(perf_counter() - start)
    return min(seconds) / n


def plain_bytes_a_second() -> float:
    """Bytes a second at which this machine stacks samples that lie in memory."""
    import torch

    rows = [torch.zeros(64, 1024) for _ in range(16)]  # 4 MB in all
    seconds: list[float] = []
    for _ in range(5):
        start = perf_counter()
        torch.stack(rows)
        seconds.append(perf_counter() - start)
    return 16 * rows[0].nbytes / min(seconds)


def probe_optimizers(session: Any) -> None:
    """Time each optimiser's step on copies, as it is and fused; the loop's state stays.

    Where the update is the user's own, a fused Adam over copies of the same tensors.
    """
    if all(_is_own(type(optimizer)) for optimizer in session.hooks.optimizers):
        seconds = _fused_adam_s(session.hooks.models)
        session.observation.settings.setdefault("fused_adam_s", []).extend(seconds)
        return
    for optimizer in list(session.hooks.optimizers)[:_MAX_OPTIMIZERS]:
        found = _probe_optimizer(optimizer)
        if found:
            key = type(optimizer).__name__
            old = session.observation.optimizer.get(key)
            runs = [*(old["runs"] if old else []), *found["runs"]]
            session.observation.optimizer[key] = {**found, "runs": runs}


def _is_own_function(function: Any) -> bool:
    from kuaibao.doctor.functions import is_own_file

    code = getattr(function, "__code__", None)
    return code is not None and is_own_file(code.co_filename)


def _is_own(kind: type) -> bool:
    """Whether the class is written in one of the user's own files."""
    from kuaibao.doctor.functions import is_own_file

    return is_own_file(str(getattr(sys.modules.get(kind.__module__), "__file__", "<unknown>")))


def _fused_adam_s(models: Any) -> list[float]:
    import torch

    tensors = {id(p): p for model in models for p in model.parameters() if p.grad is not None}
    n = sum(p.numel() for p in tensors.values())
    if not 0 < n <= _MAX_CLONED or any(not p.is_floating_point() for p in tensors.values()):
        return []
    copies = [torch.nn.Parameter(p.detach().clone()) for p in tensors.values()]
    for copied in copies:
        copied.grad = torch.zeros_like(copied)
    seconds: list[float] = []
    try:
        adam = torch.optim.Adam(copies, lr=0.0, fused=True)
        for _ in range(4):
            start = perf_counter()
            adam.step()
            seconds.append(perf_counter() - start)
    except (TypeError, ValueError, RuntimeError):
        return []
    return seconds[1:]


def _probe_optimizer(optimizer: Any) -> dict[str, Any] | None:
    import inspect

    import torch

    if "fused" not in inspect.signature(type(optimizer).__init__).parameters:
        return None
    parameters = [p for g in optimizer.param_groups for p in g["params"] if p.requires_grad]
    if not parameters or sum(p.numel() for p in parameters) > _MAX_CLONED:
        return None
    try:
        copies = [torch.nn.Parameter(p.detach().clone()) for p in parameters]
        for mine, theirs in zip(copies, parameters, strict=True):
            mine.grad = torch.zeros_like(mine) if theirs.grad is None else theirs.grad.clone()
        lr = 0.0
        defaults = {
            key: copy.copy(value)
            for key, value in optimizer.defaults.items()
            if key in inspect.signature(type(optimizer).__init__).parameters
            and key not in ("fused", "foreach", "lr")
        }
        group = optimizer.param_groups[0]
        as_is = type(optimizer)(
            copies, lr=lr, **defaults, foreach=group.get("foreach"), fused=group.get("fused")
        )
        fused = type(optimizer)(copies, lr=lr, **defaults, fused=True)
        runs: list[tuple[float, float]] = []
        for turn in range(4):
            seconds: list[float] = []
            for one in (as_is, fused):
                start = perf_counter()
                one.step()
                seconds.append(perf_counter() - start)
            if turn:
                runs.append((seconds[0], seconds[1]))
    except (TypeError, ValueError, RuntimeError):
        return None
    return {
        "n_tensors": len(copies),
        "n_elements": sum(p.numel() for p in copies),
        "is_fused": bool(group.get("fused")),
        "is_foreach": bool(group.get("foreach")),
        "runs": runs,
    }
