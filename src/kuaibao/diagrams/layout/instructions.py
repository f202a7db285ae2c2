"""The instructions of the tape, forward and in reverse, each for all lanes at once.

A row holds one number a lane, side by side, so that an instruction is one loop over the lanes that
the compiler turns into vector code.
"""

# numba source: arguments are machine integers and pointers, which Python's types can't name.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false, reportOptionalMemberAccess=false

from __future__ import annotations

import math

import numpy as np
from numba import njit

from kuaibao.diagrams import opcodes

__all__ = ["NATIVE", "forward", "reverse"]

NATIVE = {
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "reassoc"},
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""How numba compiles the kernel: plain machine code, nothing of Python in it."""
_LN2, _LN10 = math.log(2.0), math.log(10.0)


@njit(**NATIVE)
def forward(first, count, row, ops, left, right, third, v, n, width):
    """Run `count` instructions from `first`; instruction i writes row `row` + i."""
    for i in range(first, first + count):
        op = ops[i]
        r = (row + i - first) * width
        a = left[i] * width
        b = right[i] * width
        if op == opcodes.ADD:
            for k in range(n):
                v[r + k] = v[a + k] + v[b + k]
        elif op == opcodes.SUB:
            for k in range(n):
                v[r + k] = v[a + k] - v[b + k]
        elif op == opcodes.MUL:
            for k in range(n):
                v[r + k] = v[a + k] * v[b + k]
        elif op == opcodes.DIV:
            for k in range(n):
                v[r + k] = v[a + k] / v[b + k]
        elif op == opcodes.MAX:
            for k in range(n):
                v[r + k] = v[a + k] if v[a + k] > v[b + k] else v[b + k]
        elif op == opcodes.MIN:
            for k in range(n):
                v[r + k] = v[a + k] if v[a + k] < v[b + k] else v[b + k]
        elif op == opcodes.SQR:
            for k in range(n):
                v[r + k] = v[a + k] * v[a + k]
        elif op == opcodes.NEG:
            for k in range(n):
                v[r + k] = -v[a + k]
        elif op == opcodes.SQRT:
            for k in range(n):
                v[r + k] = math.sqrt(v[a + k])
        elif op == opcodes.ABS:
            for k in range(n):
                v[r + k] = abs(v[a + k])
        elif op == opcodes.SELECT:
            c = third[i] * width
            for k in range(n):
                v[r + k] = v[b + k] if v[a + k] != 0.0 else v[c + k]
        elif op == opcodes.LT:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] < v[b + k] else 0.0
        elif op == opcodes.LE:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] <= v[b + k] else 0.0
        elif op == opcodes.EQ:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] == v[b + k] else 0.0
        elif op == opcodes.AND:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] != 0.0 and v[b + k] != 0.0 else 0.0
        elif op == opcodes.OR:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] != 0.0 or v[b + k] != 0.0 else 0.0
        elif op == opcodes.XOR:
            for k in range(n):
                v[r + k] = 1.0 if (v[a + k] != 0.0) != (v[b + k] != 0.0) else 0.0
        elif op == opcodes.NOT:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] == 0.0 else 0.0
        else:
            for k in range(n):
                v[r + k] = _rare(op, v[a + k], v[b + k])


@njit(**NATIVE)
def _rare(op, x, y):
    """One value of an operation whose own cost hides that of choosing it."""
    result = math.nan
    if op == opcodes.SIN:
        result = math.sin(x)
    elif op == opcodes.COS:
        result = math.cos(x)
    elif op == opcodes.ATAN2:
        result = math.atan2(x, y)
    elif op == opcodes.POW:
        result = x**y
    elif op == opcodes.EXP:
        result = math.exp(x)
    elif op == opcodes.LOG:
        result = math.log(x)
    elif op == opcodes.ACOS:
        result = math.acos(x)
    elif op == opcodes.ASIN:
        result = math.asin(x)
    elif op == opcodes.ATAN:
        result = math.atan(x)
    elif op == opcodes.TAN:
        result = math.tan(x)
    elif op == opcodes.SIGN:
        result = 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)
    elif op == opcodes.FLOOR:
        result = np.floor(x)
    elif op == opcodes.CEIL:
        result = np.ceil(x)
    elif op == opcodes.ROUND:
        result = np.floor(x + 0.5)
    elif op == opcodes.TRUNC:
        result = np.trunc(x)
    elif op == opcodes.SINH:
        result = math.sinh(x)
    elif op == opcodes.COSH:
        result = math.cosh(x)
    elif op == opcodes.TANH:
        result = math.tanh(x)
    elif op == opcodes.ASINH:
        result = math.asinh(x)
    elif op == opcodes.ACOSH:
        result = math.acosh(x)
    elif op == opcodes.ATANH:
        result = math.atanh(x)
    elif op == opcodes.EXPM1:
        result = math.expm1(x)
    elif op == opcodes.LOG2:
        result = math.log(x) / _LN2
    elif op == opcodes.LOG10:
        result = math.log10(x)
    elif op == opcodes.LOG1P:
        result = math.log1p(x)
    elif op == opcodes.CBRT:
        result = math.copysign(abs(x) ** (1.0 / 3.0), x)
    return result


@njit(**NATIVE)
def _slope(op, x, y, z):
    """The derivative of a unary operation at x by its result z (y is the exponent of a power)."""
    result = 0.0  # sign, floor, ceil, round, trunc
    if op == opcodes.SIN:
        result = math.cos(x)
    elif op == opcodes.COS:
        result = -math.sin(x)
    elif op == opcodes.TAN:
        result = 1.0 + z * z
    elif op == opcodes.POW:
        result = y * x ** (y - 1.0)
    elif op == opcodes.EXP:
        result = z
    elif op == opcodes.LOG:
        result = 1.0 / x
    elif op == opcodes.ACOS:
        result = -1.0 / math.sqrt(1.0 - x * x)
    elif op == opcodes.ASIN:
        result = 1.0 / math.sqrt(1.0 - x * x)
    elif op == opcodes.ATAN:
        result = 1.0 / (1.0 + x * x)
    elif op == opcodes.SINH:
        result = math.cosh(x)
    elif op == opcodes.COSH:
        result = math.sinh(x)
    elif op == opcodes.TANH:
        result = 1.0 - z * z
    elif op == opcodes.ASINH:
        result = 1.0 / math.sqrt(x * x + 1.0)
    elif op == opcodes.ACOSH:
        result = 1.0 / math.sqrt(x * x - 1.0)
    elif op == opcodes.ATANH:
        result = 1.0 / (1.0 - x * x)
    elif op == opcodes.EXPM1:
        result = z + 1.0
    elif op == opcodes.LOG2:
        result = 1.0 / (x * _LN2)
    elif op == opcodes.LOG10:
        result = 1.0 / (x * _LN10)
    elif op == opcodes.LOG1P:
        result = 1.0 / (1.0 + x)
    elif op == opcodes.CBRT:
        result = 1.0 / (3.0 * max(z * z, 1e-10))
    return result


@njit(**NATIVE)
def reverse(count, row, first_moving, ops, left, right, third, base, v, d, n, width):
    """Carry derivatives `d` from the body's rows back to the moving inputs.

    A lane whose derivative is 0 stays out, so that a branch not taken can't spread its NaN.
    """
    moving = first_moving * width
    for j in range(count):
        i = base + count - 1 - j
        r = (row + count - 1 - j) * width
        any_nonzero = False
        for k in range(n):
            any_nonzero |= d[r + k] != 0.0
        if not any_nonzero:
            continue
        op = ops[i]
        a = left[i] * width
        b = right[i] * width
        if op == opcodes.ADD:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] += d[r + k]
        elif op == opcodes.SUB:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] -= d[r + k]
        elif op == opcodes.MUL:
            if a >= moving:
                for k in range(n):
                    d[a + k] += 0.0 if d[r + k] == 0.0 else d[r + k] * v[b + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] += 0.0 if d[r + k] == 0.0 else d[r + k] * v[a + k]
        elif op == opcodes.DIV:
            if a >= moving:
                for k in range(n):
                    d[a + k] += 0.0 if d[r + k] == 0.0 else d[r + k] / v[b + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] -= 0.0 if d[r + k] == 0.0 else d[r + k] * v[r + k] / v[b + k]
        elif op == opcodes.MAX:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k] if v[a + k] > v[b + k] else 0.0
            if b >= moving:
                for k in range(n):
                    d[b + k] += 0.0 if v[a + k] > v[b + k] else d[r + k]
        elif op == opcodes.MIN:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k] if v[a + k] < v[b + k] else 0.0
            if b >= moving:
                for k in range(n):
                    d[b + k] += 0.0 if v[a + k] < v[b + k] else d[r + k]
        elif op == opcodes.SQR:
            for k in range(n):
                d[a + k] += 0.0 if d[r + k] == 0.0 else 2.0 * d[r + k] * v[a + k]
        elif op == opcodes.NEG:
            for k in range(n):
                d[a + k] -= d[r + k]
        elif op == opcodes.SQRT:
            for k in range(n):
                z = v[r + k] if v[r + k] > 1e-5 else 1e-5
                d[a + k] += 0.5 * d[r + k] / z
        elif op == opcodes.ABS:
            for k in range(n):
                d[a + k] += d[r + k] if v[a + k] > 0.0 else -d[r + k]
        elif op == opcodes.SELECT:
            c = third[i] * width
            if b >= moving:
                for k in range(n):
                    d[b + k] += d[r + k] if v[a + k] != 0.0 else 0.0
            if c >= moving:
                for k in range(n):
                    d[c + k] += 0.0 if v[a + k] != 0.0 else d[r + k]
        elif op == opcodes.ATAN2:
            for k in range(n):
                if d[r + k] != 0.0:
                    q = d[r + k] / (v[a + k] * v[a + k] + v[b + k] * v[b + k])
                    if a >= moving:
                        d[a + k] += q * v[b + k]
                    if b >= moving:
                        d[b + k] -= q * v[a + k]
        elif op >= opcodes.LT and op <= opcodes.NOT and op != opcodes.SELECT:
            continue
        else:
            for k in range(n):
                if d[r + k] != 0.0:
                    if a >= moving:
                        d[a + k] += d[r + k] * _slope(op, v[a + k], v[b + k], v[r + k])
                    if op == opcodes.POW and b >= moving and v[a + k] > 0.0:
                        d[b + k] += d[r + k] * v[r + k] * math.log(v[a + k])
