"""The files of datastores, and where a URI leads."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from itertools import islice
from typing import Any

from starlette.responses import FileResponse, Response, StreamingResponse

from smalt.exceptions import NotFound, ValidationException
from smalt.service.api.arm.datastores import existing
from smalt.service.api.pagination import answer, window
from smalt.service.api.request import Call
from smalt.service.api.request_body import consumed
from smalt.service.data.datastores.remote_store import Store
from smalt.service.engine.versions.overwrites import keep_before_write
from smalt.service.secrets.masks import Mask, is_log

log = logging.getLogger("smalt.api")

ARTIFACTS = "workspaceartifactstore"
_SANDBOX = "sandbox; default-src 'none'"
"""A file that a job wrote is shown, if at all, as if it came from nowhere."""


async def list_files(call: Call) -> dict[str, Any]:
    """What is at and below a path, in lexicographic order."""
    store = existing(call).name
    skip, size = window(call)

    def listed() -> list[Any]:
        found = call.service.data.datastores.list(
            call.workspace.folder, store, call.query("path"), recursive=call.flag("recursive")
        )
        return list(islice(found, skip, skip + size + 1))

    items = await asyncio.to_thread(listed)
    value = [
        {"path": item.path, "size": item.size, "is_dir": item.is_dir, **({"executable": True} if item[3] else {})}
        for item in items[:size]
    ]
    return answer(call, value, len(items) > size)


async def get_file(call: Call) -> Response:
    store = existing(call).name
    datastores, name = call.service.data.datastores, call.name("path")
    path = await asyncio.to_thread(datastores.open, call.workspace.folder, store, name)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"content-security-policy": _SANDBOX}
    mask = mask_of(call, store, name)
    if mask is None:
        return FileResponse(path, media_type=kind, headers=headers)
    size = path.stat().st_size
    headers["content-length"] = str(size)
    return StreamingResponse(mask.pieces(path, 0, size), media_type=kind, headers=headers)


def mask_of(call: Call, store: str, path: str) -> Mask | None:
    """What is to be hidden in a file: the workspace's secrets, in logs of jobs."""
    if store != ARTIFACTS or not is_log(path):
        return None
    return call.service.engine.rooms.vault.mask(call.workspace)


async def put_file(call: Call) -> dict[str, Any]:
    """Whole or not at all."""
    store, datastores = existing(call).name, call.service.data.datastores
    folder, path = call.workspace.folder, call.name("path")
    datastores.check(folder, store, path)
    if not isinstance(datastores.root(folder, store), Store):
        place = datastores.path(folder, store, path)
        await keep_before_write(call.service.engine.rooms, call.workspace, place, log.info)
    executable = call.flag("executable")
    size = await consumed(call, lambda blocks: datastores.write(folder, store, path, blocks, executable=executable))
    return {"path": path, "size": size}


async def resolve(call: Call) -> dict[str, Any]:
    """Where a URI leads: datastore and path, and the path on this machine for who can read it."""
    uri = (await call.object()).get("uri")
    if not isinstance(uri, str) or not uri:
        raise ValidationException('"uri" must be a text')
    location = call.service.data.resolve(uri, call.workspace)
    if not call.is_local and location.datastore is None:
        raise NotFound(f"{uri} is not in a datastore, and only those can be read from elsewhere")
    local = str(location.path) if call.is_local and location.path is not None else None
    return {"datastore": location.datastore, "path": location.relative, "local": local}


ROUTES = [
    ("GET", "/datastores/{name}/list", list_files),
    ("GET", "/datastores/{name}/files/{path:path}", get_file),
    ("PUT", "/datastores/{name}/files/{path:path}", put_file),
    ("POST", "/resolve", resolve),
]
