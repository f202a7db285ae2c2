"""The structure of the PDF as a screen reader walks it (PDF/UA-1, by PDFium's eyes)."""

import ctypes
import dataclasses
import itertools
from dataclasses import dataclass, field

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from kuaibao.bulletin.model import Figure
from kuaibao.bulletin.publishing import find_cjk_font, make_view
from kuaibao.bulletin.publishing.pdf import render_pdf

pytestmark = pytest.mark.skipif(
    find_cjk_font() is None, reason="no Chinese font on this machine (install fonts-noto-cjk)"
)
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNY"
    "IScGAAJOAN2JXW5kAAAAAElFTkSuQmCC"
)
HEADINGS = ("H1", "H2", "H3", "H4", "H5", "H6")


@dataclass
class Tag:
    kind: str
    alt: str
    children: list["Tag"] = field(default_factory=list)

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()


def text_by(call, element):
    size = call(element, None, 0)
    buffer = ctypes.create_string_buffer(size)
    call(element, buffer, size)
    return buffer.raw[: max(0, size - 2)].decode("utf-16-le")


def tag_of(element):
    tag = Tag(text_by(pdfium.FPDF_StructElement_GetType, element),
              text_by(pdfium.FPDF_StructElement_GetAltText, element))  # fmt: skip
    for n in range(pdfium.FPDF_StructElement_CountChildren(element)):
        child = pdfium.FPDF_StructElement_GetChildAtIndex(element, n)
        if child:
            tag.children.append(tag_of(child))
    return tag


def tags_of(data):
    """The tags of each page, in reading order."""
    with pypdfium2.PdfDocument(data) as document:
        for page in document:
            tree = pdfium.FPDF_StructTree_GetForPage(page.raw)
            try:
                for n in range(pdfium.FPDF_StructTree_CountChildren(tree)):
                    yield from tag_of(pdfium.FPDF_StructTree_GetChildAtIndex(tree, n)).walk()
            finally:
                pdfium.FPDF_StructTree_Close(tree)


@pytest.fixture(scope="module")
def tags(chinese_issue):
    first = chinese_issue.sections[0]
    figure = Figure(image=PIXEL, alt="一个像素", caption="一个像素", source="快报")
    item = dataclasses.replace(first.items[0], figures=(*first.items[0].figures, figure))
    section = dataclasses.replace(first, items=(item,))
    issue = dataclasses.replace(chinese_issue, sections=(section, *chinese_issue.sections[1:]))
    return list(tags_of(render_pdf(make_view(issue))))


def test_headings_go_down_one_step_at_a_time(tags):
    levels = [HEADINGS.index(tag.kind) + 1 for tag in tags if tag.kind in HEADINGS]
    assert levels[0] == 1
    assert len(levels) > 12
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_every_figure_says_what_it_shows(tags):
    figures = [tag for tag in tags if tag.kind == "Figure"]
    assert len(figures) == 2
    assert "一个像素" in [tag.alt for tag in figures]
    assert all(tag.alt for tag in figures)


def test_tables_have_heads_and_lists_have_items(tags):
    tables = [{one.kind for one in tag.walk()} for tag in tags if tag.kind == "Table"]
    assert tables
    assert any({"TR", "TH", "TD"} <= kinds for kinds in tables)
    lists = [tag for tag in tags if tag.kind == "L"]
    assert lists
    assert all({one.kind for one in tag.children} <= {"LI", "L", "Caption"} for tag in lists)


def test_contents_are_a_table_of_contents_with_links(tags):
    contents = [tag for tag in tags if tag.kind == "TOC"]
    assert contents
    inside = {one.kind for tag in contents for one in tag.walk()}
    assert {"TOCI", "Link"} <= inside


def test_a_dot_of_emphasis_is_no_figure_and_leaves_the_text_whole(chinese_issue):
    first = chinese_issue.sections[0]
    item = dataclasses.replace(first.items[0], body_markdown="这是*着重*的词。", figures=())
    section = dataclasses.replace(first, items=(item,))
    data = render_pdf(make_view(dataclasses.replace(chinese_issue, sections=(section,))))
    assert [tag for tag in tags_of(data) if tag.kind == "Figure"] == []
    with pypdfium2.PdfDocument(data) as document:
        assert "这是着重的词" in document[1].get_textpage().get_text_range()
