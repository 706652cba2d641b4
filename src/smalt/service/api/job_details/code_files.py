"""The files of a job's code, and the run before it.

GET /smalt/v1{WS}/jobs/{name}/snapshot/file?code=HASH&path=PATH: a file of a snapshot that `…/snapshot` names.
GET /smalt/v1{WS}/jobs/{name}/previous: {"job": name or null}: the newest earlier job of the same experiment and type;
    of a step, that step of the newest earlier pipeline of the experiment that has one.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from starlette.responses import FileResponse

from smalt.exceptions import NotFound
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.native.datastore_files import SANDBOX
from smalt.service.api.request import ApiRequest
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE
from smalt.service.records import assets, job_graph


async def get_code_file(request: ApiRequest) -> FileResponse:
    find_job(request)
    code, path = request.get_query("code"), request.get_query("path")
    if not assets.has_code(request.server.db, request.workspace.id, code):
        raise NotFound(f"this workspace has no code with the hash '{code[:100]}'")
    return await send_code_file(request, code, path)


async def send_code_file(request: ApiRequest, code: str, path: str) -> FileResponse:
    """Return a file of the snapshot with the hash `code`."""
    snapshots = request.server.data.snapshots
    entries = await asyncio.to_thread(snapshots.read_entries, code)
    entry = next((one for one in entries if one.path == path and one.kind in (FILE, EXECUTABLE)), None)
    if entry is None:
        raise NotFound(f"this code has no file '{path[:200]}'")
    place = snapshots.objects.get_path(entry.content)
    if not await asyncio.to_thread(os.path.isfile, place):
        raise NotFound(f"the store of snapshots has lost '{path[:200]}'; submit the job again")
    return FileResponse(place, media_type="text/plain", headers={"content-security-policy": SANDBOX})


async def find_previous(request: ApiRequest) -> dict[str, Any]:
    return {"job": job_graph.find_previous_name(request.server.db, find_job(request))}


ROUTES = [
    ("GET", "/jobs/{name}/snapshot/file", get_code_file),
    ("GET", "/jobs/{name}/previous", find_previous),
]
