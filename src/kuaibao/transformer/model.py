"""The transformer: blocks that GPT, image GPT and PEGASUS share (Vaswani et al. 2017, pre-norm).

Shapes: `batch` sequences of `position` tokens; hidden states are (batch, position, n_embd).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from kuaibao.transformer.activations import activate
from kuaibao.transformer.attention import Attention
from kuaibao.transformer.cache import LayerCache
from kuaibao.transformer.config import TransformerConfig
from kuaibao.transformer.head_loss import head_loss

__all__ = [
    "Decoder",
    "EncoderDecoder",
    "Transformer",
    "build_model",
    "count_parameters",
    "layers_of",
]


class RMSNorm(nn.Module):
    """x / √(mean x² + eps) · g: image GPT's norm, without mean and bias."""

    def __init__(self, n_embd: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_embd))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


def _norm(config: TransformerConfig) -> nn.Module:
    if config.norm == "rms":
        return RMSNorm(config.n_embd, config.norm_eps)
    return nn.LayerNorm(config.n_embd, config.norm_eps)


class FeedForward(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.n_embd, config.d_inner, config.has_bias)
        self.down = nn.Linear(config.d_inner, config.n_embd, config.has_bias)
        self.activation = config.activation

    def forward(self, x: Tensor) -> Tensor:
        """(…, n_embd) → (…, n_embd)."""
        return self.down(self.activate(self.up(x)))

    def activate(self, x: Tensor) -> Tensor:
        """What stands between the two layers."""
        return activate(x, self.activation)


class Block(nn.Module):
    """Attention and feed-forward, each behind a norm and added to its input."""

    def __init__(
        self, config: TransformerConfig, *, layer: int = 0, window: int = 0, cross: bool = False
    ) -> None:
        super().__init__()
        self.norm_1 = _norm(config)
        self.attention = Attention(config, layer=layer, window=window)
        if cross:
            self.norm_cross = _norm(config)
            self.cross = Attention(config, layer=layer, cross=True)
        self.norm_2 = _norm(config)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: LayerCache | None = None,
        memory: Tensor | tuple[Tensor, Tensor] | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        """One layer; `memory` is the encoder's output, or the keys and values made of it."""
        x = x + self.dropout(self.attention(self.norm_1(x), mask=mask, causal=causal, cache=cache))
        if memory is not None:
            if isinstance(memory, Tensor):
                memory = self.cross.keys_and_values(memory)
            x = x + self.dropout(self.cross.over(self.norm_cross(x), *memory, memory_mask))
        return x + self.dropout(self.feed_forward(self.norm_2(x)))


