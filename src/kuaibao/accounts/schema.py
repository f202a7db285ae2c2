"""Makes the tables, and forbids rewriting the audit log in the database itself."""

from __future__ import annotations

from sqlalchemy import Connection

from kuaibao.accounts.tables import metadata

__all__ = ["create_tables"]

_SQLITE_GUARDS = (
    """create trigger if not exists audit_no_update before update on audit
    begin select raise(abort, 'the audit log is append-only'); end""",
    """create trigger if not exists audit_no_delete before delete on audit
    begin select raise(abort, 'the audit log is append-only'); end""",
)

_POSTGRESQL_GUARDS = (
    """create or replace function audit_is_append_only() returns trigger language plpgsql as
    $$ begin raise exception 'the audit log is append-only'; end $$""",
    "drop trigger if exists audit_no_change on audit",
    """create trigger audit_no_change before update or delete on audit
    for each row execute function audit_is_append_only()""",
)


def create_tables(connection: Connection) -> None:
    """Make what is missing; running again changes nothing."""
    metadata.create_all(connection)
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in _SQLITE_GUARDS if is_sqlite else _POSTGRESQL_GUARDS:
        connection.exec_driver_sql(statement)
