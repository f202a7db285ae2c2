"""The tables of applications, usage, files, jobs and held texts."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "application",
    "application_event",
    "application_key",
    "budget",
    "budget_alert",
    "create_tables",
    "few_shot_report",
    "few_shot_template",
    "file",
    "held",
    "job",
    "metadata",
    "usage",
]

metadata = MetaData()

application = Table(
    "application",
    metadata,
    Column("application_id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("is_killed", Boolean, nullable=False, default=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("form", Text, nullable=False),
    Column("ceilings", Text, nullable=False),
    Column("policy", Text, nullable=False),
)

application_event = Table(
    "application_event",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("application_id", Integer, nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", Text, nullable=False),
)

application_key = Table(
    "application_key",
    metadata,
    Column("key_id", Integer, primary_key=True),
    Column("application_id", Integer, nullable=False, index=True),
)

usage = Table(
    "usage",
    metadata,
    Column("usage_id", Integer, primary_key=True),
    Column("request_id", String(64), nullable=False, unique=True),
    Column("at", Float, nullable=False),
    Column("application_id", Integer, nullable=False),
    Column("key_id", Integer, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("endpoint", String(60), nullable=False),
    Column("end_user", String(64), nullable=False, default=""),
    Column("n_prompt_token", Integer, nullable=False, default=0),
    Column("n_completion_token", Integer, nullable=False, default=0),
    Column("cost", Float, nullable=False, default=0.0),
    Column("status", String(20), nullable=False),
    Index("usage_by_application", "application_id", "at"),
    Index("usage_by_time", "at"),
)

file = Table(
    "service_file",
    metadata,
    Column("file_id", String(60), primary_key=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("filename", String(300), nullable=False),
    Column("purpose", String(60), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
)

job = Table(
    "fine_tuning_job",
    metadata,
    Column("job_id", String(60), primary_key=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("application_id", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("training_file", String(60), nullable=False),
    Column("validation_file", String(60), nullable=False, default=""),
    Column("suffix", String(60), nullable=False, default=""),
    Column("hyperparameters", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("fine_tuned_model", String(200), nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("events", Text, nullable=False, default="[]"),
    Column("n_trained_token", Integer, nullable=False, default=0),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
)

held = Table(
    "held",
    metadata,
    Column("held_id", Integer, primary_key=True),
    Column("request_id", String(64), nullable=False),
    Column("application_id", Integer, nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("side", String(10), nullable=False),
    Column("check", String(60), nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("decision", String(20), nullable=False, default=""),
    Column("decided_by", String(100), nullable=False, default=""),
    Column("decided_at", Float),
    Column("delete_after", Float, nullable=False),
)

few_shot_template = Table(
    "few_shot_template",
    metadata,
    Column("template_id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False),
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("created_by", String(100), nullable=False),
    UniqueConstraint("person_id", "name", "version"),
)

few_shot_report = Table(
    "few_shot_report",
    metadata,
    Column("report_id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False),
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("at", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("few_shot_report_by_name", "person_id", "name"),
)

budget = Table(
    "budget",
    metadata,
    Column("budget_id", Integer, primary_key=True),
    Column("scope", String(20), nullable=False),
    Column("subject_id", Integer, nullable=False),
    Column("unit", String(10), nullable=False),
    Column("amount", Float, nullable=False),
    Column("thresholds", Text, nullable=False),
    Column("is_hard", Boolean, nullable=False, default=False),
    Column("email", String(200), nullable=False, default=""),
    Column("is_by_admin", Boolean, nullable=False, default=False),
    UniqueConstraint("scope", "subject_id", "unit"),
)

budget_alert = Table(
    "budget_alert",
    metadata,
    Column("alert_id", Integer, primary_key=True),
    Column("budget_id", Integer, nullable=False),
    Column("month", String(7), nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("used", Float, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("budget_id", "month", "threshold"),
)


def create_tables(connection: Connection) -> None:
    """Make what is missing; running again changes nothing."""
    metadata.create_all(connection)
