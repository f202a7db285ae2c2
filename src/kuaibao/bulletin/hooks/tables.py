"""Web hooks, each with the last event that it has answered for."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table, Text

__all__ = ["hook", "metadata"]

metadata = MetaData()

hook = Table(
    "hook_hook",
    metadata,
    Column("hook_id", Integer, primary_key=True),
    Column("url", String(2000), nullable=False),
    Column("events", Text, nullable=False, default="[]"),
    Column("secret", String(100), nullable=False),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("cursor", Integer, nullable=False, default=0),
    Column("n_try", Integer, nullable=False, default=0),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("told_at", Float),
    Column("message", Text, nullable=False, default=""),
    Column("made_at", Float, nullable=False),
)
"""`cursor` is the newest event of the desk that the hook has answered for or did not want: the
desk's own log is the queue, so that nothing waits in two places. `secret` is kept as it is, for a
signature can't be made from its hash."""
