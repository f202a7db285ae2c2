"""One transformer for text and pixels: GPT, image GPT and PEGASUS from the same blocks."""

from kuaibao.transformer.checkpoints import load_config, load_pretrained, save_pretrained
from kuaibao.transformer.config import NAMED_CONFIGS, TransformerConfig, named_config
from kuaibao.transformer.errors import CheckpointError, GenerationError
from kuaibao.transformer.model import Decoder, EncoderDecoder, build_model, count_parameters

__all__ = [
    "NAMED_CONFIGS",
    "CheckpointError",
    "Decoder",
    "EncoderDecoder",
    "GenerationError",
    "TransformerConfig",
    "build_model",
    "count_parameters",
    "load_config",
    "load_pretrained",
    "named_config",
    "save_pretrained",
]
