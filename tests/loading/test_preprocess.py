"""Work done once, offline: pictures at several sizes, tokens, tables."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from kuaibao.loading import (
    BadSampleError,
    LoadingError,
    Pictures,
    StaleStoreError,
    Store,
    TokenizedTexts,
    build_store,
    picture_stores,
    table_tensors,
)


@pytest.fixture
def photographs(tmp_path):
    """Eight JPEGs whose brightness is their number."""
    paths = []
    for i in range(8):
        path = tmp_path / f"{i}.jpg"
        pixels = np.full((96, 128, 3), 30 * i, dtype=np.uint8)
        Image.fromarray(pixels).save(path, quality=95)
        paths.append(path)
    return paths


def test_pictures_come_at_each_size_with_their_labels(photographs, tmp_path):
    stores = picture_stores(photographs, tmp_path / "s", sides=(16, 32), labels=range(8))
    for side, store in stores.items():
        x, y = next(iter(DataLoader(store, batch_size=8)))
        assert x.shape == (8, 3, side, side)
        assert x.dtype == torch.uint8
        assert y.tolist() == list(range(8))
        assert [round(v) for v in x.float().mean((1, 2, 3)).tolist()] == [30 * i for i in range(8)]


def test_grey_pictures_have_one_channel_and_another_store(photographs, tmp_path):
    colour = picture_stores(photographs, tmp_path / "s", sides=(16,))[16]
    grey = build_store(Pictures(photographs, 16, grey=True), tmp_path / "g", settings={"grey": 1})
    assert grey[0][0].shape == (1, 16, 16)
    with pytest.raises(StaleStoreError):
        Store(tmp_path / "g", key=colour.key)


def test_a_picture_that_is_cut_off_is_named_or_skipped_as_configured(photographs, tmp_path):
    photographs[5].write_bytes(photographs[5].read_bytes()[:300])
    with pytest.raises(BadSampleError, match=r"5\.jpg"):
        picture_stores(photographs, tmp_path / "s", sides=(16,))
    store = picture_stores(photographs, tmp_path / "s", sides=(16,), on_error="skip")[16]
    assert len(store) == 7
    assert "5.jpg" in store.skipped[0]["name"]


def test_labels_that_do_not_fit_the_pictures_are_refused(photographs):
    with pytest.raises(LoadingError, match="8 pictures have 2 labels"):
        Pictures(photographs, 16, labels=[0, 1])


def test_texts_are_tokenised_once(tmp_path):
    asked = []

    def encode(text):
        asked.append(text)
        return [ord(letter) for letter in text]

    data = TokenizedTexts(["abc", "abcdefgh", ""], encode, 5, padding=-1)
    store = build_store(data, tmp_path / "s", code=[encode])
    tokens, lengths = next(iter(DataLoader(store, batch_size=3)))
    assert tokens.tolist() == [[97, 98, 99, -1, -1], [97, 98, 99, 100, 101], [-1] * 5]
    assert lengths.tolist() == [3, 5, 0]
    assert asked == ["abc", "abcdefgh", ""]


def test_a_table_becomes_tensors_that_a_loader_gathers():
    tensors, words = table_tensors(
        {"price": np.array([1.5, 2.5, 3.5]), "n": [1, 2, 3], "city": ["Xian", "Jinan", "Xian"]}
    )
    assert tensors["price"].dtype == torch.float64
    assert [words["city"][i] for i in tensors["city"]] == ["Xian", "Jinan", "Xian"]
    batch = next(iter(DataLoader(TensorDataset(*tensors.values()), batch_size=3)))
    assert batch[1].tolist() == [1, 2, 3]


def test_columns_of_two_lengths_are_refused():
    with pytest.raises(LoadingError, match="differ in length"):
        table_tensors({"a": [1, 2], "b": [1]})


class Frame:
    """As much of a DataFrame as is asked for."""

    def __init__(self, **columns):
        self._values = columns
        self.columns = list(columns)

    def __getitem__(self, name):
        return self._values[name]


def test_a_data_frame_is_a_table_too():
    tensors, words = table_tensors(Frame(x=[1.0, 2.0], word=np.array(["b", "a"], dtype=object)))
    assert tensors["x"].tolist() == [1.0, 2.0]
    assert words == {"word": ["a", "b"]}
