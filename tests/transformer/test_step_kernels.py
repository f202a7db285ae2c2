"""A step by machine code sees what a whole pass sees: windows, ragged batches, int8 caches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from kuaibao.transformer import Stepper, TransformerConfig, build_model
from kuaibao.transformer.cache import KeyValueCache
from kuaibao.transformer.quantized import quantize
from kuaibao.transformer.sharing import n_sharing
from kuaibao.transformer.step_kernels import attend_float32

SIZES = {"vocab_size": 60, "n_positions": 40, "n_embd": 32, "n_layer": 2, "n_head": 2, "eos_id": 0}


def by_torch(qkv, keys, values, slots, starts, scale, window):
    rows = []
    for b, (slot, start) in enumerate(zip(slots, starts, strict=True)):
        first = max(0, start + 1 - window) if window else 0
        k, v = (torch.tensor(x[slot][:, first : start + 1]) for x in (keys, values))
        q = torch.tensor(qkv[b, 0])[:, None]
        rows.append(functional.scaled_dot_product_attention(q, k, v, scale=scale)[:, 0])
    return torch.stack(rows).numpy()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.floats(0.1, 30.0))
def test_attention_is_that_of_torch(seed, window, spread):
    chance = np.random.default_rng(seed)
    n_slot, n_head, length, d_head, n_batch = 4, 2, 12, 16, 3
    keys, values = chance.normal(size=(2, n_slot, n_head, length, d_head)).astype(np.float32)
    qkv = (chance.normal(size=(n_batch, 3, n_head, d_head)) * spread).astype(np.float32)
    slots, starts = chance.permutation(n_slot)[:n_batch], chance.integers(0, length, n_batch)
    out = np.empty((n_batch, n_head, d_head), np.float32)
    n_part = n_sharing()
    attend_float32(qkv, keys, values, slots, starts, np.float32(0.25), window, out, n_part)
    assert np.array_equal(keys[slots, :, starts], qkv[:, 1])
    assert np.array_equal(values[slots, :, starts], qkv[:, 2])
    expected = by_torch(qkv, keys, values, slots, starts, 0.25, window)
    assert np.allclose(out, expected, rtol=1e-4, atol=1e-5 * spread)


@pytest.mark.parametrize("window", [0, 3])
@pytest.mark.parametrize("is_int8", [False, True])
def test_steps_of_a_ragged_batch_agree_with_the_whole_pass(window, is_int8):
    model = build_model(TransformerConfig(**SIZES, attention_window=window), seed=2).eval()
    if is_int8:
        model = quantize(model)
    stepper = Stepper(model, 3, 16)
    rows = [[1, 2, 3, 4, 5, 6], [7], [8, 9, 10]]
    for slot, row in enumerate(rows):
        stepper.prefill(slot, row)
    for token in (11, 12, 13, 14):
        found = stepper.step([2, 0, 1], [token, token + 1, token + 2])
        for place, slot in enumerate((2, 0, 1)):
            rows[slot].append(token + place)
            with torch.no_grad():
                expected = model(torch.tensor([rows[slot]]))[0, -1]
            assert (found[place] - expected).std() < (0.05 if is_int8 else 1e-5) * expected.std()


def test_an_int8_cache_is_small_and_its_slots_can_be_copied():
    model = quantize(build_model(TransformerConfig(**SIZES), seed=2))
    stepper = Stepper(model, 2, 16)
    assert stepper.cache.keys.dtype == torch.int8
    whole = KeyValueCache(model.config, 2, 16)
    assert stepper.cache.keys.nbytes * 4 == whole.keys.nbytes
    stepper.prefill(0, [1, 2, 3])
    stepper.copy(0, 1, 3)
    first, second = stepper.step([0, 1], [4, 4])
    assert torch.equal(first, second)
    stepper.reorder(torch.tensor([1, 1]))
    first, second = stepper.step([0, 1], [5, 5])
    assert torch.equal(first, second)
