"""Sets of pictures: folders, published binary files, packages; packed, and packed anew."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from tiny_pictures import half_bright, write_classes

from kuaibao.errors import InputError
from kuaibao.image_gpt import Palette, prepare
from kuaibao.image_gpt.datasets import NAMED_SETS, load_dataset, packages
from kuaibao.image_gpt.datasets.folders import random_crop
from kuaibao.image_gpt.packing import augment


def test_sub_folders_are_classes_and_broken_files_are_named(tmp_path: Path) -> None:
    write_classes(tmp_path / "set")
    (tmp_path / "set" / "above" / "broken.png").write_bytes(b"\x89PNG nothing")
    packed = prepare("set", tmp_path / "cache", size=6, n_color=16, folder=tmp_path)
    assert packed.classes == ("above", "below")
    assert sum(len(p.labels) for p in packed.parts.values()) == 24
    assert packed.train.tokens.shape[1] == 36
    assert packed.train.tokens.dtype == np.uint8
    assert "broken.png" in packed.skipped[0]


def test_folders_of_parts_and_image_net_s_two_parts(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_classes(tmp_path / "set" / part, n=40 if part == "train" else 5)
    found = load_dataset("set", 4, folder=tmp_path)
    assert found.classes == ("above", "below")
    assert found.parts["test"].n == 10
    assert found.parts["train"].n + found.parts["validation"].n == 80
    assert 0 < found.parts["validation"].n < 15


def test_random_crops_multiply_the_training_part(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", n=3)
    write_classes(tmp_path / "val", n=2)
    write_classes(tmp_path / "test", n=2)
    found = load_dataset(str(tmp_path), 4, n_crop=3)
    images = np.concatenate([images for images, _ in found.parts["train"].chunks()])
    assert len(images) == found.parts["train"].n == 18
    assert len(np.unique(images.reshape(18, -1), axis=0)) > 6


def test_a_crop_is_a_square_whatever_the_picture(tmp_path: Path) -> None:
    for width, height in ((10, 300), (1800, 40), (500, 500)):
        crop = random_crop(Image.new("RGB", (width, height)), np.random.default_rng(1))
        assert crop.size == (224, 224)
    with pytest.raises(InputError, match="fifty times"):
        random_crop(Image.new("RGB", (9000, 10)), np.random.default_rng(1))


def test_packed_pictures_are_reused_until_something_changes(tmp_path: Path) -> None:
    write_classes(tmp_path / "set")
    first = prepare("set", tmp_path / "cache", size=4, n_color=8, folder=tmp_path)
    stamp = (tmp_path / "cache" / "train.tokens").stat().st_mtime_ns
    again = prepare("set", tmp_path / "cache", size=4, n_color=8, folder=tmp_path)
    assert (tmp_path / "cache" / "train.tokens").stat().st_mtime_ns == stamp
    assert np.array_equal(first.train.tokens, again.train.tokens)
    generator = np.random.default_rng(0)
    Image.fromarray(half_bright(True, 12, generator)).save(tmp_path / "set" / "above" / "new.png")
    more = prepare("set", tmp_path / "cache", size=4, n_color=8, folder=tmp_path)
    assert sum(len(p.labels) for p in more.parts.values()) == 25


def test_a_cut_shard_is_told_and_made_anew(tmp_path: Path) -> None:
    write_classes(tmp_path / "set")
    prepare("set", tmp_path / "cache", size=4, n_color=8, folder=tmp_path)
    shard = tmp_path / "cache" / "train.tokens"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged"):
        prepare("set", tmp_path / "cache", size=4, n_color=8, folder=tmp_path)
    prepare("set", tmp_path / "cache", size=4, n_color=8, folder=tmp_path)


def _cifar(folder: Path, n: int, n_label: int, names: list[str]) -> np.ndarray:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (n, 32, 32, 3)).astype(np.uint8)
    folder.mkdir()
    for name in names:
        rows = [
            bytes([i % 10] * n_label) + images[i].transpose(2, 0, 1).tobytes() for i in range(n)
        ]
        (folder / name).write_bytes(b"".join(rows))
    return images


def test_the_binary_files_of_cifar_are_read(tmp_path: Path) -> None:
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    images = _cifar(tmp_path / "ten", 20, 1, names)
    found = load_dataset("ten", 32, folder=tmp_path)
    assert [found.parts[p].n for p in ("train", "validation", "test")] == [90, 10, 20]
    (got, labels), *_ = found.parts["test"].chunks()
    assert np.array_equal(got, images)
    assert labels.tolist() == [i % 10 for i in range(20)]
    assert sum(len(x) for x, _ in found.parts["train"].chunks()) == 90
    images = _cifar(tmp_path / "hundred", 10, 2, ["train.bin", "test.bin"])
    small = load_dataset("hundred", 16, grey=True, folder=tmp_path)
    assert len(small.classes) == 100
    assert next(small.parts["test"].chunks())[0].shape == (10, 16, 16, 1)


def test_the_binary_files_of_stl_are_read_column_by_column(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 96, 96, 3)).astype(np.uint8)
    for name in ("train_X.bin", "test_X.bin", "unlabeled_X.bin"):
        (tmp_path / name).write_bytes(images.transpose(0, 3, 2, 1).tobytes())
    for name in ("train_y.bin", "test_y.bin"):
        (tmp_path / name).write_bytes(bytes(range(1, 11)) + bytes([1, 2]))
    found = load_dataset(str(tmp_path), 96)
    (got, labels), *_ = found.parts["test"].chunks()
    assert np.array_equal(got, images)
    assert labels.tolist() == [*range(10), 0, 1]
    train = [labels for _, labels in found.parts["train"].chunks()]
    assert sum(map(len, train)) == found.parts["train"].n == 22
    assert (np.concatenate(train) == -1).sum() == 12


def test_pickles_and_cut_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match="pickles run code"):
        load_dataset(str(tmp_path), 32)
    _cifar(tmp_path / "hundred", 3, 2, ["train.bin", "test.bin"])
    (tmp_path / "hundred" / "test.bin").write_bytes(b"cut")
    with pytest.raises(InputError, match="cut short"):
        load_dataset("hundred", 32, folder=tmp_path)


def test_digits_come_with_scikit_learn() -> None:
    pytest.importorskip("sklearn")
    found = load_dataset("digits", 8, grey=True)
    assert sum(p.n for p in found.parts.values()) == 1797
    assert next(found.parts["train"].chunks())[0].max() == 255


def test_unknown_sets_are_told_with_what_is_known() -> None:
    with pytest.raises(InputError, match="neither a known set") as told:
        load_dataset("emojis", 8)
    assert "emoji" in told.value.hint
    assert set(NAMED_SETS) == {"digits", "mnist", "emoji", "emoji-google", "emoji-twitter"}


def _archive(folder: Path, files: dict[str, bytes]) -> str:
    import base64
    import hashlib

    path = folder / "set.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def _stub_npm(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """An `npm` that copies the archive to where the real one would put it."""
    program = folder / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncp '{folder}/set.tgz' ./fetched-1.0.0.tgz\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("KUAIBAO_CACHE", str(folder / "cache"))


def test_emoji_are_read_from_a_package_and_tones_stay_in_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    picture = io.BytesIO()
    Image.new("RGBA", (64, 64), (250, 10, 10, 255)).save(picture, "PNG")
    rows: list[dict[str, object]] = []
    files: dict[str, bytes] = {}
    for i in range(40):
        tone = {"image": f"{i}-tone.png", "has_img_google": True}
        rows.append({"unified": f"1F{i:03}", "image": f"{i}.png", "has_img_google": True,
                     "category": "Food" if i % 2 else "Flags", "skin_variations": {"1F3FB": tone}})  # fmt: skip
        for name in (f"{i}.png", f"{i}-tone.png"):
            files[f"package/img/google/64/{name}"] = picture.getvalue()
    files["package/emoji.json"] = json.dumps(rows).encode()
    files["package/../escape.png"] = b"no"
    files["package/scripts/run.js"] = b"no"
    digest = _archive(tmp_path, files)
    package = packages.NpmPackage(
        name="fetched", version="1.0.0", sha512=digest, wanted=packages._is_emoji_file
    )
    monkeypatch.setitem(packages.PACKAGES, "google", package)
    _stub_npm(monkeypatch, tmp_path)
    found = load_dataset("emoji-google", 8)
    n = {name: part.n for name, part in found.parts.items()}
    assert n["train"] + 2 * n["validation"] + 2 * n["test"] == 80
    assert found.classes == ("Flags", "Food")
    assert "Apache" in found.credit
    cached = tmp_path / "cache" / "pictures" / "fetched-1.0.0"
    assert not (cached / "scripts").exists()
    assert not (cached.parent / "escape.png").exists()


def test_an_archive_with_another_hash_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _archive(tmp_path, {"package/emoji.json": b"[]"})
    _stub_npm(monkeypatch, tmp_path)
    with pytest.raises(InputError, match="another hash"):
        load_dataset("emoji-google", 8)
    assert not list((tmp_path / "cache").rglob("emoji.json"))


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 9), st.integers(0, 2), st.integers(0, 2**31))
def test_augmented_pictures_hold_the_picture_s_own_tokens(size: int, pad: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    tokens = generator.integers(0, 500, (6, size * size))
    moved = augment(tokens, size, generator, pad=pad)
    assert moved.shape == tokens.shape
    for before, after in zip(tokens, moved, strict=True):
        assert set(after.tolist()) <= set(before.tolist())
        if pad == 0:
            grid = before.reshape(size, size)
            assert np.array_equal(after, before) or np.array_equal(after, grid[:, ::-1].ravel())


def test_a_palette_can_be_given(tmp_path: Path) -> None:
    write_classes(tmp_path / "set")
    palette = Palette(np.array([[-1, -1, -1], [1, 1, 1]], dtype=np.float32))
    packed = prepare("set", tmp_path / "cache", size=4, palette=palette, folder=tmp_path)
    assert packed.palette.n_color == 2
    assert set(np.unique(packed.train.tokens)) == {0, 1}
