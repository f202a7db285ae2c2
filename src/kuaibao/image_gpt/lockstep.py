"""Drawing steps on a CPU: matrix products by oneDNN with weights laid out once, the rest compiled.

Keys and values are kept in bfloat16: at a thousand positions they are most of what a step reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kuaibao.image_gpt.kernels import add_and_norm, attend, quick_gelu, to_bfloat16
from kuaibao.transformer.model import RMSNorm, layers_of

__all__ = ["Lockstep", "can_lockstep"]

Linear = Callable[[Tensor], Tensor]
_SPLIT = 200_000
"""Numbers of keys in a layer above which a second thread pays."""


def can_lockstep(decoder: Any) -> bool:
    """Whether a decoder is what these loops know: image GPT in float32 on a CPU with oneDNN."""
    config, weight = decoder.config, decoder.tokens.weight
    blocks = layers_of(decoder.blocks)
    linears = [
        part
        for b in blocks
        for part in (b.attention.qkv, b.attention.out, b.feed_forward.up, b.feed_forward.down)
    ]
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and config.activation == "quick_gelu"
        and config.d_head % 4 == 0
        and config.scale_attention
        and not config.scale_attention_by_layer
        and all(isinstance(b.norm_1, RMSNorm) and not b.attention.window for b in blocks)
        and all(isinstance(part, nn.Linear) and part.bias is None for part in linears)
        and torch.backends.mkldnn.is_available()
    )


class Lockstep:
    """A batch after its prompts were read.

    Args:
        decoder: For which `can_lockstep` holds.
        prompt_keys: Of each layer (prompt, head, position, d_head).
        prompt_values: Likewise.
        n: Rows of each prompt; with more than one they share its keys and values.
        n_new: Positions that will be read.
    """

    def __init__(
        self, decoder: Any, prompt_keys: Sequence[Tensor], prompt_values: Sequence[Tensor],
        n: int, n_new: int,
    ) -> None:  # fmt: skip
        config = decoder.config
        n_prompt, n_given = prompt_keys[0].shape[0], prompt_keys[0].shape[2]
        n_row = n_prompt * n
        self.decoder, self.n_row = decoder, n_row
        self.n_shared = n_given if n > 1 else 0
        self.own = n_given - self.n_shared
        self.place = n_given
        self.layers = [_Layer(block, n_row) for block in layers_of(decoder.blocks)]
        self.norms = [
            _gain(norm)
            for block in layers_of(decoder.blocks)
            for norm in (block.norm_1, block.norm_2)
        ] + [_gain(decoder.norm)]
        shape = (n_row, config.n_head, config.d_head, self.own + n_new)
        self.shared: list[tuple[Any, Any]] = []
        self.cache: list[tuple[Any, Any]] = []
        for k, v in zip(prompt_keys, prompt_values, strict=True):
            given = tuple(to_bfloat16(t.transpose(2, 3).contiguous().numpy()) for t in (k, v))
            own = (np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.uint16))
            if not self.n_shared:
                for kept, part in zip(own, given, strict=True):
                    kept[..., :n_given] = part
            self.shared.append((given[0], given[1]))
            self.cache.append(own)
        self.hidden = torch.zeros(n_row, config.n_embd)
        self.attended = torch.zeros(n_row, config.n_embd)
        self.nothing = np.zeros((n_row, config.n_embd), dtype=np.float32)
        self.heads = (n_row, 3, config.n_head, config.d_head)
        self.eps = float(config.norm_eps)
        is_large = n_row * config.n_embd * (n_given + n_new) > _SPLIT
        self.pool = ThreadPoolExecutor(1) if is_large and torch.get_num_threads() > 1 else None

    def close(self) -> None:
        """End the second thread."""
        if self.pool is not None:
            self.pool.shutdown()

    @torch.inference_mode()
    def step(self, ids: Tensor) -> Tensor:
        """Read a token of each row (row): logits (row, vocabulary) of the next."""
        place = torch.tensor([self.place])
        x = self.decoder.embed(ids[:, None], place)[:, 0].contiguous().numpy()
        self.place += 1
        self.own += 1
        hidden, y = self.hidden.numpy(), self.nothing
        for i, layer in enumerate(self.layers):
            add_and_norm(x, y, self.norms[2 * i], self.eps, hidden)
            self._attend(layer.qkv(self.hidden).numpy().reshape(self.heads), i)
            y = layer.out(self.attended).numpy()
            add_and_norm(x, y, self.norms[2 * i + 1], self.eps, hidden)
            inner = layer.up(self.hidden)
            quick_gelu(inner.numpy())
            y = layer.down(inner).numpy()
        add_and_norm(x, y, self.norms[-1], self.eps, hidden)
        return self.decoder.logits(self.hidden)

    def _attend(self, qkv: NDArray[np.float32], layer: int) -> None:
        n_row, _, n_head, d_head = self.heads
        out = self.attended.numpy().reshape(n_row, n_head, d_head)
        given = (qkv, *self.shared[layer], *self.cache[layer], self.n_shared, self.own)
        n_prompt = len(self.shared[layer][0])
        half = n_prompt // 2 * (n_row // n_prompt)
        if self.pool is None or half == 0:
            attend(*given, 0, n_row, out)
            return
        other = self.pool.submit(attend, *given, 0, half, out)
        attend(*given, half, n_row, out)
        other.result()


def _gain(norm: nn.Module) -> NDArray[np.float32]:
    return cast("Tensor", norm.weight).detach().numpy()


class _Layer:
    """One block's linear layers for so many rows."""

    def __init__(self, block: Any, n_row: int) -> None:
        self.qkv = _packed(block.attention.qkv, n_row)
        self.out = _packed(block.attention.out, n_row)
        self.up = _packed(block.feed_forward.up, n_row)
        self.down = _packed(block.feed_forward.down, n_row)


def _packed(layer: nn.Linear, n_row: int) -> Linear:
    """The layer with its weights in oneDNN's blocked order: exact, and 2 to 3 times as fast."""
    operators = cast("Any", torch.ops).mkldnn
    try:
        packed = operators._reorder_linear_weight(layer.weight.detach(), n_row)
    except (AttributeError, RuntimeError):  # a build without these operators
        return layer
    return lambda x: operators._linear_pointwise(x, packed, None, "none", [], "")
