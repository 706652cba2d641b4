"""The inputs and outputs of a job, and the files in them.

GET /smalt/v1{WS}/jobs/{name}/ports: {"inputs": [{"name", "type", "mode", "uri", "asset", "value"}], "outputs": [...]}.
    Parameters have a "value", and data a "uri" and, where it is registered, an "asset" (`data/NAME/versions/1`).
GET /smalt/v1{WS}/jobs/{name}/ports/{direction}/{port}/list: {"value": [{"path", "size", "is_dir"}], "nextLink"} of the
    data at `?path=` below it; `direction` is inputs or outputs.
GET /smalt/v1{WS}/jobs/{name}/ports/{direction}/{port}/file: the file at `?path=`, or the data itself if it is one file;
    `Range` is understood.

Data of the web and of clouds is fetched when it is first asked for, as for a job.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import os
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from smalt.exceptions import NotFound, RefusedError
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.native.datastore_files import SANDBOX
from smalt.service.api.pagination import get_window, wrap_page
from smalt.service.api.request import ApiRequest
from smalt.service.data.files.path_containment import resolve_inside
from smalt.service.records import job_data, jobs
from smalt.service.records.jobs import Job

_DIRECTIONS = {"inputs": "input", "outputs": "output"}
Port = dict[str, Any]


async def list_ports(request: ApiRequest) -> dict[str, Any]:
    job = find_job(request)
    return {direction: _list_side(request, job, direction) for direction in _DIRECTIONS}


async def list_port_files(request: ApiRequest) -> dict[str, Any]:
    root, path = await _fetch_port(request), request.get_query("path")
    skip, size = get_window(request)

    def list_folder() -> list[dict[str, Any]]:
        place = resolve_inside(root, path) if root.is_dir() else root
        if place.is_file():
            return [{"path": path if root.is_dir() else "", "size": place.stat().st_size, "is_dir": False}]
        if not place.is_dir():
            raise NotFound(f"there is nothing at '{path[:200]}' in this data")
        entries = sorted(os.scandir(place), key=lambda entry: (not entry.is_dir(), entry.name))
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        return [
            {"path": prefix + entry.name, "size": 0 if entry.is_dir() else _get_size(entry), "is_dir": entry.is_dir()}
            for entry in islice(entries, skip, skip + size + 1)
        ]

    found = await asyncio.to_thread(list_folder)
    return wrap_page(request, found[:size], len(found) > size)


async def get_port_file(request: ApiRequest) -> FileResponse:
    root, path = await _fetch_port(request), request.get_query("path")
    place = await asyncio.to_thread(lambda: resolve_inside(root, path) if root.is_dir() and path else root)
    if not place.is_file():
        raise NotFound(f"there is no file at '{path[:200]}' in this data")
    kind = mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    return FileResponse(place, media_type=kind, headers={"content-security-policy": SANDBOX})


def _list_side(request: ApiRequest, job: Job, direction: str) -> list[Port]:
    """Return the inputs or outputs as they were recorded, and those that are only declared yet."""
    declared = jobs.read_properties(request.server.db, job.id).get(direction)
    recorded = job_data.read_data(request.server.db, job.id, _DIRECTIONS[direction])
    ports: dict[str, Port] = {}
    for name, port in declared.items() if isinstance(declared, dict) else ():
        ports[name] = _describe_declared(name, port)
    for name, (type, mode, uri, asset) in recorded.items():
        ports[name] = {**ports.get(name, {"name": name}), "type": type, "mode": mode, "uri": uri, "asset": asset}
    return list(ports.values())


def _describe_declared(name: str, port: Any) -> Port:
    port = port if isinstance(port, dict) else {}
    type = str(port.get("jobInputType") or port.get("jobOutputType") or "")
    told: Port = {"name": name, "type": type, "mode": port.get("mode"), "uri": port.get("uri"), "asset": None}
    if "value" in port:
        value = port["value"]
        told["value"] = value if isinstance(value, str) else json.dumps(value)
    return told


async def _fetch_port(request: ApiRequest) -> Path:
    """Return the path of a port's data on this machine."""
    job, direction, name = find_job(request), request.get_name("direction"), request.get_name("port")
    if direction not in _DIRECTIONS:
        raise NotFound(f"a job has inputs and outputs, not '{direction[:100]}'")
    port = next((one for one in _list_side(request, job, direction) if one["name"] == name), None)
    if port is None:
        raise NotFound(f"job '{job.name}' has nothing named '{name[:100]}' among its {direction}")
    place = job_data.read_places(request.server.db, job.id, _DIRECTIONS[direction]).get(name)
    uri = port["uri"]
    if "value" in port or not uri:
        raise RefusedError(f"'{name}' is a value, not files" if "value" in port else f"'{name}' is not written yet")
    data = request.server.data
    location = data.locate_again(uri, request.workspace, place[1]) if place else data.resolve(uri, request.workspace)
    found = await data.fetch(location)
    if not await asyncio.to_thread(found.exists):
        raise NotFound(f"{uri} is not there; it may have been removed since, or is not written yet")
    return found


def _get_size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a broken link
        return 0


ROUTES = [
    ("GET", "/jobs/{name}/ports", list_ports),
    ("GET", "/jobs/{name}/ports/{direction}/{port}/list", list_port_files),
    ("GET", "/jobs/{name}/ports/{direction}/{port}/file", get_port_file),
]
