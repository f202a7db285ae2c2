"""Image GPT: the transformer over pixels (Chen et al. 2020)."""

from kuaibao.image_gpt.completions import (
    complete,
    contact_sheet,
    draw_picture,
    sample_pictures,
    write_sheet,
)
from kuaibao.image_gpt.errors import PictureError
from kuaibao.image_gpt.features import features, iterate_features
from kuaibao.image_gpt.model import ImageClassifier, ImageGPT, load_image_gpt, save_image_gpt
from kuaibao.image_gpt.packing import PackedPictures, prepare
from kuaibao.image_gpt.palette import Palette
from kuaibao.image_gpt.pictures import decode_picture, read_picture, resize
from kuaibao.image_gpt.probe import LinearProbe, fit_probe
from kuaibao.image_gpt.probing import ProbeReport, plot_layers, probe_layers

__all__ = [
    "ImageClassifier",
    "ImageGPT",
    "LinearProbe",
    "PackedPictures",
    "Palette",
    "PictureError",
    "ProbeReport",
    "complete",
    "contact_sheet",
    "decode_picture",
    "draw_picture",
    "features",
    "fit_probe",
    "iterate_features",
    "load_image_gpt",
    "plot_layers",
    "prepare",
    "probe_layers",
    "read_picture",
    "resize",
    "sample_pictures",
    "save_image_gpt",
    "write_sheet",
]
