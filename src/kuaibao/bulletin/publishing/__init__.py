"""A frozen issue in all its forms: page, PDF, e-book, feeds, calendar, bibliography, mail."""

from kuaibao.bulletin.publishing.errors import DeliveryError, MissingFontError, PublishingError
from kuaibao.bulletin.publishing.fonts import CjkFont, find_cjk_font
from kuaibao.bulletin.publishing.mail import Envelope
from kuaibao.bulletin.publishing.publish import ALL_FORMATS, Published, publish, render

__all__ = [
    "ALL_FORMATS",
    "CjkFont",
    "DeliveryError",
    "Envelope",
    "MissingFontError",
    "Published",
    "PublishingError",
    "find_cjk_font",
    "publish",
    "render",
]
