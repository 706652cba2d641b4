"""The inputs and outputs of a job, and the files in them.

GET /smalt/v1{WS}/jobs/{name}/ports: {"inputs": [{"name", "type", "mode", "uri", "asset", "value"}], "outputs": [...]}.
    Parameters have a "value", and data a "uri" and, where it is registered, an "asset" (`data/NAME/versions/1`).
GET /smalt/v1{WS}/jobs/{name}/ports/{direction}/{port}/list: {"value": [{"path", "size", "is_dir"}], "nextLink"} of the
    data at `?path=` below it; `direction` is inputs or outputs. Data that is one file has "path" "" and its "name".
GET /smalt/v1{WS}/jobs/{name}/ports/{direction}/{port}/file: the file at `?path=`, or the data itself if it is one file;
    `Range` is understood.

Data of the web and of clouds is fetched when it is first asked for, as for a job.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from smalt.exceptions import NotFound, RefusedError
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.native.served_files import list_folder, send_file
from smalt.service.api.request import ApiRequest
from smalt.service.records import job_data, jobs
from smalt.service.records.jobs import Job

_DIRECTIONS = {"inputs": "input", "outputs": "output"}
Port = dict[str, Any]


async def list_ports(request: ApiRequest) -> dict[str, Any]:
    job = find_job(request)
    return {direction: _list_side(request, job, direction) for direction in _DIRECTIONS}


async def list_port_files(request: ApiRequest) -> dict[str, Any]:
    return await list_folder(request, await _fetch_port(request))


async def get_port_file(request: ApiRequest) -> FileResponse:
    return await send_file(request, await _fetch_port(request))


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


ROUTES = [
    ("GET", "/jobs/{name}/ports", list_ports),
    ("GET", "/jobs/{name}/ports/{direction}/{port}/list", list_port_files),
    ("GET", "/jobs/{name}/ports/{direction}/{port}/file", get_port_file),
]
