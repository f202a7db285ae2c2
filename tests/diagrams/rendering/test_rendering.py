"""Sizes of texts and formulas, SVG that is whole and safe, PDF, PNG and TikZ."""

import math

import lxml.etree as etree
import pytest

from kuaibao import diagrams
from kuaibao.diagrams.errors import LayoutError
from kuaibao.diagrams.graph import Node
from kuaibao.diagrams.library import Context
from kuaibao.diagrams.library.context import Canvas
from kuaibao.diagrams.library.shapes import make_defaults
from kuaibao.diagrams.rendering.arcs import arc_to_curves
from kuaibao.diagrams.rendering.concrete import with_numbers
from kuaibao.diagrams.rendering.formulas import FormulaError, measure_formula, set_formula
from kuaibao.diagrams.rendering.images import MAX_FETCHED, ImageFolder, inline_svg
from kuaibao.diagrams.rendering.pages import to_pdf, to_png
from kuaibao.diagrams.rendering.paint import paint
from kuaibao.diagrams.rendering.svg import SvgOptions, draw_svg
from kuaibao.diagrams.rendering.text_metrics import FontSizeError, measure_text, pixels
from kuaibao.diagrams.rendering.tikz import draw_tikz
from kuaibao.diagrams.values import (
    ClipDataV,
    ColorV,
    FloatV,
    PathCommand,
    PathDataV,
    Shape,
    ShapeListV,
    StrV,
    VectorV,
)  # fmt: skip

CANVAS = Canvas(200.0, 100.0)
SVG = "{http://www.w3.org/2000/svg}"


def shape(kind, name="`A`.icon", passed=None, **properties):
    context = Context(canvas=CANVAS)
    values = {**make_defaults(kind, context), **properties}
    made = Shape(kind, name, values, passed or {})
    return with_numbers([made], lambda x: context.start_value(x) if isinstance(x, Node) else x)[0]


def draw(*shapes, **options):
    text = draw_svg(shapes, CANVAS, SvgOptions(**options))
    return etree.fromstring(text.encode())


def test_text_widths_add_up_and_wide_characters_count_one_em():
    assert measure_text("", 12).width == 0
    assert measure_text("iii", 12).width < measure_text("mmm", 12).width
    assert measure_text("xx", 24).width == pytest.approx(2 * measure_text("xx", 12).width)
    assert measure_text("集合论", 10).width == pytest.approx(30, abs=1.5)
    assert measure_text("x", 12, family="Courier New").width > 0
    assert measure_text("x", 12, weight="bold").width > measure_text("x", 12).width


def test_font_sizes_have_units():
    assert pixels("12px") == 12
    assert pixels("1in") == 96
    assert pixels("2.54 cm") == pytest.approx(96)
    with pytest.raises(FontSizeError):
        pixels("2em")


def test_a_fraction_reaches_below_the_baseline_and_scales_with_its_size():
    one, two = measure_formula(r"\frac{a}{b}", 10), measure_formula(r"\frac{a}{b}", 20)
    assert one.descent > 2
    assert one.height == pytest.approx(one.ascent + one.descent)
    assert two.width == pytest.approx(2 * one.width)


