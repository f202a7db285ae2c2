"""The text of a fetched page, without what stands around it."""

from __future__ import annotations

from kuaibao.bulletin.reading.pages import extract_page
from kuaibao.fetching import Response

__all__ = ["MAX_PAGE_BYTES", "main_text", "page_text"]

MAX_PAGE_BYTES = 10 * 1024 * 1024
_KINDS = ("", "text/html", "application/xhtml+xml", "application/pdf")


def page_text(response: Response) -> str:
    """The main text of a page or a PDF, paragraphs parted by blank lines; "" if there is none."""
    kind = response.content_type.partition(";")[0].strip().lower()
    if kind not in _KINDS:
        return ""
    page = extract_page(
        response.body,
        url=response.url,
        content_type=response.content_type,
        max_bytes=MAX_PAGE_BYTES,
    )
    return page.text


def main_text(html: str, url: str = "") -> str:
    """The main text of a page's HTML, paragraphs parted by blank lines; "" if there is none."""
    data = html.encode("utf-8", "replace")
    return extract_page(data, url=url, content_type="text/html; charset=utf-8").text
