"""Where the watch stands in torch's loader: making one, opening it, asking it for a batch."""

from __future__ import annotations

import contextlib
import threading
from time import perf_counter
from typing import Any

from kuaibao.doctor import facts
from kuaibao.doctor.processes import run_delay_s

__all__ = ["hook_loaders"]


def hook_loaders(session: Any) -> None:
    """Patch `DataLoader` and its iterators for a `Session`; its hooks put them back."""
    from torch.utils.data import dataloader as module

    base: Any = module._BaseDataLoaderIter
    _hook_next(session, base)
    _hook_iter(session, module.DataLoader)
    _hook_init(session, module.DataLoader)


def _hook_next(session: Any, base: Any) -> None:
    original_next, original_index = base.__next__, base._next_index

    def next_(iterator: Any) -> Any:
        if session.rest.iterator is iterator:
            return session.rest.next_batch(original_next)
        if session.finished or session.is_fetching or not _is_loop_thread(session):
            session.stop_again()
            return original_next(iterator)
        at_rest, batch = session.rest.first_batch(iterator, original_next)
        return batch if at_rest else session.next_batch(iterator, original_next)

    def next_index(iterator: Any) -> Any:
        if session.rest.n_left:
            return original_index(iterator)
        with session.drawing():
            index = original_index(iterator)
        if isinstance(index, list) and not session.finished:
            session.log.drawn(iterator._index_sampler, index)
        return index

    session.loader_patches.add(base, "__next__", next_)
    session.loader_patches.add(base, "_next_index", next_index)


def _hook_iter(session: Any, loader_class: Any) -> None:
    original = loader_class.__iter__

    def iter_(loader: Any) -> Any:
        if session.finished or session.is_fetching:
            return original(loader)
        session.end_step(disturbed=True)
        n_made, start, delay = session.log.n_made(loader), perf_counter(), run_delay_s()
        iterator = original(loader)
        seconds = perf_counter() - start - (run_delay_s() - delay)
        session.log.opened(loader, iterator, max(0.0, seconds), n_made)
        return iterator

    session.loader_patches.add(loader_class, "__iter__", iter_)


def _hook_init(session: Any, loader_class: Any) -> None:
    original = loader_class.__init__

    def init(loader: Any, *args: Any, **kwargs: Any) -> None:
        if not hasattr(loader, "_kuaibao_place"):
            with contextlib.suppress(Exception):
                object.__setattr__(loader, "_kuaibao_place", facts.place_of_caller())
        original(loader, *args, **_overridden(kwargs, session.settings.overrides))

    session.loader_patches.add(loader_class, "__init__", init)


def _overridden(settings: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """A loader's keyword arguments with some replaced; without workers, what needs them goes."""
    if not overrides:
        return settings
    found = {**settings, **overrides}
    if not found.get("num_workers", 0):
        for name in ("prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout"):
            found.pop(name, None)
    return found


def _is_loop_thread(session: Any) -> bool:
    if not session.hooks.thread:
        session.hooks.thread = threading.get_ident()
    return threading.get_ident() == session.hooks.thread
