"""`/v1/images/completions`: a real small image GPT goes on with pictures, metered and bounded."""

import base64
import io
import sys
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image
from running import Running, make_service

from kuaibao.image_gpt import save_image_gpt

sys.path.append(str(Path(__file__).parents[1] / "image_gpt"))

from tiny_pictures import small_model

SIZE = 6


@pytest.fixture(scope="module")
def drawing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image-model")
    save_image_gpt(small_model(size=SIZE), folder)
    service = make_service(tmp_path_factory.mktemp("service"), image_models={"tiny": str(folder)})
    with Running(service) as server:
        yield server


def png(size=(9, 9), color=(200, 30, 30)):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, format="PNG")
    return base64.b64encode(out.getvalue()).decode()


def draw(server, **fields):
    headers = {"Authorization": f"Bearer {server.key}"}
    return httpx2.post(
        server.url + "/v1/images/completions",
        json={"model": "tiny"} | fields,
        headers=headers,
        timeout=60,
    )


def opened(answer):
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(d["b64_json"]))))
        for d in answer.json()["data"]
    ]


def test_the_upper_part_stays_and_each_completion_differs(drawing):
    answer = draw(drawing, image=png(), keep=0.5, n=3, seed=5)
    assert answer.status_code == 200, answer.text
    pictures = opened(answer)
    assert [p.shape for p in pictures] == [(SIZE, SIZE, 3)] * 3
    for picture in pictures[1:]:
        assert (picture[: SIZE // 2] == pictures[0][: SIZE // 2]).all()
        assert (picture[SIZE // 2 :] != pictures[0][SIZE // 2 :]).any()
    usage = answer.json()["usage"]
    assert usage["prompt_tokens"] == SIZE * SIZE // 2
    assert usage["completion_tokens"] == 3 * SIZE * SIZE // 2


def test_a_seed_repeats_and_is_told_when_none_was_given(drawing):
    first = draw(drawing)
    again = draw(drawing, seed=first.json()["seed"])
    assert first.json()["data"] == again.json()["data"]
    assert draw(drawing, seed=1).json()["data"] != draw(drawing, seed=2).json()["data"]


def test_usage_is_entered_once_with_the_pixels(drawing):
    before = drawing.service.ledger.totals("endpoint")
    n_before = sum(t.n_completion_token for t in before if t.group == "images")
    draw(drawing, image=png(), n=2)
    after = drawing.service.ledger.totals("endpoint")
    assert sum(t.n_completion_token for t in after if t.group == "images") - n_before == SIZE**2


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"image": "%%%"}, "image"),
        ({"image": base64.b64encode(b"GIF89a nonsense").decode()}, "image"),
        ({"image": png((3000, 2000))}, "image"),
        ({"n": 17}, "n"),
        ({"temperature": -1}, "temperature"),
        ({"keep": 2}, "keep"),
        ({"model": "nope"}, "model"),
    ],
)
def test_a_wrong_order_names_its_field(drawing, fields, param):
    answer = draw(drawing, **fields)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["error"]["param"] == param


def test_the_model_is_listed(drawing):
    headers = {"Authorization": f"Bearer {drawing.key}"}
    listed = httpx2.get(drawing.url + "/v1/models", headers=headers, timeout=60).json()["data"]
    assert "tiny" in [model["id"] for model in listed]
