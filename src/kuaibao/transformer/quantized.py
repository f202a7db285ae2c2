"""int8 on the CPU: weights per output channel, activations per row; exact whatever the batch."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from kuaibao.errors import KuaibaoError
from kuaibao.transformer.int8_kernels import multiply, pack
from kuaibao.transformer.sharing import n_sharing

__all__ = ["QuantizedLinear", "quantize"]


class QuantizedLinear(nn.Module):
    """A frozen linear layer with int8 weights, packed as `int8_kernels` reads them."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.n_out = len(weight)
        self.packed, self.scale = pack(weight.detach().float().numpy())
        self.bias = np.zeros_like(self.scale)
        if bias is not None:
            self.bias[: self.n_out] = bias.detach().float().numpy()

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        rows = x.reshape(-1, x.shape[-1]).float().contiguous()
        out = torch.empty(len(rows), self.n_out)
        if len(rows):
            multiply(rows.numpy(), self.packed, self.scale, self.bias, out.numpy(), n_sharing())
        return out.view(*x.shape[:-1], self.n_out)


def quantize(model: Any) -> Any:
    """Put int8 layers in the place of a model's linear ones, the head among them; in place.

    The embedding stays as it is. What was quantised generates, but is not trained or saved.

    Args:
        model: `Decoder` or `EncoderDecoder` in float32, on the CPU.

    Returns:
        The same model.

    Raises:
        KuaibaoError: The model lies on another device.
    """
    from kuaibao.transformer.int8_step import Int8Stack

    if model.device.type != "cpu":
        raise KuaibaoError("int8 layers run on the CPU; the model lies elsewhere")
    if model.config.tie_head:
        model.fast_head = QuantizedLinear(model.tokens.weight[: model.config.vocab_size], None)
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Linear):
                setattr(
                    parent, name, QuantizedLinear(layer.weight, cast("Tensor | None", layer.bias))
                )
    model.is_quantized = True
    model.stack = Int8Stack.of(model)
    return model.eval().requires_grad_(False)
