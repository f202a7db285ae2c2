"""Uploaded files: JSON lines, checked for their purpose, seen by their owner alone."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from kuaibao.files import write_bytes
from kuaibao.service.errors import InvalidRequestError, NotFoundError
from kuaibao.service.service import Caller, Service
from kuaibao.service.tables import file

__all__ = ["PURPOSES", "FileStore"]


def _texts(*names: str) -> Callable[[Mapping[str, Any]], str]:
    """A check: these fields must be texts; gives the complaint or an empty string."""

    def check(row: Mapping[str, Any]) -> str:
        missing = [n for n in names if not isinstance(row.get(n), str)]
        return f"needs the text field {missing[0]!r}" if missing else ""

    return check


def _fine_tune(row: Mapping[str, Any]) -> str:
    if "messages" in row:
        return "" if isinstance(row["messages"], list) else "messages must be a list"
    return _texts("prompt", "completion")(row)


PURPOSES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "search": _texts("text"),
    "answers": _texts("text"),
    "classifications": _texts("text", "label"),
    "fine-tune": _fine_tune,
    "fine-tune-results": lambda _row: "",
    "batch": lambda _row: "",
    "user_data": lambda _row: "",
}


def _bare_name(filename: str) -> str:
    """The last part of a name from outside; a label only, nothing is stored under it."""
    last = "".join(c for c in re.split(r"[/\\]", filename)[-1] if c.isprintable()).strip()
    last = re.sub(r"^[A-Za-z]:", "", last)
    return last[:300] if last.strip(".") else "upload.jsonl"


class FileStore:
    """The files of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._folder = Path(service.settings.data) / "files"

    def add(self, caller: Caller, filename: str, purpose: str, data: bytes) -> dict[str, Any]:
        """Keep a file.

        Raises:
            InvalidRequestError: Unknown purpose, or a line that does not fit it (named).
        """
        if purpose not in PURPOSES:
            raise InvalidRequestError(
                f"unknown purpose '{purpose}': one of {', '.join(PURPOSES)}", param="purpose"
            )
        if purpose not in ("fine-tune-results", "user_data"):
            for number, row in _rows(data):
                complaint = PURPOSES[purpose](row)
                if complaint:
                    raise InvalidRequestError(f"line {number}: {complaint}", param="file")
        file_id = f"file-{secrets.token_hex(12)}"
        write_bytes(self._folder / file_id, data)
        with self._service.database.write() as connection:
            connection.execute(
                insert(file).values(
                    file_id=file_id,
                    person_id=caller.person.person_id,
                    filename=_bare_name(filename),
                    purpose=purpose,
                    size_bytes=len(data),
                    created_at=time.time(),
                )
            )
        return self.get(caller, file_id)

    def get(self, caller: Caller, file_id: str) -> dict[str, Any]:
        """A file's description.

        Raises:
            NotFoundError: There is none with that id among the caller's.
        """
        query = select(file).where(
            file.c.file_id == file_id, file.c.person_id == caller.person.person_id
        )
        with self._service.database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFoundError(f"No such File object: {file_id[:80]}", param="id")
        return _describe(row)

    def list(self, caller: Caller, purpose: str | None = None) -> list[dict[str, Any]]:
        """The caller's files, newest first."""
        query = (
            select(file)
            .where(file.c.person_id == caller.person.person_id)
            .order_by(file.c.created_at.desc())
        )
        if purpose:
            query = query.where(file.c.purpose == purpose)
        with self._service.database.read() as connection:
            return [_describe(row) for row in connection.execute(query).mappings()]

    def path(self, caller: Caller, file_id: str) -> Path:
        """Where a file of the caller's lies; raises like `get`."""
        return self._folder / str(self.get(caller, file_id)["id"])

    def lines(self, caller: Caller, file_id: str, purpose: str) -> list[dict[str, Any]]:
        """The objects of a file.

        Raises:
            NotFoundError: Not there.
            InvalidRequestError: It was uploaded for something else.
        """
        described = self.get(caller, file_id)
        if described["purpose"] != purpose:
            raise InvalidRequestError(
                f"{file_id} was uploaded for '{described['purpose']}', not for '{purpose}'",
                param="file",
            )
        return [row for _, row in _rows(self.path(caller, file_id).read_bytes())]

    def delete(self, caller: Caller, file_id: str) -> None:
        """Delete a file of the caller's; raises like `get`."""
        path = self.path(caller, file_id)
        with self._service.database.write() as connection:
            connection.execute(delete(file).where(file.c.file_id == file_id))
        path.unlink(missing_ok=True)


def _rows(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequestError("the file is not UTF-8", param="file") from error
    found = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InvalidRequestError(f"line {number} is not JSON", param="file") from error
        if not isinstance(row, dict):
            raise InvalidRequestError(f"line {number} is not a JSON object", param="file")
        found = True
        yield number, row
    if not found:
        raise InvalidRequestError("the file is empty", param="file")


def _describe(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": row["file_id"],
        "object": "file",
        "bytes": row["size_bytes"],
        "created_at": int(row["created_at"]),
        "filename": row["filename"],
        "purpose": row["purpose"],
        "status": "processed",
    }
