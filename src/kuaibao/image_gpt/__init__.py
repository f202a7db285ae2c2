"""Image GPT: the transformer over pixels (Chen et al. 2020)."""

from kuaibao.image_gpt.errors import PictureError
from kuaibao.image_gpt.palette import Palette

__all__ = ["Palette", "PictureError"]
