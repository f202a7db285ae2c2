"""What can go wrong while an issue is published.

KuaibaoError
└── PublishingError           5: an issue could not be rendered
├── MissingFontError      5: no font for the script of the text
└── DeliveryError         5: a mail server refused a message, or could not be reached
"""

from __future__ import annotations

from kuaibao.errors import KuaibaoError

__all__ = ["DeliveryError", "MissingFontError", "PublishingError"]


class PublishingError(KuaibaoError):
    """An issue could not be rendered."""

    exit_code = 5


class MissingFontError(PublishingError):
    """No font on this machine holds the script of the text."""


class DeliveryError(PublishingError):
    """A mail server refused a message, or could not be reached."""
