"""What can be wrong with a database.

KuaibaoError
└── DatabaseError
    ├── DatabaseOpenError     it can't be opened: path, address, driver, or not a database
    ├── DatabaseTooNewError   a later version of this package has written it
    └── BackupError           a copy can't be made or read
SearchSyntaxError (InputError)   a query that can't be read
"""

from __future__ import annotations

from kuaibao.errors import InputError, KuaibaoError

__all__ = [
    "BackupError",
    "DatabaseError",
    "DatabaseOpenError",
    "DatabaseTooNewError",
    "SearchSyntaxError",
]


class DatabaseError(KuaibaoError):
    """Something about the database that a user can mend."""


class DatabaseOpenError(DatabaseError):
    """The database can't be opened: path, address, driver, or not a database."""


class DatabaseTooNewError(DatabaseError):
    """A later version of this package has written the database."""


class BackupError(DatabaseError):
    """A copy can't be made or read."""


class SearchSyntaxError(InputError):
    """A search query that can't be read."""
