"""Subscribers, mailings, and what became of each message."""

from __future__ import annotations

from sqlalchemy import (
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

__all__ = ["delivery", "letter", "mailing", "metadata", "subscriber"]

metadata = MetaData()

subscriber = Table(
    "mail_subscriber",
    metadata,
    Column("subscriber_id", Integer, primary_key=True),
    Column("series_id", Integer, nullable=False),
    Column("email", String(320), nullable=False),
    Column("state", String(20), nullable=False),
    Column("token", String(64), nullable=False, unique=True),
    Column("asked_at", Float, nullable=False),
    Column("confirmed_at", Float),
    Column("left_at", Float),
    Column("n_bounce", Integer, nullable=False, default=0),
    UniqueConstraint("series_id", "email"),
    Index("subscriber_by_state", "series_id", "state"),
)
"""`state`: pending (not confirmed), active, left, bounced."""

mailing = Table(
    "mail_mailing",
    metadata,
    Column("mailing_id", Integer, primary_key=True),
    Column("issue_id", Integer, nullable=False, unique=True),
    Column("person_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
)
"""An issue that is mailed: at most once, however often it is asked for."""

delivery = Table(
    "mail_delivery",
    metadata,
    Column("delivery_id", Integer, primary_key=True),
    Column("mailing_id", ForeignKey("mail_mailing.mailing_id"), nullable=False),
    Column("subscriber_id", ForeignKey("mail_subscriber.subscriber_id"), nullable=False),
    Column("state", String(20), nullable=False, default="queued"),
    Column("n_try", Integer, nullable=False, default=0),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("at", Float),
    Column("message", Text, nullable=False, default=""),
    UniqueConstraint("mailing_id", "subscriber_id"),
    Index("delivery_by_state", "state", "not_before"),
)
"""`state`: queued → handing → sent; failed, skipped. `handing` is written before the last byte goes
to the mail server: a row that a kill left in it is uncertain, and is never sent again by itself."""

letter = Table(
    "mail_letter",
    metadata,
    Column("letter_id", Integer, primary_key=True),
    Column("recipient", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False, default="queued"),
    Column("n_try", Integer, nullable=False, default=0),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("at", Float),
    Column("message", Text, nullable=False, default=""),
)
"""Single letters: requests to confirm, notes for people of the desk."""