class Transformer(nn.Module):
    """What decoder and encoder-decoder share: embeddings, positions and the head."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.fast_head: nn.Module | None = None
        """In the place of a tied head, where it is quantised."""
        self.is_quantized = False
        """Whether its layers hold int8 weights; its cache then does too."""
        self.stack: Any = None
        """`Int8Stack` of a quantised decoder: its layers as one call of machine code."""
        self.recompute = False
        """Keep only each block's input for the gradient: less memory, a third more time."""
        self.tokens = nn.Embedding(config.vocab_size + config.n_extra_input, config.n_embd)
        if config.position == "learned":
            self.positions = nn.Embedding(config.n_positions, config.n_embd)
        self.dropout = nn.Dropout(config.dropout)
        if not config.tie_head:
            self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        if config.family == "pegasus":
            self.register_buffer("logits_bias", torch.zeros(config.vocab_size))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.tokens.weight.device

    def generate(self, prompts: Any, **settings: Any) -> list[list[Any]]:
        """Continuations of prompts: see `kuaibao.transformer.generate`, or with `num_beams` above 1
        `kuaibao.transformer.beam_search`.

        Args:
            prompts: Lists of token ids, or a tensor (batch, position).
            settings: As those functions take them; what draws tokens may stand here by name
                (`temperature`, `top_k`, `top_p`, `repetition_penalty`, …).
        """
        from kuaibao.transformer.generating import generate_with

        return generate_with(self, prompts, settings)

    def run(self, block: Block, x: Tensor, **given: Any) -> Tensor:
        """One block; in training its inside is computed anew for the gradient if so wished."""
        if not (self.recompute and self.training):
            return block(x, **given)
        return cast("Tensor", checkpoint(block, x, use_reentrant=False, **given))

    def embed(self, input_ids: Tensor, places: Tensor, masked: Tensor | None = None) -> Tensor:
        """Token and position embeddings, (batch, position, n_embd).

        Where `masked` (batch, position) is true, the token's vector is zero: image GPT's BERT.
        """
        x = self.tokens(input_ids)
        if masked is not None:
            x = x.masked_fill(masked[..., None], 0.0)
        if self.config.scale_embedding:
            x = x * math.sqrt(self.config.n_embd)
        return self.dropout(x + self.at(places).to(x.dtype))

    def at(self, places: Tensor) -> Tensor:
        """Position embeddings; sinusoidal ones go on beyond the length in training."""
        if self.config.position == "learned":
            return self.positions(places)
        half = self.config.n_embd // 2
        rate = torch.arange(half, device=places.device, dtype=torch.float64)
        angle = places.double()[..., None] / 10_000 ** (2 * rate / self.config.n_embd)
        return torch.cat([angle.sin(), angle.cos()], -1).float()

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token, (…, vocabulary)."""
        if not self.config.tie_head:
            logits = self.head(hidden)
        elif self.fast_head is not None:
            logits = self.fast_head(hidden)
        else:
            logits = functional.linear(hidden, self.tokens.weight[: self.config.vocab_size])
        bias: Tensor | None = getattr(self, "logits_bias", None)
        return logits if bias is None else logits + bias


class Decoder(Transformer):
    """A decoder alone: GPT and image GPT."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        window = config.attention_window
        self.blocks = nn.ModuleList(
            Block(config, layer=i, window=window if i % 2 else 0) for i in range(config.n_layer)
        )
        self.norm = _norm(config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        masked: Tensor | None = None,
        targets: Tensor | None = None,
    ) -> Tensor:
        """Logits (batch, position, vocabulary) of ids (batch, position), or the loss.

        Args:
            input_ids: Tokens.
            attention_mask: 0 where there is padding.
            masked: True where the token is not shown (its vector is zero): the BERT objective.
            targets: What should follow each token (batch, position). If given, the mean
                cross-entropy is returned, and the logits never exist as a whole.
        """
        hidden = self.hidden(input_ids, attention_mask, masked)
        if targets is None:
            return self.logits(hidden)
        tied = self.tokens.weight[: self.config.vocab_size]
        return head_loss(hidden, tied if self.config.tie_head else self.head.weight, targets)

    def hidden(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        masked: Tensor | None = None,
    ) -> Tensor:
        """The normed output of the last block."""
        places, mask = _places(input_ids, attention_mask)
        x = self.embed(input_ids, places, masked)
        for block in layers_of(self.blocks):
            x = self.run(block, x, mask=mask, causal=self.config.causal)
        return self.norm(x)

    def hidden_states(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        masked: Tensor | None = None,
    ) -> Iterator[Tensor]:
        """The normed input of each block, then the normed output of the last: n_layer + 1."""
        places, mask = _places(input_ids, attention_mask)
        x = self.embed(input_ids, places, masked)
        for block in layers_of(self.blocks):
            yield block.norm_1(x)
            x = block(x, mask=mask, causal=self.config.causal)
        yield self.norm(x)


