"""Where the loop's thread goes through torch: modules, backward, optimisers, copies, prints.

Only outermost calls are timed: a module inside a module costs one test of an integer.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import logging
import threading
import weakref
from typing import Any

from kuaibao.doctor.batches import leaves
from kuaibao.doctor.patches import Patches
from kuaibao.doctor.timeline import Timeline

__all__ = ["LoopHooks"]


class LoopHooks:
    """Patches of torch that charge a `Timeline`; `on` switches them all."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.on = False
        self.thread = 0
        self.n_backward = 0
        self.n_optimizer_step = 0
        self.n_forward = 0
        self.optimizers: weakref.WeakSet[Any] = weakref.WeakSet()
        self.models: weakref.WeakSet[Any] = weakref.WeakSet()
        self.uses_data_parallel = False
        self.gathered_bytes = 0
        self.uses_compile = False
        self.device_copies: dict[int, Any] | None = None
        """While a device batch is repeated: host tensor's id to its copy on the device."""
        self._without_parameters: dict[int, bool] = {}
        self._inside = 0
        self._patches = Patches()
        self._handles: list[Any] = []
        self.loss_spans: list[tuple[float, float]] = []
        """(start, end) of the step's loss modules, which count as forward until they return."""

    def parameter_storages(self) -> frozenset[int]:
        """Addresses of the storages of all parameters of models that ran."""
        found: set[int] = set()
        for model in self.models:
            for parameter in model.parameters():
                if parameter.layout is _strided() and parameter.device.type != "meta":
                    found.add(parameter.untyped_storage().data_ptr())
        return frozenset(found)

    def is_here(self) -> bool:
        """Whether the call comes from the loop's own thread while a step is measured."""
        return self.on and threading.get_ident() == self.thread

    def install(self) -> None:
        """Patch torch."""
        import torch

        self._hook_modules(torch)
        self._hook_backward(torch)
        self._hook_optimizers(torch)
        self._hook_copies(torch)
        self._hook_print()
        self._hook_compile(torch)

    def uninstall(self) -> None:
        """Put everything back."""
        self._patches.undo()
        self._remove_optimizer_hooks()

    def rest(self) -> None:
        """Take the hooks out for a while: even one that is off costs its call."""
        self._patches.off()
        self._remove_optimizer_hooks()

    def wake(self) -> None:
        """Put them in again."""
        self._patches.on()
        self._add_optimizer_hooks()

    def _hook_modules(self, torch: Any) -> None:
        original = torch.nn.Module.__call__
        hooks = self

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if hooks._inside or not hooks.on or threading.get_ident() != hooks.thread:
                if hooks._inside == 1 and hooks.on and _is_loss_class(type(self)):
                    return hooks._inner_loss(original, self, *args, **kwargs)
                return original(self, *args, **kwargs)
            hooks._inside = 1
            was_between = hooks.timeline.top == "between"
            hooks.timeline.enter("forward")
            start = hooks.timeline.at
            output: Any = None
            try:
                output = original(self, *args, **kwargs)
                return output
            finally:
                hooks._inside = 0
                hooks._forward_done(self, output, was_between, start)

        self._patches.add(torch.nn.Module, "__call__", call)

    def _inner_loss(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        """A loss module that runs inside of a model's forward."""
        if threading.get_ident() != self.thread or self.timeline.top != "forward":
            return original(*args, **kwargs)
        self._inside = 2
        self.timeline.enter("loss")
        start = self.timeline.at
        try:
            return original(*args, **kwargs)
        finally:
            self._inside = 1
            self.timeline.leave()
            self.loss_spans.append((start, self.timeline.at))

    def _forward_done(self, module: Any, output: Any, was_between: bool, start: float) -> None:
        is_loss = self._is_loss(module, output)
        self.timeline.leave("loss" if is_loss else "")
        if is_loss:
            self.loss_spans.append((start, self.timeline.at))
            return
        self.n_forward += 1
        self.models.add(module)
        if type(module).__name__ == "DataParallel":
            self.uses_data_parallel = True
            self.gathered_bytes = sum(
                t.numel() * t.element_size() for t in leaves(output) if hasattr(t, "element_size")
            )
        if not was_between and self.timeline.top == "python":
            self.timeline.base("between")

    def _is_loss(self, module: Any, output: Any) -> bool:
        if getattr(output, "ndim", None) != 0 and not hasattr(module, "reduction"):
            return False
        key = id(module)
        if key not in self._without_parameters:
            self._without_parameters[key] = next(module.parameters(), None) is None
        return self._without_parameters[key] or _is_loss_class(type(module))

    def _hook_backward(self, torch: Any) -> None:
        for owner, name in (
            (torch.Tensor, "backward"),
            (torch.autograd, "backward"),
            (torch.autograd, "grad"),
        ):
            self._patches.add(owner, name, self._around(getattr(owner, name), "backward"))

    def _around(self, original: Any, region: str) -> Any:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._inside or not self.is_here():
                return original(*args, **kwargs)
            self._inside = 1
            if region == "backward":
                self.n_backward += 1
                if self.timeline.top == "between":
                    self.timeline.base("python")
            self.timeline.enter(region)
            try:
                return original(*args, **kwargs)
            finally:
                self._inside = 0
                self.timeline.leave()

        return call

    def _hook_optimizers(self, torch: Any) -> None:
        self._add_optimizer_hooks()
        base = torch.optim.Optimizer
        self._patches.add(base, "zero_grad", self._around(base.zero_grad, "optimizer"))
        clip = torch.nn.utils
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            timed = self._around(getattr(clip, name), "optimizer")
            self._patches.add(clip, name, timed)
            self._patches.add(clip.clip_grad, name, timed)

    def _add_optimizer_hooks(self) -> None:
        module = importlib.import_module("torch.optim.optimizer")

        def before(optimizer: Any, args: Any, kwargs: Any) -> Any:
            if self.is_here():
                self.optimizers.add(optimizer)
                self.n_optimizer_step += 1
                self.timeline.enter("optimizer")
                return self._with_timed_closure(args, kwargs)
            return None

        def after(optimizer: Any, args: Any, kwargs: Any) -> None:
            if self.is_here() and self.timeline.top == "optimizer":
                self.timeline.leave()

        self._handles.append(module.register_optimizer_step_pre_hook(before))
        self._handles.append(module.register_optimizer_step_post_hook(after))

    def _remove_optimizer_hooks(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _with_timed_closure(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """A closure is the loop's own code, although the optimiser calls it (Lightning, LBFGS)."""
        if callable(kwargs.get("closure")):
            return args, {**kwargs, "closure": self._own_code(kwargs["closure"])}
        if len(args) > 1 and callable(args[1]):
            return (args[0], self._own_code(args[1]), *args[2:]), kwargs
        return None

    def _own_code(self, closure: Any) -> Any:
        @functools.wraps(closure)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not self.is_here():
                return closure(*args, **kwargs)
            self.timeline.enter_own_code()
            try:
                return closure(*args, **kwargs)
            finally:
                self.timeline.leave_own_code()

        return call

    def _hook_copies(self, torch: Any) -> None:
        for name in ("to", "cuda"):
            self._patches.add(torch.Tensor, name, self._copying(getattr(torch.Tensor, name)))

    def _copying(self, original: Any) -> Any:
        @functools.wraps(original)
        def call(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            if self._inside or not self.is_here():
                return original(tensor, *args, **kwargs)
            known = self.device_copies
            if known is not None and id(tensor) in known:
                return known[id(tensor)]
            self._inside = 1
            self.timeline.enter("host_to_device")
            try:
                copy = original(tensor, *args, **kwargs)
            finally:
                self._inside = 0
                self.timeline.leave()
            if known is not None and copy.device != tensor.device:
                known[id(tensor)] = copy
            return copy

        return call

    def _hook_print(self) -> None:
        self._patches.add(builtins, "print", self._around(builtins.print, "synchronization"))
        handler = logging.StreamHandler
        self._patches.add(handler, "emit", self._around(handler.emit, "synchronization"))

    def _hook_compile(self, torch: Any) -> None:
        original = torch.compile

        @functools.wraps(original)
        def compile_(*args: Any, **kwargs: Any) -> Any:
            self.uses_compile = True
            return original(*args, **kwargs)

        self._patches.add(torch, "compile", compile_)


def _strided() -> Any:
    import torch

    return torch.strided


@functools.cache
def _is_loss_class(kind: type) -> bool:
    return kind.__module__ == "torch.nn.modules.loss" or kind.__name__.lower().endswith(
        ("loss", "criterion")
    )
