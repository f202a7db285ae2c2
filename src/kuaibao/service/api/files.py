"""`/v1/files`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import FileResponse

from kuaibao.service.api.access import CallerOf, ServiceOf
from kuaibao.service.files import FileStore

__all__ = ["router"]

router = APIRouter(tags=["files"])


@router.post("/v1/files")
def create_file(
    file: UploadFile, purpose: Annotated[str, Form()], caller: CallerOf, service: ServiceOf
) -> dict[str, Any]:
    """Upload JSON lines; every line is checked for the purpose."""
    caller.require("files")
    return FileStore(service).add(caller, file.filename or "", purpose, file.file.read())


@router.get("/v1/files")
def list_files(caller: CallerOf, service: ServiceOf, purpose: str | None = None) -> dict[str, Any]:
    """The caller's files."""
    caller.require("files")
    data = FileStore(service).list(caller, purpose)
    return {"object": "list", "data": data, "has_more": False}


@router.get("/v1/files/{file_id}")
def get_file(file_id: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """One file's description."""
    caller.require("files")
    return FileStore(service).get(caller, file_id)


@router.get("/v1/files/{file_id}/content")
def get_file_content(file_id: str, caller: CallerOf, service: ServiceOf) -> FileResponse:
    """What was uploaded, byte for byte."""
    caller.require("files")
    path = FileStore(service).path(caller, file_id)
    return FileResponse(
        path,
        media_type="application/octet-stream",
        headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
    )


@router.delete("/v1/files/{file_id}")
def delete_file(file_id: str, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Delete a file."""
    caller.require("files")
    FileStore(service).delete(caller, file_id)
    return {"id": file_id, "object": "file", "deleted": True}
