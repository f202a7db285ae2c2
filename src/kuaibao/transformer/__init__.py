"""One transformer for text and pixels: GPT, image GPT and PEGASUS from the same blocks."""

from kuaibao.transformer.beams import beam_search
from kuaibao.transformer.checkpoints import (
    load_config,
    load_pretrained,
    model_folder,
    save_pretrained,
)
from kuaibao.transformer.config import NAMED_CONFIGS, TransformerConfig, named_config
from kuaibao.transformer.errors import CheckpointError, GenerationError
from kuaibao.transformer.generation import Generated, generate, log_probabilities
from kuaibao.transformer.model import Decoder, EncoderDecoder, build_model, count_parameters

__all__ = [
    "NAMED_CONFIGS",
    "CheckpointError",
    "Decoder",
    "EncoderDecoder",
    "Generated",
    "GenerationError",
    "Sampling",
    "Stepper",
    "TransformerConfig",
    "beam_search",
    "build_model",
    "count_parameters",
    "generate",
    "load_config",
    "load_pretrained",
    "log_probabilities",
    "model_folder",
    "named_config",
    "save_pretrained",
]
from kuaibao.transformer.sampling import Sampling
from kuaibao.transformer.stepping import Stepper
