"""Several models, loaded when first asked for, within a memory budget."""

from __future__ import annotations

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
    created: int = 0
    owner: str = "kuaibao"
    remote: RemoteServer | None = None
    """The server that really has it; such a model is never loaded here."""


@dataclass
class _Loaded:
    scheduler: Scheduler
    spec: ModelSpec
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
        """The loaded ones."""
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

    def get(self, name: str) -> Scheduler:
        """The running scheduler of a model; loads it if need be, which may take seconds.

        Raises:
            NotFoundError: There is no such model.
            OverloadedError: It does not fit beside the models that are at work.
        """
        spec = self.spec(name)
        with self._lock:
            loaded = self._loaded.get(name)
            if loaded is None:
                self._make_room(spec)
                scheduler = Scheduler(spec.load(), max_waiting=self._max_waiting)
                scheduler.start()
                loaded = self._loaded[name] = _Loaded(scheduler, spec)
            loaded.used_at = time.monotonic()
            return loaded.scheduler

    def close(self) -> None:
        """Let every model finish what it does, and stop."""
        with self._lock:
            for loaded in self._loaded.values():
                loaded.scheduler.close()
            self._loaded.clear()

    def _make_room(self, spec: ModelSpec) -> None:
        while self._held_bytes() + spec.size_bytes > self._budget_bytes and self._loaded:
            idle = [
                name
                for name, loaded in self._loaded.items()
                if not (loaded.scheduler.n_running or loaded.scheduler.n_waiting)
            ]
            if not idle:
                raise OverloadedError(f"no memory for the model '{spec.name}' while others work")
            oldest = min(idle, key=lambda name: self._loaded[name].used_at)
            self._loaded.pop(oldest).scheduler.close()

    def _held_bytes(self) -> int:
        return sum(loaded.spec.size_bytes for loaded in self._loaded.values())
