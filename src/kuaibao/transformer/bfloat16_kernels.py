"""What stands between the products of a bfloat16 training step, as machine code (numba, CPU).

torch goes through memory once an operation, in float32 where it must be exact, and takes a seventh
of a step for it. Here a row is widened, worked on and rounded again while it is in the cache.
"""

# numba source: its types are those of the arguments it is called with.
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportCallIssue=false

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import prange
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.transformer.instructions import larger, narrow, widen
from kuaibao.transformer.sharing import n_sharing, shared
from kuaibao.transformer.step_kernels import exponential, gated

__all__ = ["gate", "is_covered", "softmax_slopes"]

_ONE, _LOWEST = np.float32(1.0), np.float32(-3e38)


def is_covered(x: Tensor) -> bool:
    """Whether these kernels work on a tensor: bfloat16, on the CPU, and not being compiled."""
    is_here = x.device.type == "cpu" and x.dtype == torch.bfloat16
    return is_here and not torch.compiler.is_compiling()


def _bits(x: Tensor) -> NDArray[np.uint16]:
    return x.detach().view(torch.int16).numpy().view(np.uint16)


def softmax_slopes(scores: Tensor, targets: Tensor) -> Tensor:
    """Turn scores (token, vocabulary) in place into softmax less one at the target.

    Returns:
        The logarithm of each row's sum of exponentials (token), float32.
    """
    sums = torch.empty(len(scores))
    _softmax_slopes(_bits(scores), targets.numpy(), sums.numpy(), n_sharing())
    return sums


def gate(x: Tensor, a: float, b: float) -> Tensor:
    """X · sigmoid(a x + b x³): GELU's usual approximation and its kin, with its gradient."""
    y: Any = _Gate.apply(x, a, b)
    return y


class _Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, a: float, b: float) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x)
        ctx.rule = np.float32(a), np.float32(b)
        y = torch.empty_like(x)
        _gate(_bits(x).reshape(-1), _bits(y).reshape(-1), *ctx.rule, n_sharing())
        return y

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        slope = slopes[0].contiguous()
        out = torch.empty_like(x)
        _gate_slope(
            _bits(x).reshape(-1), _bits(slope).reshape(-1), _bits(out).reshape(-1), *ctx.rule,
            n_sharing(),
        )  # fmt: skip
        return out, None, None


@shared(cache=True, nogil=True, fastmath=True)
def _gate(x, y, a, b, n_part):
    n = len(x)
    for part in prange(n_part):
        # Parts as arrays of their own: an index that may be negative can't become a vector.
        own = slice(part * n // n_part, (part + 1) * n // n_part)
        x_own, y_own = x[own], y[own]
        for j in range(len(x_own)):
            y_own[j] = narrow(gated(widen(x_own[j]), a, b))


@shared(cache=True, nogil=True, fastmath=True)
def _gate_slope(x, slope, out, a, b, n_part):
    n = len(x)
    three = np.float32(3.0)
    for part in prange(n_part):
        own = slice(part * n // n_part, (part + 1) * n // n_part)
        x_own, slope_own, out_own = x[own], slope[own], out[own]
        for j in range(len(x_own)):
            v = widen(x_own[j])
            s = _ONE / (_ONE + exponential(-v * (a + b * v * v)))
            by_v = s + v * s * (_ONE - s) * (a + three * b * v * v)
            out_own[j] = narrow(widen(slope_own[j]) * by_v)


@shared(cache=True, nogil=True, fastmath=True)
def _softmax_slopes(scores, targets, sums, n_part):
    n = len(scores)
    for part in prange(n_part):
        whole = np.empty(scores.shape[1], np.float32)
        for i in range(part * n // n_part, (part + 1) * n // n_part):
            row = scores[i]
            largest = _LOWEST
            for j in range(len(row)):
                largest = larger(largest, widen(row[j]))
            total = np.float32(0.0)
            for j in range(len(row)):
                e = exponential(widen(row[j]) - largest)
                whole[j] = e
                total += e
            rate = _ONE / total
            for j in range(len(row)):
                row[j] = narrow(whole[j] * rate)
            # Not from the rounded number: near 1 that would lose the difference.
            row[targets[i]] = narrow(whole[targets[i]] * rate - _ONE)
            sums[i] = largest + np.log(total)
