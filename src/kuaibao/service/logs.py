"""Structured logs: one JSON object a line on standard error."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Any, TextIO

__all__ = ["JsonLines", "log_to"]

ROOT = "kuaibao.service"


class JsonLines(logging.Formatter):
    """A record as JSON; `extra={"fields": {…}}` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))[-4000:]
        return json.dumps(line, ensure_ascii=False)


def log_to(stream: TextIO | None = None) -> logging.Handler:
    """Write the service's log to a stream (standard error if none is named), from `info` up."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(ROOT)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return handler
