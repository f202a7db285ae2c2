"""A saved page or PDF as one value: title, text, authors, date, language, site."""

from kuaibao.bulletin.reading.pages.page import Page
from kuaibao.bulletin.reading.pages.worker import MAX_BYTES, extract_page, stop_workers

__all__ = ["MAX_BYTES", "Page", "extract_page", "stop_workers"]
