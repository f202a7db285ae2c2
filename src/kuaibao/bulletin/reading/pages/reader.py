"""From the bytes of a page to its value; slow and in many libraries' hands: see `worker`."""

from __future__ import annotations

import re
from typing import Any

from kuaibao.bulletin.reading.pages.body import article_text, tidy_article
from kuaibao.bulletin.reading.pages.metadata import Head
from kuaibao.bulletin.reading.pages.page import Page
from kuaibao.bulletin.reading.pages.people import clean_names
from kuaibao.bulletin.reading.pages.structured import first_text
from kuaibao.bulletin.sources.feeds.decoding import Decoded, decode
from kuaibao.bulletin.sources.markup import plain_text
from kuaibao.text import detect_language

__all__ = ["read_page", "read_page_cheaply"]

_TAG = re.compile(r"<[a-zA-Z]")
_SCRIPTS = (
    (re.compile("[\u0600-\u06ff]"), "ar"), (re.compile("[\u0590-\u05ff]"), "he"),
    (re.compile("[\u0370-\u03ff]"), "el"), (re.compile("[\u0900-\u097f]"), "hi"),
    (re.compile("[\u0e00-\u0e7f]"), "th"),
)  # fmt: skip
_DETECTED = frozenset({"de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "zh"})
_SHARED = {"ar": ("ar", "fa", "ur", "ps"), "hi": ("hi", "mr", "ne"), "he": ("he", "yi"),
           "ru": ("ru", "uk", "bg", "sr", "be", "mk", "kk", "mn")}  # fmt: skip
_LATIN = frozenset({"iso-8859-1", "iso-8859-15", "latin1", "latin-1", "windows-1252", "cp1252"})
_NUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def read_page(data: bytes, url: str = "", content_type: str = "") -> Page:
    """Everything that a page says; the text by the article extractor."""
    html, tree, problems = _parse(data, content_type)
    if tree is None:
        text = plain_text(html)
        return Page(text=text, language=detect_language(text), url=url, problems=problems)
    head = Head(tree, url)
    described = first_text(head.described("articleBody") or head.described("text"))
    title = head.title()
    text = tidy_article(article_text(tree, html, head.url, described), title)
    if not text:
        problems = (*problems, "no article was found on the page")
    return _page(head, title, text, problems)


def read_page_cheaply(data: bytes, url: str = "", content_type: str = "") -> Page:
    """The same in one pass and linear time: all of the page's text, not only the article's."""
    html, tree, problems = _parse(data, content_type)
    if tree is None:
        return Page(text=plain_text(html), url=url, problems=problems)
    head = Head(tree, url)
    return _page(head, head.title(), plain_text(html), problems)


def _parse(data: bytes, content_type: str) -> tuple[str, Any, tuple[str, ...]]:
    from lxml import etree, html  # pyright: ignore[reportAttributeAccessIssue]

    decoded = _decode(data, content_type)
    text = _NUL.sub("", decoded.text.lstrip("\ufeff"))
    problems = tuple(p for p in decoded.problems if not p.startswith("encoding not declared"))
    if not _TAG.search(text):
        return text, None, (*problems, "this is no HTML")
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, ValueError):
        return text, None, (*problems, "this is no HTML")
    return text, tree, problems


def _decode(data: bytes, content_type: str) -> Decoded:
    """As `decode`, but what is called Latin-1 and is valid UTF-8 throughout is UTF-8.

    Pages that were saved or served anew often keep the name of their old encoding.
    """
    decoded = decode(data, content_type)
    if decoded.encoding in _LATIN and not data.isascii():
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return decoded
        problem = f"declared as {decoded.encoding}, but its bytes are utf-8"
        return Decoded(text, "utf-8", (*decoded.problems, problem))
    return decoded


def _page(head: Head, title: str, text: str, problems: tuple[str, ...]) -> Page:
    return Page(
        title=title,
        text=text,
        authors=clean_names(head.authors(), site=head.site),
        published=head.published(),
        language=_language(text or title, head.language()),
        site=head.site,
        url=head.url,
        summary=head.summary(),
        categories=head.categories(),
        licence=head.licence(),
        origin=head.origin(),
        image=head.image(),
        problems=problems,
    )


def _language(text: str, declared: str) -> str:
    """The text's own language, where it can be told; templates are often of another one."""
    sample = text[:4_000]
    n_letter = sum(c.isalpha() for c in sample)
    for script, code in _SCRIPTS:
        if 2 * len(script.findall(sample)) > n_letter > 0:
            return declared if declared in _SHARED.get(code, (code,)) else code
    detected = detect_language(sample) if n_letter > 20 else ""
    if not declared or not detected:
        return detected or declared
    if declared in _SHARED.get(detected, ()):
        return declared
    is_by_script = detected in ("ja", "ko", "zh", "ru")
    if is_by_script or (declared in _DETECTED and n_letter > 200):
        return detected
    return declared
