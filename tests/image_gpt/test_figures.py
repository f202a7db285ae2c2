"""Figures: kinds by a probe, copies found, a lead with its reason, an editor who is listened to."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent))

from drawn_pictures import draw_kind
from tiny_pictures import small_model

from kuaibao.errors import InputError
from kuaibao.image_gpt import save_image_gpt
from kuaibao.image_gpt.figures import (
    KINDS,
    FigureProbe,
    add_choice,
    figure_features,
    load_probe,
    read_choices,
    save_probe,
    sort_figures,
    sort_pictures,
)
from kuaibao.image_gpt.figures.choices import add_preference, read_weights
from kuaibao.image_gpt.figures.sorting import near_identical


def _examples(folder: Path, n: int = 8) -> Path:
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for i in range(n):
            draw_kind(kind, i).save(folder / kind / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def probe() -> FigureProbe:
    model = small_model()
    pictures = [draw_kind(kind, i) for kind in KINDS for i in range(8)]
    labels = torch.arange(len(KINDS)).repeat_interleave(8)
    return FigureProbe.fit(torch.from_numpy(figure_features(model, pictures)), labels)


def test_kinds_are_told_and_the_lead_explains_more_than_a_logo(
    tmp_path: Path, probe: FigureProbe
) -> None:
    for kind in ("logo", "photograph", "diagram"):
        draw_kind(kind, 50).save(tmp_path / f"{kind}.png")
    (tmp_path / "broken.png").write_bytes(b"nothing")
    found = sort_figures([tmp_path], small_model(), probe, root=tmp_path)
    assert {f.file: f.kind for f in found.figures} == {
        "logo.png": "logo", "photograph.png": "photograph", "diagram.png": "diagram"
    }  # fmt: skip
    assert found.lead == "diagram.png"
    assert "diagram" in found.reason
    assert "photograph" in found.reason
    assert "broken.png" in found.skipped[0]


def test_copies_in_other_sizes_and_formats_are_found_and_the_largest_leads(
    tmp_path: Path, probe: FigureProbe
) -> None:
    large = draw_kind("diagram", 3, (640, 480))
    large.save(tmp_path / "a.png")
    large.resize((480, 360)).save(tmp_path / "b.jpg", quality=80)
    found = sort_figures([tmp_path], small_model(), probe, root=tmp_path)
    assert {f.file: f.same_as for f in found.figures} == {"a.png": "", "b.jpg": "a.png"}
    assert "look the same" in found.reason


def test_pale_drawings_are_not_copies_for_being_white() -> None:
    a = Image.new("RGB", (100, 100), "white")
    b = a.copy()
    ImageDraw.Draw(a).rectangle((10, 10, 40, 40), fill="#d0d0d0")
    ImageDraw.Draw(b).rectangle((60, 60, 90, 90), fill="#d0d0d0")
    assert near_identical([a, b, a.copy()]) == [-1, -1, 0]


def test_only_logos_lead_nothing(tmp_path: Path, probe: FigureProbe) -> None:
    draw_kind("logo", 1).save(tmp_path / "logo.png")
    found = sort_figures([tmp_path / "logo.png"], small_model(), probe)
    assert found.lead == ""
    assert "only logos" in found.reason


def test_an_editor_s_choices_retrain_the_probe(tmp_path: Path, probe: FigureProbe) -> None:
    model = small_model()
    odd = [Image.new("RGB", (60, 60), (i, 80, 160)) for i in range(0, 250, 50)]
    values = figure_features(model, odd)
    for row in values[:4]:
        n = add_choice(tmp_path / "choices.npz", row, "formula")
    assert n == 4
    features, labels = read_choices(tmp_path / "choices.npz", values.shape[1])
    taught = probe.with_choices(features, labels)
    assert taught.probe.predict(torch.from_numpy(values[4:])).tolist() == [KINDS.index("formula")]
    with pytest.raises(InputError, match="no kind of figure 'formul'"):
        add_choice(tmp_path / "choices.npz", values[0], "formul")
    with pytest.raises(InputError, match="another model"):
        read_choices(tmp_path / "choices.npz", 7)
    (tmp_path / "choices.npz").write_bytes(b"PK cut")
    with pytest.raises(InputError, match="holds no choices"):
        read_choices(tmp_path / "choices.npz", 7)


def test_leads_that_editors_chose_move_the_proposal(tmp_path: Path, probe: FigureProbe) -> None:
    file = tmp_path / "lead-preferences.json"
    prior = {"chart": 0.9, "diagram": 1.0, "logo": 0.1}
    assert read_weights(file, prior) == prior
    assert add_preference(file, "chart", "diagram") == 1
    moved = read_weights(file, prior)
    assert moved["chart"] > 0.9 > moved["diagram"]
    for _ in range(50):
        add_preference(file, "logo", "chart")
    assert read_weights(file, prior)["logo"] < 0.5  # a habit, not a law
    with pytest.raises(InputError, match="no kind of figure 'chrat'"):
        add_preference(file, "chrat", "logo")
    pictures = {kind: draw_kind(kind, 50) for kind in ("photograph", "diagram")}
    assert sort_pictures(pictures, small_model(), probe).lead == "diagram"
    other = {**dict.fromkeys(KINDS, 0.5), "photograph": 0.9}
    assert sort_pictures(pictures, small_model(), probe, weights=other).lead == "photograph"
    file.write_text("[1]")
    with pytest.raises(InputError, match="holds no preferences"):
        read_weights(file, prior)


def test_a_probe_is_kept_with_its_examples(tmp_path: Path, probe: FigureProbe) -> None:
    save_probe(probe, tmp_path)
    again = load_probe(tmp_path)
    assert torch.equal(again.labels, probe.labels)
    assert torch.equal(again.probe.predict(probe.features), probe.probe.predict(probe.features))
    (tmp_path / "figure-kinds.safetensors").write_bytes(b"cut")
    with pytest.raises(InputError, match="damaged"):
        load_probe(tmp_path)
    with pytest.raises(InputError, match="no probe of figures"):
        load_probe(tmp_path / "elsewhere")


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    from kuaibao.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code in (0, None)
    return json.loads(capsys.readouterr().out)


def test_the_commands_train_sort_listen_and_draw_a_cover(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    save_image_gpt(small_model(), model)
    examples = _examples(tmp_path / "examples")
    told = _run(["figures", "--train", str(examples), "--model", str(model), "--json"], capsys)
    assert told["n_train"] == 48
    assert 0.0 <= told["accuracy"] <= 1.0
    item = tmp_path / "item"
    item.mkdir()
    draw_kind("photograph", 9).save(item / "photo.png")
    draw_kind("logo", 9).save(item / "logo.png")
    choices = ["--choices", str(tmp_path / "choices.npz"), "--model", str(model), "--json"]
    found = _run(["figures", str(item), *choices], capsys)
    assert found["lead"].endswith("photo.png")
    assert _run(["figures", str(item / "logo.png"), "--choose", "chart", *choices], capsys) == {
        "kind": "chart", "choices": 1
    }  # fmt: skip
    again = _run(["figures", str(item), *choices], capsys)
    assert {Path(f["file"]).name: f["kind"] for f in again["figures"]}["logo.png"] == "chart"
    strip = tmp_path / "cover.png"
    drawn = _run(["cover", "-o", str(strip), "--model", str(model), "--columns", "5", "--rows", "2",
                  "--cell", "16", "--seed", "7", "--json"], capsys)  # fmt: skip
    assert (drawn["pictures"], drawn["drawn"]) == (10, 20)
    assert Image.open(strip).size == (drawn["width"], drawn["height"])
    first = strip.read_bytes()
    _run(["cover", "-o", str(strip), "--model", str(model), "--columns", "5", "--rows", "2",
          "--cell", "16", "--seed", "7", "--json"], capsys)  # fmt: skip
    assert strip.read_bytes() == first
