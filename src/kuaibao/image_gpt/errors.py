"""What can go wrong with pictures.

InputError
└── PictureError    a file that is no picture, is broken, or is larger than what is read
"""

from __future__ import annotations

from kuaibao.errors import InputError

__all__ = ["PictureError"]


class PictureError(InputError):
    """A file that is no picture, is broken, or is too large."""
