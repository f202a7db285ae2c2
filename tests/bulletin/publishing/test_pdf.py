import base64
import ctypes
import dataclasses
import re

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaibao.bulletin.model import Figure
from kuaibao.bulletin.publishing import MissingFontError, find_cjk_font, make_view, pdf, publish
from kuaibao.bulletin.publishing.pdf import render_pdf

needs_chinese_font = pytest.mark.skipif(
    find_cjk_font() is None, reason="no Chinese font on this machine (install fonts-noto-cjk)"
)


def pages_of(data):
    with pypdfium2.PdfDocument(data) as document:
        return [page.get_textpage().get_text_range() for page in document]


def words_of(data):
    return re.sub(r"\s+", "", "".join(pages_of(data)))


def fonts_of(data):
    """Base names of all fonts that text objects use, and whether each is embedded."""
    found = {}
    with pypdfium2.PdfDocument(data) as document:
        for page in document:
            for thing in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
                font = pdfium.FPDFTextObj_GetFont(thing.raw)
                size = pdfium.FPDFFont_GetBaseFontName(font, None, 0)
                name = ctypes.create_string_buffer(size)
                pdfium.FPDFFont_GetBaseFontName(font, name, size)
                found[name.value.decode()] = bool(pdfium.FPDFFont_GetIsEmbedded(font))
    return found


@needs_chinese_font
def test_english_text_can_be_read_back(english_issue):
    data = render_pdf(make_view(english_issue))
    text = words_of(data)
    for wanted in (
        "ResearchScanBulletin", "2020,No.6(No.66inall)", "(compiledbyMengtingZhang,proofreadbyChao'anLi)",
        "Gapsentencesasapre-traininggoal",
        "$long$", "10July2020,23:59AoE", "开放科学基础设施",
    ):  # fmt: skip
        assert wanted in text, wanted


@needs_chinese_font
def test_chinese_text_can_be_read_back(chinese_issue):
    text = words_of(render_pdf(make_view(chinese_issue)))
    for wanted in (
        "跟踪扫描动态快报", "2020年第6期（总第66期）", "（张梦婷编译，李朝安校对）", "背景", "创新点",
        "以“空缺句”为预训练目标的长文摘要方法", "2020年11月30日至12月1日", "图片来源：快报编辑部",
    ):  # fmt: skip
        assert wanted in text, wanted


@needs_chinese_font
def test_every_font_of_the_chinese_pdf_is_embedded_and_song_and_hei_have_their_roles(chinese_issue):
    fonts = fonts_of(render_pdf(make_view(chinese_issue)))
    assert all(fonts.values()), fonts
    for role in ("song", "hei"):
        family = find_cjk_font(role).family.replace(" ", "")
        assert any(family.lower() in name.lower().replace("-", "").replace(" ", "") or family[:9] in name for name in fonts), (family, fonts)  # fmt: skip


@needs_chinese_font
def test_the_pdf_is_tagged_says_its_language_and_leads_from_contents_to_pages(chinese_issue):
    data = render_pdf(make_view(chinese_issue))
    assert b"pdfuaid:part" in data
    with pypdfium2.PdfDocument(data) as document:
        assert pdfium.FPDFCatalog_IsTagged(document.raw)
        assert document.get_metadata_value("Title") == "跟踪扫描动态快报 · 2020年第6期（总第66期）"
        titles = [entry.get_title() for entry in document.get_toc()]
        assert "最新论文" in titles
        assert "以“空缺句”为预训练目标的长文摘要方法" in titles
        links = [pdfium.FPDFLink_GetDest(document.raw, link) for link in links_of(document[0])]
    assert len(links) >= 10
    assert all(links)


def links_of(page):
    position, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page.raw, position, link):
        yield link


@needs_chinese_font
def test_no_line_of_the_chinese_pdf_begins_or_ends_with_a_banned_mark(chinese_issue):
    long = dataclasses.replace(chinese_issue, sections=chinese_issue.sections[:1])
    item = long.sections[0].items[0]
    body = "他说：“这（《快报》）、那（《月报》），都要‘好好’读。”——但是，谁有时间呢？！" * 40
    item = dataclasses.replace(item, body_markdown=body, figures=())
    long = dataclasses.replace(
        long, sections=(dataclasses.replace(long.sections[0], items=(item,)),)
    )
    n_line = 0
    for page in pages_of(render_pdf(make_view(long)))[1:]:
        for line in page.splitlines():
            if len(line.strip()) > 30 and "他说" in line:
                n_line += 1
                assert line.strip()[0] not in "，。、；：？！）》”’", line
                assert line.strip()[-1] not in "（《“‘", line
    assert n_line > 15


