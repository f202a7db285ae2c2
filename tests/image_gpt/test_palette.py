"""Palettes: exact nearest colours, round trips, files of any kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaibao.errors import InputError
from kuaibao.image_gpt import Palette


def naive(palette: Palette, images: np.ndarray) -> np.ndarray:
    pixels = images.reshape(-1, images.shape[-1]).astype(np.float64)
    colors = (palette.centers.astype(np.float64) + 1) * 127.5
    distances = ((pixels[:, None] - colors[None]) ** 2).sum(-1)
    return distances.argmin(1).reshape(len(images), -1)


@settings(max_examples=25)
@given(st.integers(1, 300), st.integers(0, 10**6), st.floats(0.05, 1.2))
def test_the_nearest_colour_is_found_exactly(n_color: int, seed: int, spread: float) -> None:
    generator = np.random.default_rng(seed)
    palette = Palette((generator.normal(size=(n_color, 3)) * spread).astype(np.float32))
    images = generator.integers(0, 256, (2, 9, 11, 3), dtype=np.uint8)
    tokens = palette.encode(images)
    assert tokens.shape == (2, 99)
    assert (tokens == naive(palette, images)).all()


def test_the_corners_of_the_cube() -> None:
    palette = Palette(np.array([[-1, -1, -1], [1, 1, 1], [1, -1, -1]], dtype=np.float32))
    images = np.array([0, 0, 0, 255, 255, 255, 255, 0, 0, 200, 10, 10], dtype=np.uint8)
    assert palette.encode(images.reshape(1, 2, 2, 3)).tolist() == [[0, 1, 2, 2]]


def test_decoding_gives_the_palettes_own_colours_back() -> None:
    generator = np.random.default_rng(1)
    colors = np.unique(generator.integers(0, 256, (400, 3), dtype=np.uint8), axis=0)
    palette = Palette(colors.astype(np.float32) / 127.5 - 1)
    images = colors[generator.integers(0, len(colors), (3, 8, 8))]
    assert (palette.decode(palette.encode(images)) == images).all()


def test_grey_levels() -> None:
    palette = Palette.grey(16)
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    tokens = palette.encode(images)
    assert tokens.min() == 0
    assert tokens.max() == 15
    assert (np.diff(tokens[0]) >= 0).all()
    assert palette.decode(tokens).shape == (1, 16, 16, 1)
    assert np.abs(palette.decode(tokens)[..., 0].astype(int) - images).max() <= 9


def test_fitting_finds_the_colours_that_are_there() -> None:
    generator = np.random.default_rng(2)
    colors = np.array([[250, 10, 10], [10, 250, 10], [10, 10, 250], [240, 240, 240]])
    noisy = colors[generator.integers(0, 4, (50, 16, 16))] + generator.integers(
        -5, 6, (50, 16, 16, 3)
    )
    palette = Palette.fit(np.clip(noisy, 0, 255).astype(np.uint8), 4, seed=3)
    found = np.round((palette.centers + 1) * 127.5)
    for color in colors:
        assert np.abs(found - color).max(1).min() < 4
    again = Palette.fit(np.clip(noisy, 0, 255).astype(np.uint8), 4, seed=3)
    assert (again.centers == palette.centers).all()
    few = Palette.fit(colors.astype(np.uint8).reshape(1, 2, 2, 3), 512)
    assert few.n_color == 4


def test_files_of_both_layouts(tmp_path: Path) -> None:
    palette = Palette.fit(
        np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8), 32
    )
    palette.save(tmp_path)
    for where in (tmp_path, tmp_path / "clusters.npy", tmp_path / "preprocessor_config.json"):
        assert np.allclose(Palette.load(where).centers, palette.centers)


def test_wrong_files_and_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no palette"):
        Palette.load(tmp_path)
    pickled = tmp_path / "clusters.npy"
    np.save(pickled, np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="no palette"):
        Palette.load(pickled)
    (tmp_path / "preprocessor_config.json").write_text('{"clusters": "no"}')
    with pytest.raises(InputError):
        Palette.load(tmp_path / "preprocessor_config.json")
    palette = Palette.grey(4)
    with pytest.raises(InputError, match="uint8"):
        palette.encode(np.zeros((1, 2, 2, 1)))
    with pytest.raises(InputError, match="shape"):
        palette.encode(np.zeros((2, 2), dtype=np.uint8))
    with pytest.raises(InputError, match="from 0 to 3"):
        palette.decode(np.array([[4, 0, 0, 0]]))
    with pytest.raises(InputError, match="no picture"):
        palette.decode(np.zeros((1, 5), dtype=int))
