"""What the JSON interfaces have in common: one bounded question, values taken with care."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from kuaibao.bulletin.model import PartialDate
from kuaibao.bulletin.sources.asking import LayoutError
from kuaibao.bulletin.sources.errors import SourceSettingError
from kuaibao.bulletin.sources.protocol import SourceContext

__all__ = ["address", "ask_json", "items_of", "partial_day", "secret", "text_at"]

MAX_BYTES = 12 * 1024 * 1024


def address(base_url: str, path: str, **parameters: object) -> str:
    """An address with its query; empty parameters are left out."""
    given = {name: value for name, value in parameters.items() if value not in ("", None)}
    return f"{base_url.rstrip('/')}/{path}" + (f"?{urlencode(given)}" if given else "")


def secret(context: SourceContext, name: str) -> str:
    """The key that the environment holds under `name`; empty if no name is given.

    Raises:
        SourceSettingError: The setting names a variable that is not there.
    """
    if not name:
        return ""
    value = context.secrets.get(name, "")
    if not value:
        raise SourceSettingError(
            f"the environment has no {name}", hint=f"Set it: export {name}=…, or drop the setting."
        )
    return value


def ask_json(
    context: SourceContext, url: str, *, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Ask an interface; its answer must be a JSON object.

    Raises:
        LayoutError: It answered with something else.
        FetchError: It did not answer.
    """
    asked = {"Accept": "application/json", **(headers or {})}
    answer = context.fetcher.get(url, headers=asked, max_bytes=MAX_BYTES)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise LayoutError("the interface no longer answers with JSON") from error
    if isinstance(document, list):
        return {"items": document}
    if not isinstance(document, dict):
        raise LayoutError("the interface answers with a form we do not know")
    return document


def items_of(document: Mapping[str, Any], *path: str) -> list[dict[str, Any]]:
    """The list of objects at `path`.

    Raises:
        LayoutError: There is no list.
    """
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, list):
        raise LayoutError(f"the interface no longer gives '{'.'.join(path)}'")
    return [item for item in found if isinstance(item, dict)]


def text_at(record: Any, *path: str | int) -> str:
    """The text (or number) at `path`; empty if there is none."""
    for step in path:
        if isinstance(step, int):
            record = record[step] if isinstance(record, list) and len(record) > step else None
        else:
            record = record.get(step) if isinstance(record, dict) else None
    if isinstance(record, str):
        return record.strip()
    return str(record) if isinstance(record, int) and not isinstance(record, bool) else ""


def partial_day(text: str) -> PartialDate | None:
    """`2020`, `2020-06` or `2020-06-17` (a time behind it is dropped) with its precision."""
    parts = text.strip()[:10].split("-")
    try:
        numbers = [int(part) for part in parts if part]
        filled = (*numbers, 1, 1)[:3]
        value = datetime(*filled, tzinfo=UTC)  # pyright: ignore[reportArgumentType]
    except (ValueError, TypeError):
        return None
    precision = ("year", "month", "day")[min(len(numbers), 3) - 1]
    return PartialDate(value=value, precision=precision, zone="")
