"""The issue as JSON, whole: what another program needs to print, check or read it back."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from kuaibao.bulletin.model import Issue

__all__ = ["issue_to_value", "render_json"]


def render_json(issue: Issue) -> bytes:
    """Indented UTF-8; lone surrogates are escaped, since UTF-8 has no form for them."""
    text = json.dumps(issue_to_value(issue), ensure_ascii=False, indent=2) + "\n"
    return text.encode("utf-8", "backslashreplace")


def issue_to_value(value: Any) -> Any:
    """Dataclasses as objects, tuples as arrays, dates as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: issue_to_value(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [issue_to_value(part) for part in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
