"""The tables of a bulletin. Values are kept whole as JSON; columns hold what queries need."""

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
    "apart",
    "archive",
    "decision",
    "draft",
    "entry",
    "identity",
    "issue",
    "issue_item",
    "item",
    "join_log",
    "metadata",
    "page_text",
    "publication",
    "run",
    "run_source",
    "signature",
    "source",
]

metadata = MetaData()

run = Table(
    "bulletin_run",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("now", String(40), nullable=False),
    Column("is_finished", Boolean, nullable=False, default=False),
    Column("counts", Text, nullable=False, default="{}"),
)
"""One build; an unfinished one is gone on with, under its own clock."""

source = Table(
    "source",
    metadata,
    Column("source_id", String(200), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("state", Text, nullable=False, default="{}"),
    Column("status", String(20), nullable=False, default=""),
    Column("message", Text, nullable=False, default=""),
    Column("problems", Text, nullable=False, default="[]"),
    Column("asked_at", String(40), nullable=False, default=""),
    Column("new_at", String(40), nullable=False, default=""),
    Column("n_failure", Integer, nullable=False, default=0),
)
"""What a source said the last time; `n_failure` counts failures in a row."""

run_source = Table(
    "run_source",
    metadata,
    Column("run_id", ForeignKey("bulletin_run.run_id", ondelete="CASCADE"), primary_key=True),
    Column("source_id", String(200), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("n_entry", Integer, nullable=False),
    Column("n_new", Integer, nullable=False),
)
"""Which sources were asked in a run, so that a resumed one asks nobody twice."""

item = Table(
    "item",
    metadata,
    Column("item_id", String(32), primary_key=True),
    Column("joined_to", String(32), ForeignKey("item.item_id")),
)
"""A story. `joined_to` is set when it turned out to be the same as an earlier one."""

entry = Table(
    "entry",
    metadata,
    Column("entry_key", Integer, primary_key=True),
    Column("reference", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("source_id", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("last_day", String(10)),
    Column("hash", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("item_id", String(32), ForeignKey("item.item_id")),
    UniqueConstraint("reference", "revision"),
    Index("entry_by_item", "item_id", "is_current"),
    Index("entry_by_source", "source_id", "is_current", "position"),
    Index("entry_by_day", "last_day"),
)
"""An entry as it came; a changed one is a new revision, never an update of the payload.
`last_day` is the last calendar day that its date can mean; null without a date."""

identity = Table(
    "identity",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("shown", Text, nullable=False),
    Column("item_id", String(32), ForeignKey("item.item_id"), nullable=False, index=True),
)
"""What makes two entries one story (hash of `doi:…`, `url:…`, …), found by index, not by pairs."""

join_log = Table(
    "join_log",
    metadata,
    Column("join_id", Integer, primary_key=True),
    Column("entry_key", Integer, ForeignKey("entry.entry_key"), nullable=False, index=True),
    Column("item_id", String(32), nullable=False, index=True),
    Column("previous_item_id", String(32), nullable=False, default=""),
    Column("reason", Text, nullable=False),
)
"""Why an entry belongs to an item; `previous_item_id` where two items became one."""

apart = Table(
    "apart",
    metadata,
    Column("left_id", String(32), primary_key=True),
    Column("right_id", String(32), primary_key=True),
)
"""Stories that an editor parted: nothing they share joins them again. `left_id` is the smaller."""

page_text = Table(
    "page_text",
    metadata,
    Column("reference", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("run_id", Integer, nullable=False),
)
"""The full text that was read from an entry's page, or why there is none."""

draft = Table(
    "draft",
    metadata,
    Column("item_id", String(32), ForeignKey("item.item_id"), primary_key=True),
    Column("edition", String(20), primary_key=True),
    Column("is_machine", Boolean, nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("body_markdown", Text, nullable=False, default=""),
    Column("figures", Text, nullable=False, default="[]"),
)
"""The text of an item in one edition (`en`, `zh`). A machine never writes over a person's."""

signature = Table(
    "signature",
    metadata,
    Column("item_id", String(32), ForeignKey("item.item_id"), primary_key=True),
    Column("language", String(20), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("person", String(200), primary_key=True),
    Column("at", String(40), nullable=False, default=""),
)

issue = Table(
    "issue",
    metadata,
    Column("issue_id", Integer, primary_key=True),
    Column("series", String(300), nullable=False),
    Column("language", String(20), nullable=False),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("running_number", Integer, nullable=False, index=True),
    Column("content_hash", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    UniqueConstraint("series", "language", "year", "number"),
)

issue_item = Table(
    "issue_item",
    metadata,
    Column("issue_id", ForeignKey("issue.issue_id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", String(32), ForeignKey("item.item_id"), primary_key=True, index=True),
    Column("section", String(20), nullable=False),
    Column("position", Integer, nullable=False),
    Column("score", Float, nullable=False),
)
"""What was printed where: an item is not printed twice within the last issues."""

publication = Table(
    "publication",
    metadata,
    Column("folder", String(1000), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("files", Text, nullable=False),
)
"""What was written where: files that are still as written are not rendered again."""

decision = Table(
    "reading_decision",
    metadata,
    Column("decision_id", Integer, primary_key=True),
    Column("item_id", String(32), ForeignKey("item.item_id"), nullable=False, index=True),
    Column("section", String(20), nullable=False),
    Column("action", String(20), nullable=False),
    Column("to_section", String(20), nullable=False, default=""),
    Column("person", String(200), nullable=False, default=""),
    Column("at", String(40), nullable=False),
)
"""What editors decided, in order; a decision is taken back by another one."""

archive = FullTextIndex("archive", {"title": 6.0, "people": 3.0, "body": 1.0}, has_facts=True)
"""Every current entry by `entry_key`, searchable; source, kind, language and day are its facts."""
