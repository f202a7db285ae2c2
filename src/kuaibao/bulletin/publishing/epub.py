"""The issue as an EPUB 3 book: one file a section, navigation, landmarks, accessibility metadata.

Written with `zipfile` alone. Every chapter goes through an XML parser before it is stored, so that
the book is well-formed whatever an item holds; a fixed time stamp makes the bytes repeatable.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import lxml.etree as etree
import lxml.html

from kuaibao.bulletin.model import Issue
from kuaibao.bulletin.publishing.identity import issue_urn
from kuaibao.bulletin.publishing.page import environment, template_text
from kuaibao.bulletin.publishing.view import IssueView

__all__ = ["render_epub"]

_XHTML = "http://www.w3.org/1999/xhtml"
_OPS = "http://www.idpf.org/2007/ops"
_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""
_TYPES = {"svg": "image/svg+xml", "png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif",
          "webp": "image/webp"}  # fmt: skip


def render_epub(issue: Issue, view: IssueView) -> bytes:
    """The book's bytes; the same issue gives the same bytes."""
    figures = dict(_figures(view))
    chapters = {"title.xhtml": _chapter("epub_title.html", view)}
    for section in view.sections:
        chapters[f"{section.anchor}.xhtml"] = _chapter("epub_section.html", view, section=section)
    files: dict[str, bytes] = {
        "META-INF/container.xml": _CONTAINER.encode(),
        "EPUB/package.opf": _package(issue, view, list(chapters), list(figures)),
        "EPUB/nav.xhtml": _chapter("epub_nav.html", view),
        "EPUB/cover.svg": _xml("epub_cover.svg", view),
        "EPUB/style.css": view.look.coloured(template_text("epub.css")).encode("utf-8"),
        **{f"EPUB/{name}": data for name, data in (chapters | figures).items()},
    }
    return _zipped(files, issue.day)


def _figures(view: IssueView) -> Iterator[tuple[str, bytes]]:
    if view.cover:
        yield f"figures/cover.{view.cover.image_type}", view.cover.image_bytes
    for section in view.sections:
        for item in section.items:
            for index, figure in enumerate(item.figures):
                name = f"figures/{item.anchor}-{index}"
                if figure.svg:
                    yield f"{name}.svg", figure.svg.encode("utf-8")
                elif figure.image:
                    yield f"{name}.{figure.image_type}", figure.image_bytes


def _package(issue: Issue, view: IssueView, chapters: list[str], figures: list[str]) -> bytes:
    return _xml(
        "epub_package.opf",
        view,
        identifier=issue_urn(issue),
        modified=f"{issue.day.isoformat()}T00:00:00Z",
        chapters=chapters,
        figures=[(name, _TYPES[name.rpartition(".")[2]]) for name in figures],
    )


def _chapter(template: str, view: IssueView, **values: Any) -> bytes:
    """A page as XHTML: read as HTML, written as XML, so that nothing can be ill-formed."""
    html = environment().get_template(template).render(issue=view, w=view.words.tables, **values)
    page: Any = lxml.html.document_fromstring(
        html.encode("utf-8"), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    )
    for element in page.iter(etree.Element):
        _to_xhtml(element)
    tree: Any = etree.Element(f"{{{_XHTML}}}html", nsmap={None: _XHTML, "epub": _OPS})
    tree.attrib.update(page.attrib)
    tree.extend(list(page))
    return etree.tostring(tree, xml_declaration=True, encoding="utf-8", doctype="<!DOCTYPE html>")


def _to_xhtml(element: Any) -> None:
    element.tag = f"{{{_XHTML}}}{element.tag}"
    if kind := element.attrib.pop("data-epub-type", None):
        element.set(f"{{{_OPS}}}type", kind)
    if language := element.get("lang"):
        element.set("{http://www.w3.org/XML/1998/namespace}lang", language)


def _xml(template: str, view: IssueView, **values: Any) -> bytes:
    """An XML file from a template, parsed once to be sure of it."""
    text = environment().get_template(template).render(issue=view, w=view.words.tables, **values)
    data = text.encode("utf-8")
    etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    return data


def _zipped(files: dict[str, bytes], day: date) -> bytes:
    """`mimetype` first and stored, as the container format asks (OCF 3.3, section 4.3)."""
    stamp = (min(max(day.year, 1980), 2107), day.month, day.day, 0, 0, 0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {"mimetype": b"application/epub+zip", **files}.items():
            entry = zipfile.ZipInfo(name, date_time=stamp)
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
