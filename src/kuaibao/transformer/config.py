"""What tells GPT, image GPT and PEGASUS apart: a table of switches; the papers' named sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kuaibao.errors import InputError, did_you_mean

__all__ = ["NAMED_CONFIGS", "TransformerConfig", "named_config"]

Family = Literal["gpt2", "imagegpt", "pegasus"]
Activation = Literal["gelu_new", "gelu", "quick_gelu", "relu", "silu", "tanh", "sigmoid", "relu2",
                     "relu6", "leaky_relu", "mish", "linear"]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Sizes and switches of a transformer; the defaults are GPT-2's.

    Raises:
        InputError: Sizes that don't fit together.
    """

    family: Family = "gpt2"
    """Whose checkpoint layout is written."""
    vocab_size: int = 50_257
    """Tokens that can be predicted: rows of the head."""
    n_extra_input: int = 0
    """Further rows of the input embedding: the start token of image GPT."""
    n_positions: int = 1024
    """Longest sequence; of sinusoidal positions only the length in training."""
    n_embd: int = 768
    n_layer: int = 12
    """Decoder blocks."""
    n_encoder_layer: int = 0
    """Encoder blocks; 0 for a decoder alone."""
    n_head: int = 12
    n_inner: int = 0
    """Width of the feed-forward layer; 0 means 4 · n_embd."""
    n_encoder_head: int = 0
    """Of the encoder; 0 means n_head."""
    n_encoder_inner: int = 0
    """Of the encoder; 0 means as the decoder."""
    activation: Activation = "gelu_new"
    norm: Literal["layer", "rms"] = "layer"
    norm_eps: float = 1e-5
    has_bias: bool = True
    position: Literal["learned", "sinusoidal"] = "learned"
    scale_embedding: bool = False
    """Multiply token embeddings by √n_embd."""
    tie_head: bool = True
    causal: bool = True
    """False for image GPT's BERT objective."""
    scale_attention: bool = True
    """Divide attention scores by √d_head."""
    scale_attention_by_layer: bool = False
    """Divide them by the layer's number too, counted from 1."""
    attention_window: int = 0
    """Of every second block, as in GPT-3: it sees so many latest positions; 0 for all."""
    dropout: float = 0.0
    start_id: int | None = None
    """First input of the decoder."""
    eos_id: int | None = 50_256
    pad_id: int | None = None

    def __post_init__(self) -> None:
        """Check that the sizes fit together."""
        sizes = {"vocab_size": self.vocab_size, "n_positions": self.n_positions,
                 "n_embd": self.n_embd, "n_layer": self.n_layer, "n_head": self.n_head}  # fmt: skip
        for name, size in sizes.items():
            if not 0 < size < 2**31:
                raise InputError(f"{name} must be positive, got {size}")
        if self.n_embd % self.n_head:
            raise InputError(f"n_embd ({self.n_embd}) must divide by n_head ({self.n_head})")
        if self.n_embd % (self.n_encoder_head or self.n_head):
            raise InputError(f"n_embd ({self.n_embd}) must divide by the encoder's heads")
        if not 0.0 <= self.dropout < 1.0:
            raise InputError(f"dropout is a share from 0 to below 1, got {self.dropout}")

    @property
    def d_inner(self) -> int:
        """Width of the feed-forward layer."""
        return self.n_inner or 4 * self.n_embd

    @property
    def d_head(self) -> int:
        """Width of one attention head."""
        return self.n_embd // self.n_head

    @property
    def encoder(self) -> TransformerConfig:
        """What the encoder's blocks are made by."""
        return replace(self, n_head=self.n_encoder_head or self.n_head,
                       n_inner=self.n_encoder_inner or self.n_inner)  # fmt: skip

    @property
    def is_encoder_decoder(self) -> bool:
        """Whether there is an encoder."""
        return self.n_encoder_layer > 0


def _gpt2(n_layer: int, n_embd: int, n_head: int, **more: int) -> TransformerConfig:
    return replace(TransformerConfig(n_layer=n_layer, n_embd=n_embd, n_head=n_head), **more)


def _gpt3(n_layer: int, n_embd: int, n_head: int) -> TransformerConfig:
    return _gpt2(n_layer, n_embd, n_head, n_positions=2048, attention_window=256)


def _igpt(n_layer: int, n_embd: int, n_head: int, n_positions: int = 1024) -> TransformerConfig:
    return TransformerConfig(
        family="imagegpt", vocab_size=512, n_extra_input=1, n_positions=n_positions,
        n_embd=n_embd, n_layer=n_layer, n_head=n_head, activation="quick_gelu", norm="rms",
        has_bias=False, tie_head=False, start_id=512, eos_id=None,
    )  # fmt: skip


def _pegasus(
    n_layer: int, n_embd: int, n_head: int, n_positions: int, vocab_size: int
) -> TransformerConfig:
    return TransformerConfig(
        family="pegasus", vocab_size=vocab_size, n_positions=n_positions, n_embd=n_embd,
        n_layer=n_layer, n_encoder_layer=n_layer, n_head=n_head, activation="relu",
        position="sinusoidal", scale_embedding=True, start_id=0, eos_id=1, pad_id=0, dropout=0.1,
    )  # fmt: skip


NAMED_CONFIGS: dict[str, TransformerConfig] = {
    "gpt2": _gpt2(12, 768, 12),
    "gpt2-medium": _gpt2(24, 1024, 16),
    "gpt2-large": _gpt2(36, 1280, 20),
    "gpt2-xl": _gpt2(48, 1600, 25),
    "gpt3-small": _gpt3(12, 768, 12),
    "gpt3-medium": _gpt3(24, 1024, 16),
    "gpt3-large": _gpt3(24, 1536, 16),
    "gpt3-xl": _gpt3(24, 2048, 16),
    "gpt3-2.7b": _gpt3(32, 2560, 32),
    "gpt3-6.7b": _gpt3(32, 4096, 32),
    "gpt3-13b": _gpt3(40, 5120, 40),
    "gpt3-175b": _gpt3(96, 12_288, 96),
    "imagegpt-small": _igpt(24, 512, 8),
    "imagegpt-medium": _igpt(36, 1024, 8),
    "imagegpt-large": _igpt(48, 1536, 16),
    "imagegpt-xl": _igpt(60, 3072, 16, 4096),
    "pegasus-base": _pegasus(12, 768, 12, 512, 32_103),
    "pegasus-large": _pegasus(16, 1024, 16, 1024, 96_103),
}
"""The sizes of the three papers. GPT-3's XL is given 16 heads, which fit its width; image GPT's XL
had its heads never stated; PEGASUS-base has the paper's 223 million parameters with 32,000 pieces.
"""


def named_config(name: str) -> TransformerConfig:
    """The configuration of that name.

    Raises:
        InputError: There is none.
    """
    if name not in NAMED_CONFIGS:
        raise InputError(f"no model size '{name}'", hint=did_you_mean(name, NAMED_CONFIGS))
    return NAMED_CONFIGS[name]
