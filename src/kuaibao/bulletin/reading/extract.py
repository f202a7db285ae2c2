"""The text of a page, without what stands around it."""

from __future__ import annotations

import re

from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.fetching import Response

__all__ = ["MAX_PAGE_BYTES", "main_text", "page_text"]

MAX_PAGE_BYTES = 3_000_000
MAX_TAGS = 60_000
_TAG = re.compile(r"<[a-zA-Z]")


def page_text(response: Response) -> str:
    """The main text of an HTML page, paragraphs parted by blank lines; "" if there is none."""
    kind = response.content_type.partition(";")[0].strip().lower()
    if kind and kind not in ("text/html", "application/xhtml+xml"):
        return ""
    html = decode(response.body[:MAX_PAGE_BYTES], response.content_type).text
    return main_text(html, response.url)


def main_text(html: str, url: str = "") -> str:
    """The main text of a page's HTML, paragraphs parted by blank lines; "" if there is none."""
    # The extractor's cost grows faster than the page where tags are many.
    if len(html) > MAX_PAGE_BYTES or len(_TAG.findall(html)) > MAX_TAGS:
        return ""
    import trafilatura

    text = trafilatura.extract(
        html, url=url or None, include_comments=False, include_tables=False, favor_precision=True
    )
    return re.sub(r"\n+", "\n\n", text or "").strip()
