"""POST /smalt/v1{WS}/datastores/{name}/uploads…: the many files of one upload in few requests."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import asdict
from functools import partial
from typing import Any

from smalt.exceptions import RefusedError, ValidationException
from smalt.service.api.arm.datastores import find_datastore
from smalt.service.api.request import ApiRequest
from smalt.service.data.datastores.remote_store import RemoteStore
from smalt.service.data.uploads.batch_uploads import BatchUpload, parse_requests
from smalt.service.engine.versions.integrity import is_named_by_content
from smalt.service.engine.versions.overwrites import copy_aside_before_request

log = logging.getLogger("smalt.api")

_LARGEST = 64_000_000


async def check_upload(request: ApiRequest) -> dict[str, Any]:
    """Tell whether `target` is complete; with `files`, which of them are missing and how much of each has arrived."""
    body = await request.read_object()
    upload = _open_upload(request, body.get("target"))
    if upload is None:
        return {"bulk": False}
    is_done = upload.is_done and await request.server.engine.context.intact.is_whole(str(upload.target))
    if is_done or "files" not in body:  # what somebody changed is sent again, and stays until `finish` replaces it
        return {"bulk": True, "done": is_done}
    files = parse_requests(body["files"])
    return {"bulk": True, "done": False, "missing": await asyncio.to_thread(upload.list_missing, files)}


async def receive_files(request: ApiRequest) -> dict[str, Any]:
    """Receive pieces of files, one after the other: see data/uploads."""
    upload = _ensure_folder(_open_upload(request, request.get_query("target")))
    await _keep_registered_versions(request, upload)
    parts = await request.read_parts(_LARGEST, "body", "send fewer files at once")
    return {"files": await asyncio.to_thread(upload.receive_pieces, parts)}


async def finish_upload(request: ApiRequest) -> dict[str, Any]:
    body = await request.read_object()
    upload = _ensure_folder(_open_upload(request, body.get("target")))
    files, folders = parse_requests(body.get("files")), body.get("folders") or []
    if not isinstance(folders, list) or not all(isinstance(folder, str) and folder for folder in folders):
        raise ValidationException('"folders" must be a list of paths')
    executable = body.get("executable") or []
    if not isinstance(executable, list) or not all(isinstance(path, str) for path in executable):
        raise ValidationException('"executable" must be a list of paths')
    await _keep_registered_versions(request, upload)
    intact, is_new = request.server.engine.context.intact, not upload.is_done
    is_changed = not is_new and not await intact.is_whole(str(upload.target))
    replace_if = partial(is_named_by_content, digest=upload.target.parent.name) if is_changed else None
    await asyncio.to_thread(upload.finish, files, folders, frozenset(executable), replace_if=replace_if)
    await intact.record_stamp(str(upload.target), is_named=is_new or is_changed)
    return {"done": True}


async def show_import(request: ApiRequest) -> dict[str, Any]:
    """Return the progress of the copy of a local path that is being registered; {} if there is no such copy."""
    found = request.server.data.going.get(os.path.abspath(request.get_query("path"))) if request.is_local else None
    return asdict(found) if found else {}


def _open_upload(request: ApiRequest, target: Any) -> BatchUpload | None:
    """Return the upload to `target`; None for a datastore that is not a local folder and takes files one by one."""
    store, datastores = find_datastore(request).name, request.server.data.datastores
    if not isinstance(target, str) or not target.strip("/"):
        raise ValidationException('"target" must be a path of the datastore')
    if isinstance(datastores.get_root(request.workspace.folder, store), RemoteStore):
        return None
    return BatchUpload(datastores.get_path(request.workspace.folder, store, target))


async def _keep_registered_versions(request: ApiRequest, upload: BatchUpload) -> None:
    """Copy registered content around the upload's target aside before something is added to it."""
    if not upload.is_done:
        await copy_aside_before_request(request.server.engine.context, request.workspace, upload.target, log.info)


def _ensure_folder(upload: BatchUpload | None) -> BatchUpload:
    if upload is None:
        raise RefusedError("this datastore takes files one by one: PUT …/files/PATH")
    return upload


ROUTES = [
    ("GET", "/imports", show_import),
    ("POST", "/datastores/{name}/uploads", check_upload),
    ("POST", "/datastores/{name}/uploads/content", receive_files),
    ("POST", "/datastores/{name}/uploads/finish", finish_upload),
]
