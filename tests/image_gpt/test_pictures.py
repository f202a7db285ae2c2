"""Pictures of every mode become bytes of one size; broken and huge ones are named."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kuaibao.image_gpt.errors import PictureError
from kuaibao.image_gpt.pictures import decode_picture, read_folder, read_picture, resize


def _file(form: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 30, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, format=form)
    return buffer.getvalue()


FILES = {form: _file(form) for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=12),
    st.integers(0, 3000),
)
def test_a_damaged_file_is_a_picture_or_an_error_of_ours(
    form: str, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(FILES[form])
    for place, value in changes:
        data[place % len(data)] = value
    data = data[: len(data) - cut % len(data)] if cut % 3 == 0 else data
    try:
        assert decode_picture(bytes(data), max_pixels=1_000_000).mode == "RGB"
    except PictureError as error:
        assert "no picture" in str(error) or "too many" in str(error)  # noqa: PT017


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_picture_are_told_so(data: bytes) -> None:
    with pytest.raises(PictureError, match=r"x\.png: no picture"):
        decode_picture(b"\0" + data, name="x.png")


def test_a_file_larger_than_any_picture_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kuaibao.image_gpt.pictures.MAX_BYTES", 1000)
    (tmp_path / "x.png").write_bytes(FILES["BMP"])
    with pytest.raises(PictureError, match=r"x\.png: larger than"):
        read_picture(tmp_path / "x.png")
    with pytest.raises(PictureError, match="larger than"):
        decode_picture(FILES["BMP"])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str, tmp_path: Path) -> None:
    grey = Image.fromarray(np.tile(np.arange(0, 250, 10, dtype=np.uint8), (25, 1)))
    suffix = "tif" if mode in ("CMYK", "I", "F", "LA") else "png"
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        picture = grey.convert(mode)
    picture.save(tmp_path / f"x.{suffix}")
    read = read_picture(tmp_path / f"x.{suffix}")
    assert read.mode == "RGB"
    values = np.asarray(read).astype(int)
    assert values[:, -1].mean() > 200 > 50 > values[:, 0].mean()


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(tmp_path / "x.png")
    assert np.asarray(read_picture(tmp_path / "x.png")).min() == 255


@settings(max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 40), st.booleans())
def test_any_size_becomes_the_wanted_square(w: int, h: int, size: int, grey: bool) -> None:
    shape = resize(Image.new("RGB", (w, h), (9, 9, 9)), size, grey=grey).shape
    assert shape == (size, size, 1 if grey else 3)


def test_a_folder_with_classes_and_broken_files(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("RGB", (20, 30), (i, i, i)).save(tmp_path / name / f"{i}.png")
    (tmp_path / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "dog" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 50)
    (tmp_path / "cat" / "note.txt").write_text("no picture")
    found = read_folder(tmp_path, 8)
    assert found.images.shape == (6, 8, 8, 3)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.classes == ("cat", "dog")
    assert len(found.skipped) == 2
    assert any("broken.png" in line for line in found.skipped)
    with pytest.raises(PictureError, match="no pictures"):
        (tmp_path / "empty").mkdir()
        read_folder(tmp_path / "empty", 8)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    file = tmp_path / "bomb.pgm"
    file.write_bytes(b"P5 100000 100000 255\n")
    with pytest.raises(PictureError):
        read_picture(file)


def test_stored_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 8, 8), np.uint8), labels=np.array([0, 1, 1]))
    found = read_folder(tmp_path / "a.npz", 8)
    assert found.images.shape == (3, 8, 8, 1)
    assert found.classes == ("0", "1")
    np.savez(tmp_path / "b.npz", images=np.zeros((3, 8, 8)))
    with pytest.raises(PictureError, match="bytes"):
        read_folder(tmp_path / "b.npz", 8)
