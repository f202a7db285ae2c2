"""Several models, loaded when first asked for, within a memory budget."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kuaibao.errors import did_you_mean
from kuaibao.service.engine.model import LanguageModel
from kuaibao.service.engine.scheduler import Scheduler
from kuaibao.service.errors import NotFoundError, OverloadedError
from kuaibao.service.remote import RemoteServer

__all__ = ["ModelPool", "ModelSpec"]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model that can be loaded."""

    name: str
    load: Callable[[], LanguageModel]
    size_bytes: int
    """What it takes in memory, caches included; an estimate made without loading it."""
    load_exact: Callable[[], LanguageModel] | None = None
    """The model as it is where `load` gives a rounded one: for log-probabilities and embeddings."""
    exact_size_bytes: int = 0
    folder: str = ""
    """Where its files lie: fine-tuning begins with them."""
    created: int = 0
    owner: str = "kuaibao"
    remote: RemoteServer | None = None
    """The server that really has it; such a model is never loaded here."""

    def variant(self, *, is_exact: bool) -> str:
        """The name by which a scheduler is kept and measured."""
        return f"{self.name} (exact)" if is_exact and self.load_exact is not None else self.name


@dataclass
class _Loaded:
    scheduler: Scheduler
    size_bytes: int
    used_at: float = field(default_factory=time.monotonic)


class ModelPool:
    """Gives the scheduler of a model; safe to call from any thread.

    Args:
        specs: The models by name.
        budget_bytes: What loaded models may take together; the least recently used idle ones are
            unloaded to make room.
        max_waiting: Sequences that may wait for each model.
    """

    def __init__(
        self, specs: Mapping[str, ModelSpec], *, budget_bytes: int, max_waiting: int = 256
    ) -> None:
        self._specs = dict(specs)
        self._budget_bytes = budget_bytes
        self._max_waiting = max_waiting
        self._loaded: dict[str, _Loaded] = {}
        self._lock = threading.Lock()

    @property
    def specs(self) -> list[ModelSpec]:
        """Every model, by name."""
        return [self._specs[name] for name in sorted(self._specs)]

    @property
    def schedulers(self) -> dict[str, Scheduler]:
        """The loaded ones by variant."""
        return {name: loaded.scheduler for name, loaded in self._loaded.items()}

    def add(self, spec: ModelSpec) -> None:
        """Make another model known (a fine-tuned one)."""
        with self._lock:
            self._specs[spec.name] = spec

    def spec(self, name: str) -> ModelSpec:
        """What is known of a model.

        Raises:
            NotFoundError: There is no such model.
        """
        spec = self._specs.get(name)
        if spec is None:
            raise NotFoundError(
                f"The model '{name}' does not exist. {did_you_mean(name, self._specs)}",
                param="model",
                code="model_not_found",
            )
        return spec

    def get(self, name: str, *, is_exact: bool = False) -> Scheduler:
        """The running scheduler of a model; loads it if need be, which may take seconds.

        Args:
            name: Of the model.
            is_exact: Whether numbers are wanted, not only text: then never the rounded weights.

        Raises:
            NotFoundError: There is no such model.
            OverloadedError: It does not fit beside the models that are at work.
        """
        spec = self.spec(name)
        variant = spec.variant(is_exact=is_exact)
        load, size_bytes = spec.load, spec.size_bytes
        if variant != name and spec.load_exact is not None:
            load, size_bytes = spec.load_exact, spec.exact_size_bytes
        with self._lock:
            loaded = self._loaded.get(variant)
            if loaded is None:
                self._make_room(variant, size_bytes)
                scheduler = Scheduler(load(), max_waiting=self._max_waiting)
                scheduler.start()
                loaded = self._loaded[variant] = _Loaded(scheduler, size_bytes)
            loaded.used_at = time.monotonic()
            return loaded.scheduler

    def loaded(self, name: str, *, is_exact: bool = False) -> Scheduler | None:
        """The running scheduler of a model that is loaded already.

        Raises:
            NotFoundError: There is no such model.
        """
        loaded = self._loaded.get(self.spec(name).variant(is_exact=is_exact))
        if loaded is None:
            return None
        loaded.used_at = time.monotonic()
        return loaded.scheduler

    def close(self) -> None:
        """Let every model finish what it does, and stop."""
        with self._lock:
            for loaded in self._loaded.values():
                loaded.scheduler.close()
            self._loaded.clear()

    def _make_room(self, variant: str, size_bytes: int) -> None:
        while self._held_bytes() + size_bytes > self._budget_bytes and self._loaded:
            idle = [
                name
                for name, loaded in self._loaded.items()
                if not (loaded.scheduler.n_running or loaded.scheduler.n_waiting)
            ]
            if not idle:
                raise OverloadedError(f"no memory for the model '{variant}' while others work")
            oldest = min(idle, key=lambda name: self._loaded[name].used_at)
            self._loaded.pop(oldest).scheduler.close()
            gc.collect()  # a model may hold itself in a circle: its memory is wanted now

    def _held_bytes(self) -> int:
        return sum(loaded.size_bytes for loaded in self._loaded.values())
