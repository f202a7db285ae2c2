"""In the bulletin: an item's pictures are fetched once, sorted, one leads; the cover is printed."""

from __future__ import annotations

import base64
import io
import json
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "bulletin" / "desk"))

from drawn_pictures import draw_kind, save_with_probe
from newsroom import FakeClock, entry, file_entries, furnish

from kuaibao.bulletin.config import load_config, parse_config
from kuaibao.bulletin.desk import (
    Desk,
    choose_lead_picture,
    draft_issue,
    draw_cover,
    find_pictures,
    list_pieces,
    make_issue,
    move_piece,
    place_piece,
    tell_picture,
)
from kuaibao.bulletin.model import Enclosure
from kuaibao.bulletin.pipeline import build
from kuaibao.bulletin.writing import find_figure_sorter, pictures_of
from kuaibao.errors import InputError
from kuaibao.fetching import FetchError, Response

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONFIG = """
series = "Small Bulletin"
number = 6
day = 2026-11-20
formats = ["html", "pdf", "epub", "json"]
[pictures]
lead = true
cover = true
model = "model"
[[editions]]
language = "zh"
text_languages = ["*"]
"""
TEXT = """---
title: A drawing of a machine
language: en
date: 2026-11-19
url: https://example.org/machine
pictures: [photo.png, drawing.png, small.png, ../secret.png, broken.png]
---

The machine has three parts. Each part is drawn apart.
"""


