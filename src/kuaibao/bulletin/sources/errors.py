"""What can be wrong with sources.

InputError
└── SourceSettingError    a kind or a setting in bulletin.toml
"""

from __future__ import annotations

from kuaibao.errors import InputError

__all__ = ["SourceSettingError"]


class SourceSettingError(InputError):
    """A source's kind is unknown, or its settings are wrong; names all wrong ones at once."""
