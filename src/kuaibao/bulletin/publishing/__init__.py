"""A frozen issue in all its forms: page, PDF, e-book, feeds, calendar, bibliography, mail."""

from kuaibao.bulletin.publishing.errors import DeliveryError, MissingFontError, PublishingError
from kuaibao.bulletin.publishing.fonts import CjkFont, find_cjk_font
from kuaibao.bulletin.publishing.look import DEFAULT_ACCENT, Look
from kuaibao.bulletin.publishing.mail import Envelope, make_mail
from kuaibao.bulletin.publishing.make_view import make_view
from kuaibao.bulletin.publishing.publish import ALL_FORMATS, Published, publish, render
from kuaibao.bulletin.publishing.sending import SmtpServer, send_mail, send_mail_async
from kuaibao.bulletin.publishing.view import IssueView

__all__ = [
    "ALL_FORMATS",
    "DEFAULT_ACCENT",
    "CjkFont",
    "DeliveryError",
    "Envelope",
    "IssueView",
    "Look",
    "MissingFontError",
    "Published",
    "PublishingError",
    "SmtpServer",
    "find_cjk_font",
    "make_mail",
    "make_view",
    "publish",
    "render",
    "send_mail",
    "send_mail_async",
]
