"""What can be wrong with data that is to be loaded.

InputError
└── LoadingError
├── UncacheableError   a sample has no fixed shape, or differs from read to read
├── StoreError         a store is incomplete, damaged, or can't be written
│   └── StaleStoreError  made by other code or with other settings
└── BadSampleError     the data set could not give one sample
"""

from __future__ import annotations

from kuaibao.errors import InputError

__all__ = [
    "BadSampleError",
    "LoadingError",
    "StaleStoreError",
    "StoreError",
    "UncacheableError",
]


class LoadingError(InputError):
    """Something is wrong with data that is to be loaded."""


class UncacheableError(LoadingError):
    """A sample has no fixed shape, or differs from read to read."""


class StoreError(LoadingError):
    """A preprocessed store is incomplete, damaged, or can't be written."""


class StaleStoreError(StoreError):
    """A store was made by other code or with other settings."""


class BadSampleError(LoadingError):
    """The data set could not give one sample."""
