"""A labelled set of figures, made: charts, diagrams, formulas, logos, photographs, screenshots.

python scripts/figure_set.py FOLDER [--n 60]

Charts, formulas and diagrams (boxes and arrows) are drawn by matplotlib, screenshots are pages of
made-up text taken by Chromium, logos are made-up shapes and word marks, photographs are crops of
those that scikit-learn, matplotlib and (where installed) scikit-image carry. So the set tells the
kinds of these makers apart; how a probe does on a bulletin's real figures, an editor's choices say.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import cbook, rcParams, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image, ImageDraw, ImageFont

WORDS = (
    *("model", "token", "layer", "loss", "attention", "gradient", "sample", "corpus", "index"),
    *("cache", "graph", "stream", "batch", "weight", "signal", "kernel", "sparse", "dense"),
    *("latent", "policy", "reward", "state", "action", "prior", "query", "key", "value"),
    *("memory", "schedule", "shard", "prompt", "summary", "probe", "palette", "pixel"),
)


def words(draw: random.Random, n: int) -> str:
    """Made-up text."""
    return " ".join(draw.choice(WORDS) for _ in range(n))


def _save(figure: Figure, path: Path, dpi: int) -> None:
    FigureCanvasAgg(figure).print_figure(path, dpi=dpi, format="png")


def chart(draw: random.Random, path: Path) -> None:
    """Lines, bars, points, heat maps, histograms, in several styles."""
    generator = np.random.default_rng(draw.randrange(2**31))
    with style.context(
        draw.choice(["default", "ggplot", "bmh", "seaborn-v0_8", "fivethirtyeight"])
    ):
        figure = Figure(figsize=(draw.uniform(4, 9), draw.uniform(3, 6)), layout="constrained")
        axes = figure.add_subplot()
        kind = draw.choice(["line", "line", "bar", "scatter", "hist", "heat", "box", "area"])
        x = np.arange(draw.randint(6, 60))
        n = draw.randint(1, 5)
        if kind == "line":
            for _ in range(n):
                axes.plot(x, generator.normal(size=len(x)).cumsum(), label=words(draw, 1))
            axes.legend()
        elif kind == "bar":
            for i in range(n):
                axes.bar(np.arange(6) + 0.8 * i / n, generator.random(6), 0.8 / n)
        elif kind == "scatter":
            for _ in range(n):
                axes.scatter(*generator.normal(size=(2, 60)), s=draw.uniform(5, 60), alpha=0.7)
        elif kind == "hist":
            axes.hist(generator.normal(size=(400, n)), bins=draw.randint(8, 30))
        elif kind == "heat":
            figure.colorbar(
                axes.imshow(
                    generator.random((8, 12)), cmap=draw.choice(["viridis", "Blues", "magma"])
                )
            )
        elif kind == "box":
            axes.boxplot(list(generator.normal(size=(n + 2, 40))))
        else:
            axes.stackplot(x, np.abs(generator.normal(size=(n + 1, len(x)))))
        axes.set_title(words(draw, 3))
        axes.set_xlabel(words(draw, 2))
        axes.set_ylabel(words(draw, 1))
        _save(figure, path, draw.choice([60, 80, 110]))


def diagram(draw: random.Random, path: Path) -> None:
    """Boxes with words and arrows between them, in rows, columns or rings."""
    figure = Figure(figsize=(draw.uniform(5, 9), draw.uniform(3, 6)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    n = draw.randint(4, 10)
    columns = draw.randint(2, 4)
    ring = draw.random() < 0.3
    places: list[tuple[float, float]] = []
    for i in range(n):
        if ring:
            angle = 2 * np.pi * i / n
            places.append((5 + 4 * np.cos(angle), 3 + 2.4 * np.sin(angle)))
        else:
            places.append((1.2 + 8 / columns * (i % columns), 5.2 - 1.7 * (i // columns)))
    tone = draw.choice(["#dbe9f6", "#fbe3d6", "#e5f3e0", "#ffffff", "#eeeeee", "#fff6cc"])
    for a, b in zip(places, places[1:] + places[:1] if ring else places[1:], strict=False):
        axes.annotate("", b, a, arrowprops={"arrowstyle": draw.choice(["->", "-|>"]), "shrinkA": 22,
                                            "shrinkB": 22, "lw": draw.uniform(1, 2)})  # fmt: skip
    box = draw.choice(["round,pad=0.25", "square,pad=0.25", "circle,pad=0.3"])
    for x, y in places:
        if box.startswith("circle"):
            axes.text(x, y, words(draw, 1), ha="center", va="center", fontsize=9,
                      bbox={"boxstyle": box, "fc": tone, "ec": "black"})  # fmt: skip
        else:
            axes.add_patch(
                FancyBboxPatch((x - 0.8, y - 0.3), 1.6, 0.6, boxstyle=box, fc=tone, ec="black")
            )
            axes.text(x, y, words(draw, draw.randint(1, 2)), ha="center", va="center", fontsize=8)
    axes.set_xlim(-0.5, 10.5)
    axes.set_ylim(-1.5, 7)
    _save(figure, path, draw.choice([60, 80, 110]))


def formula(draw: random.Random, path: Path) -> None:
    """One to four lines of mathematics."""
    letters = "abcdfghijklmnpqrstuvwxyz"
    greek = ["alpha", "beta", "theta", "lambda", "mu", "sigma", "phi", "omega"]

    def term() -> str:
        a, b = draw.choice(letters), draw.choice(letters)
        g = "\\" + draw.choice(greek)
        return draw.choice([
            f"\\frac{{{a}_{b}}}{{{g}^2}}", f"\\sum_{{{a}=1}}^{{n}} {b}_{a}", f"\\sqrt{{{a}^2+{b}}}",
            f"\\int_0^1 {a}({b})\\,d{b}", f"{g}_{{{a}{b}}}", f"\\log p({a}|{b})", f"e^{{-{g} {a}}}",
            f"\\|{a}-{b}\\|^2",
        ])  # fmt: skip

    n = draw.randint(1, 4)
    figure = Figure(figsize=(draw.uniform(4, 8), 0.8 + 0.8 * n))
    with_font = draw.choice(["cm", "stix", "dejavusans"])
    rcParams["mathtext.fontset"] = with_font
    for i in range(n):
        left = draw.choice(letters).upper()
        text = (
            f"${left} = "
            + draw.choice([" + ", " - ", "\\;"]).join(term() for _ in range(draw.randint(1, 4)))
            + "$"
        )
        figure.text(
            0.5, 1 - (i + 0.5) / n, text, ha="center", va="center", fontsize=draw.randint(14, 24)
        )
    _save(figure, path, draw.choice([70, 100, 140]))


def logo(draw: random.Random, path: Path) -> None:
    """A shape in one or two colours, often with a word."""
    side = draw.choice([128, 200, 256, 400])
    wide = draw.random() < 0.5
    width = side * (3 if wide else 1)
    ground = draw.choice(["white", "white", "#111111", "#f4f4f4", _tone(draw)])
    picture = Image.new("RGB", (width, side), ground)
    pen = ImageDraw.Draw(picture)
    tones = [_tone(draw), _tone(draw)]
    for k in range(draw.randint(1, 3)):
        inset = side * (0.12 + 0.13 * k)
        frame = (inset, inset, side - inset, side - inset)
        shape = draw.choice(["ellipse", "rectangle", "polygon", "pieslice"])
        tone = tones[k % 2] if k < 2 else ground
        if shape == "polygon":
            n, turn = draw.randint(3, 7), draw.random() * 6
            radius = side / 2 - inset
            turns = turn + 2 * np.pi * np.arange(n) / n
            corners = side / 2 + radius * np.stack([np.cos(turns), np.sin(turns)], 1)
            pen.polygon([(float(x), float(y)) for x, y in corners], fill=tone)
        elif shape == "pieslice":
            pen.pieslice(frame, draw.randint(0, 180), draw.randint(200, 360), fill=tone)
        elif shape == "rectangle":
            pen.rounded_rectangle(frame, side * 0.1, fill=tone)
        else:
            pen.ellipse(frame, fill=tone)
    if wide:
        font = ImageFont.load_default(side * 0.36)
        ink = "white" if ground == "#111111" else draw.choice(["#222222", tones[0]])
        pen.text((side, side * 0.28), draw.choice(WORDS).title(), font=font, fill=ink)
    picture.save(path)


def _tone(draw: random.Random) -> str:
    return (
        f"#{draw.randrange(30, 240):02x}{draw.randrange(30, 240):02x}{draw.randrange(30, 240):02x}"
    )


def page(draw: random.Random) -> str:
    """A made-up page, editor, form or chat as HTML."""
    dark = draw.random() < 0.35
    ink, paper = ("#dddddd", "#1e1e1e") if dark else ("#222222", "#ffffff")
    font = draw.choice(["sans-serif", "serif", "monospace"])
    links = "  ".join(words(draw, 1) for _ in range(5))
    rules = [
        f"body{{margin:0;font:{draw.randint(13, 18)}px {font};color:{ink};background:{paper}}}",
        f"header{{background:{_tone(draw)};color:white;padding:10px 20px}}nav{{float:right}}",
        "main{padding:10px 30px}td{border:1px solid #8888;padding:4px 10px}",
        ".b{background:#8883;border-radius:9px;padding:8px;margin:8px;width:60%}",
    ]
    head = f"<header>{words(draw, 2)} <nav>{links}</nav></header>"
    return f"<style>{''.join(rules)}</style>{head}<main>{_page_body(draw)}</main>"


def _page_body(draw: random.Random) -> str:
    kind = draw.choice(["article", "article", "code", "table", "form", "chat"])
    if kind == "code":
        lines = ("  " * draw.randint(0, 4) + words(draw, draw.randint(1, 7)) for _ in range(40))
        return "<pre>" + "()\n".join(lines) + "</pre>"
    if kind == "table":
        row = "<tr>" + "<td>{}</td>" * 6 + "</tr>"
        rows = (row.format(*(words(draw, draw.randint(1, 2)) for _ in range(6))) for _ in range(22))
        return "<table>" + "".join(rows) + "</table>"
    if kind == "form":
        field = "<p><label>{}</label><br><input value='{}'> <button>{}</button></p>"
        return "".join(
            field.format(words(draw, 2), words(draw, 2), words(draw, 1)) for _ in range(9)
        )
    if kind == "chat":
        said = "<div class=b style='margin-left:{}%'>{}</div>"
        return "".join(
            said.format(draw.choice([0, 0, 30]), words(draw, draw.randint(4, 25)))
            for _ in range(10)
        )
    return "".join(
        f"<h2>{words(draw, 4)}</h2><p>{words(draw, draw.randint(30, 90))}.</p>" for _ in range(6)
    )


def screenshots(draw: random.Random, folder: Path, n: int) -> None:
    """Pages as Chromium shows them."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as chromium:
        browser = chromium.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for i in range(n):
            size = draw.choice([(1280, 800), (1024, 700), (800, 600), (420, 800)])
            tab = browser.new_page(viewport={"width": size[0], "height": size[1]})
            tab.set_content(page(draw))
            tab.screenshot(path=folder / f"{i:03}.png")
            tab.close()
        browser.close()