class Recorded:
    """Answers from memory; counts what it was asked for."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies, self.asked = bodies, []

    def get(self, url: str, **_: Any) -> Response:
        self.asked.append(url)
        if url not in self.bodies:
            raise FetchError(url, "nothing there")
        return Response(url=url, status=200, body=self.bodies[url])


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_with_probe(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture
def bulletin(tmp_path: Path, model: Path) -> Path:
    folder = tmp_path / "bulletin"
    texts = folder / "manuscripts"
    texts.mkdir(parents=True)
    (folder / "bulletin.toml").write_text(CONFIG)
    (folder / "model").symlink_to(model)
    (texts / "machine.md").write_text(TEXT)
    drawing = draw_kind("diagram", 3, (640, 480))
    drawing.save(texts / "drawing.png")
    drawing.resize((480, 360)).save(texts / "small.png")
    draw_kind("photograph", 3, (200, 150)).save(texts / "photo.png")
    draw_kind("chart", 3).save(folder / "secret.png")
    (texts / "broken.png").write_bytes(b"\x89PNG cut")
    return folder


def issue_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "issue.json").read_text())


def test_a_build_prints_the_lead_picture_and_the_cover_in_every_form(
    bulletin: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = build(load_config(bulletin), out, fetcher=Recorded({}), now=NOW)  # pyright: ignore[reportArgumentType]
    assert report.counts["pictures_found"] == 3
    assert report.counts["pictures_lead"] == 1
    told = " ".join(report.notices)
    assert "secret.png: lies outside" in told
    assert "broken.png" in told
    issue = issue_of(out)
    (figure,) = issue["sections"][0]["items"][0]["figures"]
    assert figure["alt"].startswith("diagram: ")
    image = Image.open(io.BytesIO(base64.b64decode(figure["image"].partition(",")[2])))
    assert image.size == (640, 480)
    assert issue["cover"]["source"] == "model"
    page = (out / "index.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert 'class="cover wrap"' in page
    with zipfile.ZipFile(out / "issue.epub") as book:
        names = set(book.namelist())
    assert {"EPUB/figures/cover.png", "EPUB/figures/item-1-1-0.png"} <= names
    assert (out / "issue.pdf").read_bytes().startswith(b"%PDF")
    chinese = issue_of(out / "zh")
    assert chinese["sections"][0]["items"][0]["figures"][0]["alt"].startswith("示意图: ")
    assert chinese["cover"] == issue["cover"]


def test_a_second_build_looks_at_no_picture_again(
    bulletin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = bulletin / "manuscripts" / "machine.md"
    text.write_text(TEXT.replace(", ../secret.png, broken.png", ", broken.png"))
    first = build(load_config(bulletin), tmp_path / "o", fetcher=Recorded({}), now=NOW)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr("kuaibao.bulletin.writing.pictures.find_figure_sorter", None)
    monkeypatch.setattr("kuaibao.bulletin.writing.pictures.find_cover_artist", None)
    again = build(load_config(bulletin), tmp_path / "o", fetcher=Recorded({}), now=NOW)  # pyright: ignore[reportArgumentType]
    assert [e.content_hash for e in again.editions] == [e.content_hash for e in first.editions]
    assert not any(e.is_rendered for e in again.editions)


def test_without_its_engine_a_bulletin_is_built_without_pictures(
    bulletin: Path, tmp_path: Path
) -> None:
    (bulletin / "bulletin.toml").write_text(CONFIG.replace('model = "model"', 'engine = "imgae"'))
    report = build(load_config(bulletin), tmp_path / "o", fetcher=Recorded({}), now=NOW)  # pyright: ignore[reportArgumentType]
    assert any("no figure sorter 'imgae' is installed" in n for n in report.notices)
    issue = issue_of(tmp_path / "o")
    assert issue["cover"] is None
    assert issue["sections"][0]["items"][0]["figures"] == []


def test_a_missing_extra_is_told_with_the_command_that_installs_it(
    bulletin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_torch() -> Any:
        raise ModuleNotFoundError("No module named 'torch'")

    points = {"image-gpt": SimpleNamespace(load=without_torch)}
    monkeypatch.setattr("kuaibao.bulletin.writing.protocols.installed", lambda role: points)
    report = build(load_config(bulletin), tmp_path / "o", fetcher=Recorded({}), now=NOW)  # pyright: ignore[reportArgumentType]
    assert any("needs the extra 'models'" in n for n in report.notices)
    assert issue_of(tmp_path / "o")["sections"]


def test_an_editor_s_word_retrains_the_probe_and_a_choice_stands_in_the_issue(
    tmp_path: Path, model: Path
) -> None:
    desk = Desk.open(tmp_path / "desk.db", tmp_path)
    room = furnish(desk, FakeClock(), 0)
    (tmp_path / "model").symlink_to(model)
    config = parse_config(
        'series = "快报"\n[pictures]\nlead = true\ncover = true\nmodel = "model"\n', folder=tmp_path
    )
    desk.pictures = pictures_of(config)
    addresses = [f"https://example.org/{name}.png" for name in ("a", "b", "gone")]
    one = entry(0)
    file_entries(desk, (_with_pictures(one, addresses),))
    bodies = {
        addresses[0]: png(draw_kind("diagram", 9, (640, 480))),
        addresses[1]: png(Image.new("RGB", (640, 480), (110, 110, 110))),
    }
    editor = room.people["editor"]
    (piece,) = list_pieces(desk, editor)
    fetcher = Recorded(bodies)
    found = find_pictures(desk, editor, piece.piece_id, fetcher)  # pyright: ignore[reportArgumentType]
    assert {p.url for p in found.pictures} == set(addresses[:2])
    assert found.picture(addresses[0]).kind == "diagram"
    assert found.lead == addresses[0]
    assert "gone.png" in found.skipped[0]

    sorter = find_figure_sorter("image-gpt", str(model), str(tmp_path / "pictures"))
    alike = png(Image.new("RGB", (620, 470), (113, 113, 113)))
    assert sorter.sort({"x": alike}, {}).figures[0].kind != "formula"
    told = tell_picture(desk, editor, piece.piece_id, addresses[1], "formula")
    kinds = {p.url: (p.kind, p.is_told) for p in told.pictures}
    assert kinds[addresses[1]] == ("formula", True)
    # A picture of the same look is now taken for what the editor said, by another sorter too.
    assert sorter.sort({"x": alike}, {}).figures[0].kind == "formula"
    with pytest.raises(InputError, match="no kind of figure 'chrat'"):
        tell_picture(desk, editor, piece.piece_id, addresses[1], "chrat")
    with pytest.raises(InputError, match="has no picture"):
        choose_lead_picture(desk, editor, piece.piece_id, "https://example.org/else.png")

    choose_lead_picture(desk, editor, piece.piece_id, addresses[1])
    learnt = json.loads((tmp_path / "pictures" / "lead-preferences.json").read_text())
    assert learnt == {"formula>diagram": 1}
    again = find_pictures(desk, editor, piece.piece_id, fetcher)  # pyright: ignore[reportArgumentType]
    assert (again.lead, again.is_chosen) == (addresses[1], True)
    move_piece(desk, editor, piece.piece_id, "pick")
    issue = make_issue(desk, editor, room.series.series_id, day="2026-11-30")
    place_piece(desk, editor, piece.piece_id, issue.issue_id)
    draw_cover(desk, editor, issue.issue_id, 5)
    printed = draft_issue(desk, issue.issue_id)
    (figure,) = printed.sections[0].items[0].figures
    assert figure.alt.startswith("公式: ")
    assert printed.cover is not None
    strip = Image.open(io.BytesIO(base64.b64decode(printed.cover.image.partition(",")[2])))
    assert strip.width > strip.height
    desk.close()


def _with_pictures(one: Any, addresses: list[str]) -> Any:
    import dataclasses

    enclosed = tuple(Enclosure(url=a, media_type="image/png") for a in addresses)
    return dataclasses.replace(one, enclosures=enclosed)


def test_pictures_that_are_printed_are_small_and_carry_no_metadata(model: Path) -> None:
    sorter = find_figure_sorter("image-gpt", str(model), ".")
    noise = np.random.default_rng(0).integers(0, 256, (900, 1600, 3)).astype(np.uint8)
    large = Image.fromarray(noise)
    exif = large.getexif()
    exif[0x010E] = "a secret place"
    buffer = io.BytesIO()
    large.save(buffer, format="JPEG", exif=exif)
    media_type, shown = sorter.shown(buffer.getvalue())
    assert media_type == "image/jpeg"
    assert b"secret" not in shown
    assert Image.open(io.BytesIO(shown)).size == (1200, 675)
    line = Image.new("RGB", (40, 30), "white")
    ImageDraw.Draw(line).line((0, 0, 39, 29), fill="black")
    assert sorter.shown(png(line))[0] == "image/png"