@needs_chinese_font
def test_the_same_issue_gives_the_same_bytes(chinese_issue):
    assert render_pdf(make_view(chinese_issue)) == render_pdf(make_view(chinese_issue))


MARKUP = [
    '#read("/etc/passwd")', "#import \"@preview/cetz:0.3.4\": *", "= Head\n== Two", "*b* _e_ `r` $x^2$",
    "\\u{41}#panic()", "@ref <label>", "// gone /* too */", "#sys.inputs", "[a](b)", "---", "- + / 1.",
]  # fmt: skip


@needs_chinese_font
@pytest.mark.parametrize("payload", MARKUP)
def test_typst_markup_in_a_field_is_printed_as_it_is(english_issue, payload):
    issue = dataclasses.replace(english_issue, series=payload, disclaimer=payload)
    text = words_of(render_pdf(make_view(issue)))
    assert text.count(re.sub(r"\s+", "", payload)) >= 2


@needs_chinese_font
@given(text=st.text(st.characters(), max_size=30))
@settings(max_examples=25)
def test_any_text_makes_a_pdf_without_empty_boxes(english_issue, text):
    item = english_issue.sections[1].items[0]
    draft = dataclasses.replace(item.draft, title=text, key_phrases=(text,))
    item = dataclasses.replace(item, draft=draft, body_markdown=text)
    section = dataclasses.replace(english_issue.sections[1], items=(item,), title=text)
    issue = dataclasses.replace(
        english_issue, series=text, sections=(section,), publisher=text, highlights=(text,)
    )
    assert render_pdf(make_view(issue)).startswith(b"%PDF-")


@needs_chinese_font
@pytest.mark.parametrize(
    "body", ["#", "Words\n\n## \n\nmore", "# [](https://example.org)", "-\n=", "***\n#", "# ![ ]()"]
)
def test_a_heading_without_words_is_left_out(english_issue, body):
    item = dataclasses.replace(english_issue.sections[1].items[0], body_markdown=body)
    section = dataclasses.replace(english_issue.sections[1], items=(item,))
    issue = dataclasses.replace(english_issue, sections=(section,))
    assert render_pdf(make_view(issue)).startswith(b"%PDF-")


@pytest.mark.parametrize("as_cover", [False, True])
def test_a_damaged_picture_is_left_out_and_its_words_stand_there(english_issue, as_cover):
    head = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR and no more").decode()
    figure = Figure(image=f"data:image/png;base64,{head}", alt="A hedgehog reads")
    item = dataclasses.replace(english_issue.sections[1].items[0], figures=(figure,))
    section = dataclasses.replace(english_issue.sections[1], items=(item,))
    cover = figure if as_cover else None
    issue = dataclasses.replace(english_issue, sections=(section,), cover=cover)
    assert "Ahedgehogreads" in words_of(render_pdf(make_view(issue)))


def test_a_character_that_no_font_holds_is_printed_by_its_code_point(english_issue):
    sections = english_issue.sections[3:4]
    issue = dataclasses.replace(english_issue, series="Rare \U00010fff sign", sections=sections)
    assert "[U+10FFF]" in words_of(render_pdf(make_view(issue)))


def test_without_a_chinese_font_a_chinese_pdf_is_refused_with_the_command_that_helps(
    chinese_issue, tmp_path, monkeypatch
):
    monkeypatch.setattr(pdf, "find_cjk_font", lambda role=None: None)
    with pytest.raises(MissingFontError, match="apt-get install fonts-noto-cjk"):
        publish(chinese_issue, tmp_path, ["pdf"])
    (tmp_path / "issue.pdf").write_bytes(b"of an older text")
    published = publish(chinese_issue, tmp_path)
    assert "pdf" not in published.paths
    assert "no Chinese font" in published.notices[0]
    assert not (tmp_path / "issue.pdf").exists()
    assert "issue.pdf" not in (tmp_path / "index.html").read_text("utf-8")


def test_without_a_chinese_font_an_issue_without_chinese_is_set_all_the_same(
    english_issue, monkeypatch
):
    monkeypatch.setattr(pdf, "find_cjk_font", lambda role=None: None)
    issue = dataclasses.replace(english_issue, sections=english_issue.sections[3:4])
    assert "Gapsentences" in words_of(render_pdf(make_view(issue)))
