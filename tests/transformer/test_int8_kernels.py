"""Products of int8 matrices are exact: any processor's instructions, any shape, any sharing."""

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaibao.transformer import Stepper, TransformerConfig, build_model
from kuaibao.transformer.instructions import BLOCK, GROUP, HAS_VNNI, tile_of
from kuaibao.transformer.int8_kernels import multiply, pack, quantize_rows
from kuaibao.transformer.quantized import quantize

ways = [False, True] if HAS_VNNI else [False]


@pytest.mark.parametrize("has_vnni", ways)
@pytest.mark.parametrize("n_row", [1, 3])
def test_a_tile_is_the_product_of_whole_numbers(n_row, has_vnni):
    tile = tile_of(n_row, has_vnni=has_vnni)

    @numba.njit
    def run(x, weights, sums):
        tile(x, weights, sums)

    chance = np.random.default_rng(n_row)
    n_input = 12
    x = chance.integers(-127, 128, (n_row, n_input)).astype(np.int8)
    x[0, :4] = (-127, 127, -127, 127)
    weights = chance.integers(0, 256, (BLOCK, n_input)).astype(np.uint8)
    weights[0], weights[1] = 255, 0
    packed = weights.reshape(BLOCK, n_input // GROUP, GROUP).transpose(1, 0, 2).ravel()
    sums = np.full((n_row, BLOCK), -1, np.int32)
    run(x, np.ascontiguousarray(packed), sums)
    assert np.array_equal(sums, x.astype(np.int64) @ weights.astype(np.int64).T)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 14), st.integers(1, 140), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_a_product_is_that_of_the_rounded_numbers(n_row, n_out, n_in, seed):
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(n_row, n_in)).astype(np.float32) * 10.0 ** chance.integers(-3, 3)
    weight = chance.normal(size=(n_out, n_in)).astype(np.float32)
    bias = chance.normal(size=n_out).astype(np.float32)
    packed, scale = pack(weight)
    padded = np.zeros_like(scale)
    padded[:n_out] = bias
    out = np.empty((n_row, n_out), np.float32)
    multiply(x, packed, scale, padded, out, 1)

    rounded = np.empty((n_row, -(-n_in // GROUP) * GROUP), np.int8)
    scales, shifts = np.empty(n_row, np.float32), np.empty(n_row, np.int32)
    quantize_rows(x, rounded, scales, shifts)
    assert np.abs(rounded[:, :n_in] * scales[:, None] - x).max() <= 0.51 * scales.max()
    assert np.array_equal(shifts, 128 * rounded.sum(1, dtype=np.int32))
    whole = np.rint(weight / scale[:n_out, None])
    expected = rounded[:, :n_in].astype(np.int64) @ whole.T.astype(np.int64)
    expected = expected * scales[:, None] * scale[:n_out] + bias
    assert np.allclose(out, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())

    shared = np.empty_like(out)
    multiply(x, packed, scale, padded, shared, 3)
    assert np.array_equal(shared, out)


@pytest.mark.parametrize(
    ("norm", "activation", "n_head"),
    [("layer", "gelu_new", 2), ("rms", "quick_gelu", 1), ("layer", "silu", 4)],
)
def test_a_step_in_one_call_is_that_of_the_modules(norm, activation, n_head):
    config = TransformerConfig(
        vocab_size=50, n_positions=24, n_embd=64, n_layer=3, n_head=n_head, eos_id=0, norm=norm,
        activation=activation, has_bias=norm == "layer", attention_window=4,
        scale_attention_by_layer=True,
    )  # fmt: skip
    model = quantize(build_model(config, seed=1))
    assert model.stack is not None
    logits = []
    for stack in (model.stack, None):
        model.stack = stack
        stepper = Stepper(model, 2, 16)
        stepper.prefill(0, [1, 2, 3, 4, 5, 6])
        stepper.prefill(1, [7])
        logits.append(torch.stack([stepper.step([1, 0], [t, t + 1]) for t in (8, 9, 10)]))
    assert (logits[0] - logits[1]).abs().max() < 0.02 * logits[1].abs().max()
    assert (logits[0] - logits[1]).std() < 5e-3 * logits[1].std()


@pytest.mark.parametrize("tie_head", [True, False])
def test_a_prompt_gives_the_same_bits_in_one_piece_in_several_and_step_by_step(tie_head):
    config = TransformerConfig(
        vocab_size=150, n_positions=40, n_embd=64, n_layer=2, n_head=2, eos_id=0, tie_head=tie_head
    )
    built = build_model(config, seed=2)
    if not tie_head:
        torch.nn.init.normal_(built.head.weight)  # a head of its own begins at zero
    model = quantize(built)
    drawn = np.random.default_rng(3)
    tokens = [int(t) for t in drawn.integers(0, 150, 30)]
    stepper = Stepper(model, 4, 40)
    whole = stepper.prefill(0, tokens, all_positions=True, as_steps=True)
    for part in (tokens[:7], tokens[7:8], tokens[8:]):
        pieces = stepper.prefill(1, part, as_steps=True)
    steps = [stepper.step([2], [token])[0] for token in tokens]
    stepper.copy(0, 3, 11)
    after_copy = stepper.prefill(3, tokens[11:], all_positions=True, as_steps=True)
    assert torch.equal(whole, torch.stack(steps))
    assert torch.equal(whole[-1:], pieces)
    assert torch.equal(whole[11:], after_copy)
    # The modules read what is new unrounded, hence the distance.
    modules = stepper.prefill(3, [5])
    steps_again = stepper.prefill(2, [5], as_steps=True)
    assert (modules - steps_again).abs().max() < 0.1 * steps_again.std()


def test_what_the_one_call_does_not_cover_goes_through_the_modules():
    config = TransformerConfig(
        vocab_size=50, n_positions=24, n_embd=32, n_layer=1, n_head=2, eos_id=0, activation="relu"
    )
    model = quantize(build_model(config, seed=1))
    assert model.stack is None
    [[found]] = model.generate([[1, 2, 3]], max_new_tokens=4, eos_id=-1)
    assert len(found.tokens) == 4
