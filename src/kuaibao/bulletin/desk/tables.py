"""The desk's tables, beside the bulletin's and the accounts' in one database."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from kuaibao.database import FullTextIndex

__all__ = [
    "comment", "event", "identity", "issue", "memory", "memory_index", "metadata", "notification",
    "piece", "revision", "sentence_state", "series", "setting", "signature", "term",
]  # fmt: skip

metadata = MetaData()

series = Table(
    "desk_series",
    metadata,
    Column("series_id", Integer, primary_key=True),
    Column("name", String(300), nullable=False, unique=True),
    Column("language", String(20), nullable=False),
    Column("settings", Text, nullable=False, default="{}"),
)
"""A bulletin that appears; several may draw on one collection. `settings`: `SeriesSettings`."""

issue = Table(
    "desk_issue",
    metadata,
    Column("issue_id", Integer, primary_key=True),
    Column("series_id", ForeignKey("desk_series.series_id"), nullable=False),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("running_number", Integer, nullable=False),
    Column("title", String(500), nullable=False, default=""),
    Column("day", String(10), nullable=False),
    Column("state", String(20), nullable=False, default="open"),
    Column("highlights", Text, nullable=False, default="[]"),
    Column("content_hash", String(64), nullable=False, default=""),
    Column("payload", Text, nullable=False, default=""),
    Column("errata", Text, nullable=False, default="[]"),
    Column("closed_at", Float),
    Column("publish_at", Float),
    Column("published_at", Float),
    Column("files", Text, nullable=False, default="{}"),
    UniqueConstraint("series_id", "year", "number"),
)
"""`state`: open → closed (frozen, `payload` and `content_hash` fixed) → published. `publish_at` is
set when publication was asked for: a killed one is gone on with."""

piece = Table(
    "desk_piece",
    metadata,
    Column("piece_id", Integer, primary_key=True),
    Column("series_id", ForeignKey("desk_series.series_id"), nullable=False),
    Column("item_id", String(32), nullable=False),
    Column("section", String(20), nullable=False),
    Column("state", String(20), nullable=False, default="found"),
    Column("score", Float, nullable=False, default=0.0),
    Column("reasons", Text, nullable=False, default="[]"),
    Column("lead_title", Text, nullable=False, default=""),
    Column("source_id", String(200), nullable=False, default=""),
    Column("url", Text, nullable=False, default=""),
    Column("day", String(10), nullable=False, default=""),
    Column("source_language", String(20), nullable=False, default=""),
    Column("issue_id", ForeignKey("desk_issue.issue_id")),
    Column("position", Float, nullable=False, default=0.0),
    Column("compiler_id", Integer),
    Column("proofreader_id", Integer),
    Column("due", String(10), nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=0),
    Column("n_revision", Integer, nullable=False, default=0),
    Column("title", Text, nullable=False, default=""),
    Column("has_text", Boolean, nullable=False, default=False),
    Column("text_hash", String(64), nullable=False, default=""),
    Column("is_machine", Boolean, nullable=False, default=False),
    Column("changed_at", Float, nullable=False, default=0.0),
    UniqueConstraint("series_id", "item_id"),
    Index("piece_by_state", "series_id", "state", "score"),
    Index("piece_by_issue", "issue_id", "position"),
    Index("piece_by_compiler", "compiler_id", "state"),
)
"""An item in a series: its place in the workflow. `revision` is the text that stands."""

revision = Table(
    "desk_revision",
    metadata,
    Column("piece_id", ForeignKey("desk_piece.piece_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("base_revision", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("payload", Text, nullable=False),
    Column("text_hash", String(64), nullable=False),
)
"""Every text there ever was. `kind`: written, merged, aside (kept, not standing), machine,
restored, erratum; person 0 is the machine."""

event = Table(
    "desk_event",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("action", String(40), nullable=False),
    Column("piece_id", Integer, index=True),
    Column("issue_id", Integer, index=True),
    Column("from_state", String(20), nullable=False, default=""),
    Column("to_state", String(20), nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=0),
    Column("details", Text, nullable=False, default="{}"),
)
"""What happened, for people; the audit chain holds the same with hashes."""

identity = Table(
    "desk_identity",
    metadata,
    Column("issuer", String(500), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
)
"""Who a person is at a house that vouches for them (OpenID Connect)."""

signature = Table(
    "desk_signature",
    metadata,
    Column("signature_id", Integer, primary_key=True),
    Column("piece_id", ForeignKey("desk_piece.piece_id"), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("at", Float, nullable=False),
    Column("text_hash", String(64), nullable=False),
    Column("audit_hash", String(64), nullable=False),
    Column("voided_at", Float),
)
"""Made by a state change, never by hand; `audit_hash` names the entry of the audit chain."""

author = Table(
    "desk_author",
    metadata,
    Column("piece_id", ForeignKey("desk_piece.piece_id"), primary_key=True),
    Column("person_id", Integer, primary_key=True),
)
"""Who wrote of a text, and so may not proofread it."""

comment = Table(
    "desk_comment",
    metadata,
    Column("comment_id", Integer, primary_key=True),
    Column("piece_id", ForeignKey("desk_piece.piece_id"), nullable=False, index=True),
    Column("person_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("error_class", String(20), nullable=False, default=""),
    Column("quote", Text, nullable=False, default=""),
    Column("resolved_at", Float),
    Column("resolved_by", Integer),
)

notification = Table(
    "desk_notification",
    metadata,
    Column("notification_id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("piece_id", Integer),
    Column("issue_id", Integer),
    Column("details", Text, nullable=False, default="{}"),
    Column("read_at", Float),
    Column("mailed_at", Float),
    Index("notification_by_person", "person_id", "read_at"),
)

sentence_state = Table(
    "desk_sentence_state",
    metadata,
    Column("piece_id", ForeignKey("desk_piece.piece_id"), primary_key=True),
    Column("sentence_hash", String(64), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
)
"""Of a sentence by its words: a changed sentence begins anew."""

term = Table(
    "desk_term",
    metadata,
    Column("term_id", Integer, primary_key=True),
    Column("source_language", String(20), nullable=False),
    Column("target_language", String(20), nullable=False),
    Column("source", String(300), nullable=False),
    Column("target", String(300), nullable=False),
    Column("avoid", Text, nullable=False, default=""),
    Column("note", Text, nullable=False, default=""),
    Column("needs_original", Boolean, nullable=False, default=False),
    Column("person_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("source_language", "target_language", "source"),
)

memory = Table(
    "desk_memory",
    metadata,
    Column("memory_id", Integer, primary_key=True),
    Column("source_language", String(20), nullable=False),
    Column("target_language", String(20), nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("piece_id", Integer, nullable=False, index=True),
    Column("issue_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
)
"""Pairs of sentences that were published."""

memory_index = FullTextIndex("desk_memory_index", {"source": 1.0})

setting = Table(
    "desk_setting",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)
