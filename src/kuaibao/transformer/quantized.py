"""int8 on the CPU: weights per output channel, activations per row; exact whatever the batch.

Each row of the input is scaled by its own largest value and then rounded on a fixed grid of 8 bits
(7 on processors without VNNI), so that a sequence's numbers never depend on its neighbours in the
batch. (The usual dynamic quantisation takes one range for the whole batch.) Sums are integers,
hence the same in any order.
"""

from __future__ import annotations

import warnings
from typing import Any, cast

import torch
from torch import Tensor, nn

from kuaibao.errors import KuaibaoError

__all__ = ["QuantizedLinear", "quantize"]

# Without VNNI two 8-bit products can overflow the 16-bit sum of AVX2: 7 bits of activations there.
_HAS_VNNI = bool(getattr(torch.cpu, "_is_vnni_supported", bool)())
_STEP, _ZERO = (1 / 127, 128) if _HAS_VNNI else (1 / 63, 64)


class QuantizedLinear(nn.Module):
    """A frozen linear layer with int8 weights."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        scale = weight.abs().amax(1).clamp_min(1e-12).double() / 127
        zero = torch.zeros(len(weight), dtype=torch.long)
        operators = cast("Any", torch.ops).quantized
        with warnings.catch_warnings():
            # The tensor type is to leave torch one day; the kernels have no other door yet.
            warnings.simplefilter("ignore", UserWarning)
            whole = torch.quantize_per_channel(weight.float(), scale, zero, 0, torch.qint8)
            self.packed = operators.linear_prepack(whole, None)
        self.multiply = operators.linear_with_input_q_dq_qweight_dq_output_fp32
        self.register_buffer("bias", bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        largest = x.abs().amax(-1, keepdim=True).clamp_min(1e-12)
        y: Tensor = self.multiply(x / largest, _STEP, _ZERO, self.packed)
        bias = cast("Tensor | None", self.bias)
        return y * largest if bias is None else torch.addcmul(bias, y, largest)


def quantize(model: Any) -> Any:
    """Put int8 layers in the place of a model's linear ones, the head among them; in place.

    The embedding stays as it is. What was quantised generates, but is not trained or saved.

    Args:
        model: `Decoder` or `EncoderDecoder` in float32, on the CPU.

    Returns:
        The same model.

    Raises:
        KuaibaoError: This processor or this build of torch has no int8 kernels, or the model lies
            on another device.
    """
    if model.device.type != "cpu":
        raise KuaibaoError("int8 layers run on the CPU; the model lies elsewhere")
    try:
        head = model.tokens.weight[: model.config.vocab_size] if model.config.tie_head else None
        for parent in list(model.modules()):
            for name, layer in list(parent.named_children()):
                if isinstance(layer, nn.Linear):
                    bias = None if layer.bias is None else layer.bias.detach()
                    setattr(parent, name, QuantizedLinear(layer.weight.detach(), bias))
        if head is not None:
            model.fast_head = QuantizedLinear(head.detach(), None)
    except (RuntimeError, AttributeError) as error:
        raise KuaibaoError(f"torch has no int8 kernels here: {error}") from error
    model.is_quantized = True
    return model.eval().requires_grad_(False)