class EncoderDecoder(Transformer):
    """An encoder, and a decoder that looks at it: PEGASUS."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        self.encoder = nn.ModuleList(
            Block(config.encoder, layer=i) for i in range(config.n_encoder_layer)
        )
        self.encoder_norm = _norm(config)
        self.blocks = nn.ModuleList(
            Block(config, layer=i, cross=True) for i in range(config.n_layer)
        )
        self.norm = _norm(config)

    def encode(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """The encoder's output, (batch, position, n_embd)."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.embed(input_ids, places)
        mask = None if attention_mask is None else attention_mask.bool()[:, None, None, :]
        for block in layers_of(self.encoder):
            x = self.run(block, x, mask=mask)
        return self.encoder_norm(x)

    def forward(
        self,
        input_ids: Tensor,
        decoder_input_ids: Tensor,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Logits (batch, decoder position, vocabulary)."""
        memory = self.encode(input_ids, attention_mask)
        return self.logits(self.decode(decoder_input_ids, memory, attention_mask))

    def decode(
        self, decoder_input_ids: Tensor, memory: Tensor, attention_mask: Tensor | None = None
    ) -> Tensor:
        """The decoder's normed output over an encoder's."""
        places = torch.arange(decoder_input_ids.shape[1], device=memory.device)
        x = self.embed(decoder_input_ids, places)
        seen = None if attention_mask is None else attention_mask.bool()[:, None, None, :]
        for block in layers_of(self.blocks):
            x = self.run(block, x, causal=True, memory=memory, memory_mask=seen)
        return self.norm(x)


def layers_of(blocks: nn.ModuleList) -> list[Block]:
    """A stack's blocks, with their type."""
    return cast("list[Block]", list(blocks))


def _places(input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Positions and the key mask; a padded beginning doesn't count as positions."""
    if attention_mask is None:
        return torch.arange(input_ids.shape[1], device=input_ids.device), None
    seen = attention_mask.bool()
    places = (seen.long().cumsum(1) - 1).clamp(min=0)
    # A padded query sees itself, or its softmax over nothing would be NaN.
    own = torch.eye(seen.shape[1], dtype=torch.bool, device=seen.device)
    return places, seen[:, None, None, :] | own[None, None]


def build_model(config: TransformerConfig, *, seed: int | None = None) -> Any:
    """A model with fresh weights: `Decoder` or `EncoderDecoder`.

    Args:
        config: Sizes and switches.
        seed: Of the weights; the global random state if not given.
    """
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    model = EncoderDecoder(config) if config.is_encoder_decoder else Decoder(config)
    if model.device.type != "meta":
        _initialize(model, config, generator)
    return model


@torch.no_grad()
def _initialize(
    model: nn.Module, config: TransformerConfig, generator: torch.Generator | None
) -> None:
    """Each family's own start.

    GPT-2 and image GPT: 0.02, residual projections less; image GPT's head zero. PEGASUS (the
    authors' code): Glorot's uniform, and 1 / sqrt(width) for the embeddings that are its head too.
    A summariser of width 192 then learns to copy in fewer steps: after 1,000 its held-out loss is
    4.5 nats, from 0.02 it is 5.0.
    """
    residual = 0.02 / math.sqrt(2 * max(1, config.n_layer))
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif "norm" in name:
            parameter.fill_(1.0)
        elif name.startswith("head"):
            parameter.zero_()
        elif name.startswith("positions"):
            parameter.normal_(0, 0.01, generator=generator)
        elif config.is_encoder_decoder and name.startswith("tokens"):
            parameter.normal_(0, config.n_embd**-0.5, generator=generator)
        elif config.is_encoder_decoder:
            # Queries, keys and values lie in one matrix, but each is one layer.
            is_joined = name.endswith("kv.weight")
            for part in parameter.split(config.n_embd if is_joined else len(parameter)):
                nn.init.xavier_uniform_(part, generator=generator)
        else:
            is_residual = name.endswith(("out.weight", "down.weight"))
            parameter.normal_(0, residual if is_residual else 0.02, generator=generator)


def count_parameters(config: TransformerConfig) -> int:
    """Numbers that are learned, without making them."""
    with torch.device("meta"):
        model = EncoderDecoder(config) if config.is_encoder_decoder else Decoder(config)
    return sum(p.numel() for p in model.parameters())
