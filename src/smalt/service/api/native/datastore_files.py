"""The files of datastores, and the locations of URIs."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import re
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response, StreamingResponse

from smalt.exceptions import NotFound, ValidationException
from smalt.service.api.arm.datastores import find_datastore
from smalt.service.api.pagination import get_window, wrap_page
from smalt.service.api.request import ApiRequest
from smalt.service.api.request_body import process_body
from smalt.service.data.datastores.remote_store import RemoteStore
from smalt.service.engine.versions.overwrites import copy_aside_before_request
from smalt.service.secrets.masks import SecretMask, is_log_path

log = logging.getLogger("smalt.api")

ARTIFACTS = "workspaceartifactstore"
_RANGE = re.compile(r"bytes=(?=[-\d]*\d)(\d{0,15})-(\d{0,15})")
SANDBOX = "sandbox; default-src 'none'"
"""A file that a job wrote is shown, if at all, as if it came from nowhere."""


async def list_files(request: ApiRequest) -> dict[str, Any]:
    """List the files at and below a path, in lexicographic order."""
    store = find_datastore(request).name
    skip, size = get_window(request)

    def listed() -> list[Any]:
        found = request.server.data.datastores.list(
            request.workspace.folder, store, request.get_query("path"), recursive=request.get_flag("recursive")
        )
        return list(islice(found, skip, skip + size + 1))

    items = await asyncio.to_thread(listed)
    value = [
        {"path": item.path, "size": item.size, "is_dir": item.is_dir, **({"executable": True} if item[3] else {})}
        for item in items[:size]
    ]
    return wrap_page(request, value, len(items) > size)


async def get_file(request: ApiRequest) -> Response:
    store = find_datastore(request).name
    datastores, name = request.server.data.datastores, request.get_name("path")
    path = await asyncio.to_thread(datastores.open, request.workspace.folder, store, name)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"content-security-policy": SANDBOX}
    mask = find_mask(request, store, name)
    if mask is None:
        return FileResponse(path, media_type=kind, headers=headers)
    return _send_masked(request, mask, path, kind, headers)


def _send_masked(request: ApiRequest, mask: SecretMask, path: Path, kind: str, headers: dict[str, str]) -> Response:
    """Return the file, or the range of it that the request names, with secrets hidden."""
    size = path.stat().st_size
    headers["accept-ranges"] = "bytes"
    first, last, status = 0, size - 1, 200
    if found := _RANGE.fullmatch(request.headers.get("range", "")):
        first, last = _resolve_range(found[1], found[2], size)
        status = 206
        if first > last:
            return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    count = last - first + 1
    headers["content-length"] = str(count)
    return StreamingResponse(mask.read_pieces(path, first, count), status, media_type=kind, headers=headers)


def _resolve_range(first: str, last: str, size: int) -> tuple[int, int]:
    """Return the first and last byte that a range names; the first is beyond the last if the file has none of it."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


def find_mask(request: ApiRequest, store: str, path: str) -> SecretMask | None:
    """Return the mask of the workspace's secrets if the file is a job's log, else None."""
    if store != ARTIFACTS or not is_log_path(path):
        return None
    return request.server.engine.context.vault.get_mask(request.workspace)


async def put_file(request: ApiRequest) -> dict[str, Any]:
    """Write a file, whole or not at all."""
    store, datastores = find_datastore(request).name, request.server.data.datastores
    folder, path = request.workspace.folder, request.get_name("path")
    datastores.check_path(folder, store, path)
    if not isinstance(datastores.get_root(folder, store), RemoteStore):
        place = datastores.get_path(folder, store, path)
        await copy_aside_before_request(request.server.engine.context, request.workspace, place, log.info)
    executable = request.get_flag("executable")
    size = await process_body(
        request, lambda blocks: datastores.write(folder, store, path, blocks, executable=executable)
    )
    return {"path": path, "size": size}


async def resolve_uri(request: ApiRequest) -> dict[str, Any]:
    """Return datastore and path of a URI and, for local callers, its path on this machine."""
    uri = (await request.read_object()).get("uri")
    if not isinstance(uri, str) or not uri:
        raise ValidationException('"uri" must be a text')
    location = request.server.data.resolve(uri, request.workspace)
    if not request.is_local and location.datastore is None:
        raise NotFound(f"{uri} is not in a datastore, and only those can be read from elsewhere")
    local = str(location.path) if request.is_local and location.path is not None else None
    return {"datastore": location.datastore, "path": location.relative, "local": local}


ROUTES = [
    ("GET", "/datastores/{name}/list", list_files),
    ("GET", "/datastores/{name}/files/{path:path}", get_file),
    ("PUT", "/datastores/{name}/files/{path:path}", put_file),
    ("POST", "/resolve", resolve_uri),
]
