"""How the published checkpoints are decoded: beams, length penalty, maximal lengths by data set.

Values of the published configurations. The penalty divides a beam's log-probability by length^α as
Hugging Face does (`power`); the authors' own code uses ((5 + length) / 6)^α of GNMT.
"""

from __future__ import annotations

from dataclasses import dataclass

from kuaibao.errors import InputError, did_you_mean

__all__ = ["PRESETS", "DecodingPreset", "find_preset"]


@dataclass(frozen=True, slots=True)
class DecodingPreset:
    """Settings of one data set."""

    max_input: int
    """Tokens that are read."""
    max_target: int
    """Tokens that are written."""
    length_penalty: float
    num_beams: int = 8


PRESETS: dict[str, DecodingPreset] = {
    "xsum": DecodingPreset(512, 64, 0.6),
    "cnn_dailymail": DecodingPreset(1024, 128, 0.8),
    "newsroom": DecodingPreset(512, 128, 0.8),
    "multi_news": DecodingPreset(1024, 256, 0.8),
    "gigaword": DecodingPreset(128, 32, 0.6),
    "wikihow": DecodingPreset(512, 256, 0.6),
    "reddit_tifu": DecodingPreset(512, 128, 0.6),
    "big_patent": DecodingPreset(1024, 256, 0.7),
    "arxiv": DecodingPreset(1024, 256, 0.8),
    "pubmed": DecodingPreset(1024, 256, 0.8),
    "aeslc": DecodingPreset(512, 32, 0.6),
    "billsum": DecodingPreset(1024, 256, 0.8),
}


def find_preset(name: str) -> DecodingPreset:
    """The preset of a data set.

    Raises:
        InputError: There is none of that name.
    """
    if name not in PRESETS:
        raise InputError(f"no preset '{name}'", hint=did_you_mean(name, PRESETS))
    return PRESETS[name]