@pytest.mark.parametrize("tex", [
    r"\mathbf{A}^\top", r"\vec{v}_1", r"\text{hello $x$}", r"\textsc{ab}", r"a \lt b",
    r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", r"\newcommand{\v}[1]{\vec{#1}}\v{x}", r"f\colon A\to B",
    r"\mathbb{R}^n", r"\overline{AB}", r"\|u\| = 1", r"\{a, b\}", r"x~y",
])  # fmt: skip
def test_the_tex_of_labels_is_set(tex):
    assert "<path" in set_formula(tex).outlines


@pytest.mark.parametrize("tex", [r"\nosuchcommand x", "{a", r"\newcommand{\v}{\v}\v", "x" * 5000])
def test_tex_that_cannot_be_set_is_an_error_and_not_a_crash(tex):
    with pytest.raises(FormulaError):
        set_formula(tex)


def test_coordinates_turn_from_the_middle_up_to_the_corner_down():
    (circle,) = draw(shape("Circle", center=VectorV([10.0, 20.0]), r=FloatV(5.0))).iter(
        f"{SVG}circle"
    )
    assert (circle.get("cx"), circle.get("cy"), circle.get("r")) == ("110", "30", "5")
    assert circle.find(f"{SVG}title").text == "`A`.icon"


def test_the_picture_says_what_it_shows():
    root = draw(title="Sets & more", description="Set A <B>")
    assert root.find(f"{SVG}title").text == "Sets & more"
    assert root.find(f"{SVG}desc").text == "Set A <B>"
    assert root.get("viewBox") == "0 0 200 100"


def test_every_kind_of_shape_is_drawn():
    kinds = ["Circle", "Ellipse", "Rectangle", "Line", "Path", "Polygon", "Polyline", "Text"]
    root = draw(*(shape(kind) for kind in kinds), shape("Equation", string=StrV("x^2")))
    tags = [element.tag.removeprefix(SVG) for element in root if element.tag.startswith(SVG)][1:]
    assert tags == ["circle", "ellipse", "rect", "g", "path", "polygon", "polyline", "text", "g"]


def test_colours_are_clamped_and_hsv_is_turned():
    assert paint(ColorV("rgba", [2.0, -1.0, 0.5, 1.0])) == "#ff0080"
    assert paint(ColorV("hsva", [120.0, 100.0, 100.0, 1.0])) == "#00ff00"
    assert paint(ColorV("none")) == "none"


def test_an_arrow_ends_at_its_tip():
    line = shape("Line", start=VectorV([0.0, 0.0]), end=VectorV([50.0, 0.0]),
                 strokeWidth=FloatV(2.0), endArrowhead=StrV("straight"))  # fmt: skip
    root = draw(line)
    (stroke,) = root.iter(f"{SVG}line")
    assert float(stroke.get("x2")) == pytest.approx(150 - 2 * (9.95 - 2.36))
    (marker,) = root.iter(f"{SVG}marker")
    assert stroke.get("marker-end") == f"url(#{marker.get('id')})"


def test_passthrough_attributes_are_named_as_in_svg_and_cannot_run_anything():
    passed = {
        "strokeLinejoin": StrV("round"), "style": StrV("opacity: 0.5"), "data_x": FloatV(3.0),
        "onclick": StrV("alert(1)"), "fill": StrV("red"), "xlink:href": StrV("javascript:x"),
        "filter": StrV("url(http://evil)"), "bad name": StrV("x"),
    }  # fmt: skip
    (circle,) = draw(shape("Circle", passed=passed)).iter(f"{SVG}circle")
    assert circle.get("stroke-linejoin") == "round"
    assert circle.get("style") == "opacity: 0.5"
    assert circle.get("data_x") == "3"
    assert circle.get("fill") != "red"
    assert not {"onclick", "filter", "bad name"} & set(circle.attrib)
    assert not any("href" in name for name in circle.attrib)


def test_a_group_is_cut_to_its_clip():
    clip, inner = shape("Circle", "clip"), shape("Rectangle", "inner")
    group = Shape("Group", "g", {
        "shapes": ShapeListV([inner, clip]), "clipPath": ClipDataV(clip),
    })  # fmt: skip
    root = draw(group)
    (path,) = root.iter(f"{SVG}clipPath")
    (rect,) = root.iter(f"{SVG}rect")
    assert rect.getparent().get("clip-path") == f"url(#{path.get('id')})"
    assert len(list(root.iter(f"{SVG}circle"))) == 1


EVIL = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="20"
 onload="alert(1)"><script>alert(1)</script><style>@import url(http://evil);</style>
<foreignObject><p/></foreignObject><defs><linearGradient id="g"/></defs>
<rect id="r" fill="url(#g)" onclick="x()"/><use xlink:href="#r"/><image href="http://evil/x.png"/>
<text>&x;</text></svg>"""


def test_a_picture_loses_what_could_run_or_load():
    text = inline_svg(EVIL, "p-", 30, 40, "none")
    for word in ("script", "onload", "onclick", "foreignObject", "evil", "root:"):
        assert word not in text
    assert 'fill="url(#p-g)"' in text
    assert 'href="#p-r"' in text
    assert 'width="30"' in text
    assert 'viewBox="0 0 10 20"' in text


@pytest.mark.parametrize("data", [b"", b"not xml", b"<html/>", b"\xff\xfe\x00"])
def test_a_picture_that_is_not_svg_is_refused(data):
    with pytest.raises(LayoutError):
        inline_svg(data, "p-", 1, 1, "")


@pytest.mark.parametrize(
    "href", ["http://x/y.svg", "//x/y.svg", "../secret.svg", "no.svg", "/etc/passwd"]
)
def test_pictures_come_from_the_programs_folders_only(href, tmp_path):
    (tmp_path / "secret.svg").write_text("<svg/>")
    (tmp_path / "in").mkdir()
    with pytest.raises(LayoutError):
        ImageFolder(tmp_path / "in").read(href)


PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><path d="M0 0 L2 1"/></svg>'


def _with_picture(href, *, folders=(), fetch=None):
    style = (
        "canvas {\n width = 100\n height = 50\n}\n"
        f'forall A a {{\n a.i = Image {{\n href: "{href}"\n width: 20\n height: 10\n }}\n}}\n'
    )
    return diagrams.compile("A a\n", style, "type A\n", folders=folders, fetch=fetch)


@pytest.mark.parametrize("href", ["https://example.org/a.svg", "no.svg", "", "broken.svg"])
def test_a_picture_that_cannot_be_had_is_a_frame_and_a_warning(href, tmp_path):
    (tmp_path / "broken.svg").write_text("<html/>")
    program = _with_picture(href, folders=[tmp_path])
    assert [one.tag for one in program.warnings] == ["ImageWarning"]
    assert "`a`.i" in program.warnings[0].message
    layout = program.layouts(1)[0]
    assert "is missing</title>" in layout.svg()
    assert "is missing" in layout.tikz()


def test_pictures_of_the_web_are_fetched_only_where_that_is_allowed():
    asked = []

    def fetch(address):
        asked.append(address)
        return PICTURE

    program = _with_picture("https://example.org/a.svg", fetch=fetch)
    assert not program.warnings
    layout = program.layouts(2)[0]
    assert layout.svg().count("M0 0 L2 1") == 1
    assert asked == ["https://example.org/a.svg"]
    assert _with_picture("file:///etc/passwd", fetch=fetch).warnings
    assert len(asked) == 1


def test_a_program_takes_a_bounded_number_of_pictures_from_the_web():
    images = ImageFolder(fetch=lambda _: PICTURE)
    for number in range(MAX_FETCHED):
        assert images.read(f"https://example.org/{number}") == PICTURE
    with pytest.raises(LayoutError):
        images.read("https://example.org/more")


def test_tikz_includes_pictures_from_files_beside_it(tmp_path):
    (tmp_path / "a.svg").write_bytes(PICTURE)
    layout = _with_picture("a.svg", folders=[tmp_path]).layouts(1)[0]
    text = layout.tikz(tmp_path, stem="out")
    assert r"\includegraphics[width=15bp, height=7.5bp]{out-image-1.pdf}" in text
    assert (tmp_path / "out-image-1.pdf").read_bytes().startswith(b"%PDF")


def test_an_arc_becomes_curves_that_end_where_it_ends():
    curves = arc_to_curves((1.0, 0.0), [1, 1, 0, 0, 0, 0.0, 1.0])
    assert curves[-1][2] == pytest.approx((0.0, 1.0), abs=1e-9)
    middle = curves[0]
    x = (1 + 3 * middle[0][0] + 3 * middle[1][0] + middle[2][0]) / 8
    y = (0 + 3 * middle[0][1] + 3 * middle[1][1] + middle[2][1]) / 8
    assert math.hypot(x, y) == pytest.approx(1, abs=1e-3)


def test_pdf_and_png_come_from_the_same_svg():
    svg = draw_svg([shape("Circle")], CANVAS)
    assert to_pdf(svg, CANVAS, title='a "b"', alt="c").startswith(b"%PDF")
    png = to_png(svg, CANVAS, scale=1)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(png[16:20], "big") == 200


def test_tikz_draws_each_shape_and_escapes_texts():
    d = PathDataV([PathCommand("M", [0.0, 0.0]), PathCommand("A", [5, 5, 0, 0, 1, 5.0, 5.0])])
    text = draw_tikz(
        [shape("Circle"), shape("Path", d=d), shape("Text", string=StrV("50% & $5_")),
         shape("Equation", string=StrV("x^2"))], CANVAS)  # fmt: skip
    assert "circle[radius=" in text
    assert ".. controls" in text
    assert r"50\% \& \$5\_" in text
    assert "{$x^2$}" in text


def test_han_characters_stand_in_formulas_as_text():
    outlines = set_formula(r"A_{\text{全集 x}} \cap 集").outlines
    assert [c for c in outlines if c in "全集"] == ["全", "集", "集"]


def test_a_kept_formula_is_the_one_that_was_set(tmp_path, monkeypatch):
    monkeypatch.setenv("KUAIBAO_CACHE", str(tmp_path))
    set_formula.cache_clear()
    first = set_formula("x + y")
    (kept,) = (tmp_path / "formulas").iterdir()
    set_formula.cache_clear()
    assert set_formula("x + y") == first
    kept.write_text("{")
    set_formula.cache_clear()
    assert set_formula("x + y") == first


def test_pictures_lie_in_the_folders_of_a_program_or_in_the_one_that_holds_them(tmp_path):
    for name in ("trio", "trio/styles", "trio/pictures", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.svg").write_text("<svg/>")
    folder = ImageFolder(tmp_path / "trio" / "styles", tmp_path / "trio")
    assert folder.read("../pictures/a.svg") == b"<svg/>"
    with pytest.raises(LayoutError):
        folder.read("../../other/a.svg")
    alone = ImageFolder(tmp_path / "trio" / "styles")
    with pytest.raises(LayoutError):
        alone.read("../pictures/a.svg")
