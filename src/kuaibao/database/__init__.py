"""Open SQLite or PostgreSQL, run every room's migrations, search full text, back up."""

from kuaibao.database.backup import back_up, restore
from kuaibao.database.engine import Database, open_database
from kuaibao.database.errors import (
    BackupError,
    DatabaseError,
    DatabaseOpenError,
    DatabaseTooNewError,
    SearchSyntaxError,
)
from kuaibao.database.fulltext import FullTextIndex, Hit, fold, parse_query, space_out
from kuaibao.database.migrations import Migration, migrate, schema_version
from kuaibao.database.snippets import snippet

__all__ = [
    "BackupError",
    "Database",
    "DatabaseError",
    "DatabaseOpenError",
    "DatabaseTooNewError",
    "FullTextIndex",
    "Hit",
    "Migration",
    "SearchSyntaxError",
    "back_up",
    "fold",
    "migrate",
    "open_database",
    "parse_query",
    "restore",
    "schema_version",
    "snippet",
    "space_out",
]
