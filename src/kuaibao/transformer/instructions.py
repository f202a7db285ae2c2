"""Instructions that numba does not reach from Python, written in LLVM's own language.

`tile_of` is the heart of an int8 product: four bytes of the input meet a register of weights in one
instruction (VNNI's `vpdpbusd`), or in a few that every processor has. The rest are single steps
that a compiler turns into vectors only when they are said in its own terms.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["BLOCK", "GROUP", "HAS_BFLOAT16", "HAS_VNNI", "N_ROW", "floor", "larger", "narrow",
           "nearest", "power_of_two", "tile_of", "widen"]  # fmt: skip

BLOCK = 64
"""Output channels that lie together."""
GROUP = 4
"""Inputs that meet one instruction."""
_LANES = 16
_FEATURES = llvm.get_host_cpu_features()
HAS_VNNI = bool(_FEATURES.get("avx512vnni"))
HAS_BFLOAT16 = any(_FEATURES.get(name) for name in ("avx512bf16", "amx-bf16"))
"""Whether the processor multiplies bfloat16 numbers by instructions of their own."""
N_ROW = 6 if _FEATURES.get("avx512f") else 2
"""Rows at once: their sums fill the registers."""


def _of_floats(name: str, n: int) -> Any:
    """A function of `n` float32 numbers that LLVM knows by name."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        known = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind] * n), f"llvm.{name}.f32"
        )
        return builder.call(known, arguments, fastmath=("fast",))

    return types.float32(*[types.float32] * n), generate


@intrinsic
def nearest(typing_context: Any, x: Any) -> Any:
    """The nearest whole number, as a float."""
    return _of_floats("rint", 1)


@intrinsic
def floor(typing_context: Any, x: Any) -> Any:
    """The whole number below, as a float."""
    return _of_floats("floor", 1)


@intrinsic
def larger(typing_context: Any, a: Any, b: Any) -> Any:
    """The larger of two numbers."""
    return _of_floats("maxnum", 2)


@intrinsic
def power_of_two(typing_context: Any, exponent: Any) -> Any:
    """2^n as float32 of an int32 n between -126 and 127: its bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        bits = builder.shl(builder.add(arguments[0], word(127)), word(23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def widen(typing_context: Any, bits: Any) -> Any:
    """A bfloat16 number, given by its bits as uint16, as float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        return builder.bitcast(
            builder.shl(builder.zext(arguments[0], word), word(16)), ir.FloatType()
        )

    return types.float32(types.uint16), generate


@intrinsic
def narrow(typing_context: Any, x: Any) -> Any:
    """The bits of the nearest bfloat16 number, as uint16; ties to even."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        bits = builder.bitcast(arguments[0], word)
        odd = builder.and_(builder.lshr(bits, word(16)), word(1))
        rounded = builder.add(builder.add(bits, word(0x7FFF)), odd)
        return builder.trunc(builder.lshr(rounded, word(16)), ir.IntType(16))

    return types.uint16(types.float32), generate


def tile_of(n_row: int, *, has_vnni: bool) -> Any:
    """`tile(x, weights, sums)`: some rows of int8 input times a block of packed weights.

    - `x` (n_row, k) int8, k a multiple of `GROUP`
    - `weights` (k · BLOCK) uint8: four inputs of all channels side by side, and so on
    - `sums` (n_row, BLOCK) int32: written
    """
    dot = _dot_vnni if has_vnni else _dot_anywhere
    n_part = BLOCK // _LANES
    word, size = ir.IntType(32), ir.IntType(64)
    wide = ir.VectorType(word, _LANES)
    undefined = ir.Constant(wide, ir.Undefined)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, weights, sums = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )

        def load(pointer: Any, kind: Any) -> Any:
            return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=1)

        n_input = builder.extract_value(x.shape, 1)
        n_group = builder.udiv(n_input, size(GROUP))
        before = builder.block
        loop, after = builder.append_basic_block("loop"), builder.append_basic_block("end")
        builder.branch(loop)
        builder.position_at_end(loop)
        group = builder.phi(size)
        group.add_incoming(size(0), before)
        totals = [[builder.phi(wide) for _ in range(n_part)] for _ in range(n_row)]
        start = builder.mul(group, size(GROUP * BLOCK))
        columns = [
            load(builder.gep(weights.data, [builder.add(start, size(p * GROUP * _LANES))]), wide)
            for p in range(n_part)
        ]
        for row, of_row in enumerate(totals):
            place = builder.add(builder.mul(size(row), n_input), builder.mul(group, size(GROUP)))
            four = builder.insert_element(
                undefined, load(builder.gep(x.data, [place]), word), word(0)
            )
            inputs = builder.shuffle_vector(four, undefined, ir.Constant(wide, None))
            for total, column in zip(of_row, columns, strict=True):
                total.add_incoming(ir.Constant(wide, None), before)
                total.add_incoming(dot(builder, total, column, inputs), loop)
        following = builder.add(group, size(1))
        group.add_incoming(following, loop)
        builder.cbranch(builder.icmp_unsigned("<", following, n_group), loop, after)
        builder.position_at_end(after)
        for row, of_row in enumerate(totals):
            for part, total in enumerate(of_row):
                target = builder.gep(sums.data, [size(row * BLOCK + part * _LANES)])
                value = total.incomings[1][0]
                builder.store(value, builder.bitcast(target, wide.as_pointer()), align=1)
        return context.get_dummy_value()

    @intrinsic
    def tile(typing_context: Any, x: Any, weights: Any, sums: Any) -> Any:
        """See `tile_of`."""
        return types.void(x, weights, sums), generate

    return tile


def _dot_vnni(builder: Any, total: Any, weights: Any, inputs: Any) -> Any:
    wide = total.type
    instruction = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(wide, [wide] * 3), "llvm.x86.avx512.vpdpbusd.512"
    )
    return builder.call(instruction, [total, weights, inputs])


def _dot_anywhere(builder: Any, total: Any, weights: Any, inputs: Any) -> Any:
    """Even and odd bytes as 16-bit numbers; their products are added in pairs."""
    n = 2 * _LANES
    short, wide = ir.VectorType(ir.IntType(16), n), ir.VectorType(ir.IntType(32), n)
    eight, low = ir.Constant(short, [8] * n), ir.Constant(short, [255] * n)
    w, x = builder.bitcast(weights, short), builder.bitcast(inputs, short)
    sides = (
        (builder.and_(w, low), builder.ashr(builder.shl(x, eight), eight)),
        (builder.lshr(w, eight), builder.ashr(x, eight)),
    )
    for unsigned, signed in sides:
        product = builder.mul(builder.zext(unsigned, wide), builder.sext(signed, wide))
        for first in (0, 1):
            places = ir.Constant(total.type, list(range(first, n, 2)))
            half = builder.shuffle_vector(product, ir.Constant(wide, ir.Undefined), places)
            total = builder.add(total, half)
    return total