def photographs() -> Iterator[tuple[str, Image.Image]]:
    """Real photographs that packages carry."""
    from sklearn.datasets import load_sample_image

    for name in ("china.jpg", "flower.jpg"):
        yield name.split(".")[0], Image.fromarray(load_sample_image(name))
    for name in ("grace_hopper.jpg",):
        with cbook.get_sample_data(name) as file:
            yield "hopper", Image.open(file).convert("RGB")
    try:
        import skimage
    except ModuleNotFoundError:
        return
    data = Path(next(iter(skimage.__path__))) / "data"
    for file in sorted([*data.glob("*.png"), *data.glob("*.jpg")]):
        picture = Image.open(file)
        if min(picture.size) >= 150 and file.stem in _PHOTOS:
            yield file.stem, picture.convert("RGB")


_PHOTOS = ("astronaut", "brick", "camera", "cat", "chelsea", "coffee", "coins", "grass", "gravel",
           "hubble_deep_field", "ihc", "motorcycle_left", "retina", "rocket", "skin")  # fmt: skip


def photograph_crops(draw: random.Random, folder: Path, n: int) -> None:
    """Random parts of them, as JPEG."""
    found = list(photographs())
    for i in range(n):
        name, picture = found[i % len(found)]
        share = draw.uniform(0.45, 1.0)
        width, height = int(picture.width * share), int(picture.height * share)
        left = draw.randint(0, picture.width - width)
        top = draw.randint(0, picture.height - height)
        crop = picture.crop((left, top, left + width, top + height))
        crop.save(folder / f"{name}-{i:03}.jpg", quality=draw.randint(60, 95))


def main() -> None:
    """Write the set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, default=60, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    makers: dict[str, Callable[[random.Random, Path], Any]] = {
        "chart": chart, "diagram": diagram, "formula": formula, "logo": logo,
    }  # fmt: skip
    for kind, make in makers.items():
        folder = arguments.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(arguments.n):
            make(draw, folder / f"{i:03}.png")
    for kind, write in (("photograph", photograph_crops), ("screenshot", screenshots)):
        folder = arguments.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        write(draw, folder, arguments.n)


if __name__ == "__main__":
    main()
