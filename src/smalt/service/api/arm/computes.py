"""Computes: `local` is this machine; other computes are stored as described and run on this machine too."""

from __future__ import annotations

import time
from typing import Any

from smalt import wire
from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.exceptions import Conflict, NotFound, RefusedError, ValidationException
from smalt.service.api.arm.asset_collection import check_asset_name
from smalt.service.api.arm.resource_collection import build_done_headers
from smalt.service.api.arm.vm_sizes import get_machine_size
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import (
    build_resource_id,
    build_system_data,
    get_properties,
    get_resource_type,
    merge_objects,
)
from smalt.service.api.studio.links import build_page_link
from smalt.service.endpoints.batch.users import list_compute_users
from smalt.service.engine.submission.lookup import USUAL_COMPUTES
from smalt.service.records import resources
from smalt.service.records.resources import ResourceRecord
from smalt.service.schedules.start_stop import STATES, list_start_stops, set_state
from smalt.wire.encoding.casing import fold_case

_STATE = ("state", "lastOperation")
"""The keys of a recorded compute instance that only the server sets."""


async def list_computes(request: ApiRequest) -> dict[str, Any]:
    return build_page(request, _list_all(request), lambda compute: _render_compute(request, compute))


async def get_compute(request: ApiRequest) -> dict[str, Any]:
    """Return a compute; Azure's clients look up each one that a job names, which may be any name."""
    name, every = request.get_name(), _list_all(request)
    found = next((each for each in every if each.name.lower() == name.lower()), None)
    if found is not None:
        return _render_compute(request, found)
    if not _accepts_any_name(request) or request.azure_release is None:
        raise NotFound(_render_missing(request, name, [each.name for each in every]))
    return _render_compute(request, _make_implicit(request, name))


def _list_all(request: ApiRequest) -> list[ResourceRecord]:
    """Return the computes of the workspace: the backends, the usual names, and what was created."""
    backends = _list_backends(request)
    kept = resources.list_resources(request.server.db, request.workspace.id, "computes")
    names = {*backends, *(each.name.lower() for each in kept)}
    usual = [name for name in USUAL_COMPUTES if name not in names] if _accepts_any_name(request) else []
    return [*(_make_implicit(request, name) for name in (*backends, *usual)), *kept]


def _list_backends(request: ApiRequest) -> list[str]:
    """Return the computes that every workspace has; this machine is the first."""
    return request.server.engine.context.computes.names


def _describe_backend(name: str, backends: list[str]) -> str:
    return "this machine" if name == backends[0] else "a part of this server"


def _make_implicit(request: ApiRequest, name: str) -> ResourceRecord:
    return ResourceRecord(0, "computes", name, "{}", request.server.principal, request.server.started, 0)


def _accepts_any_name(request: ApiRequest) -> bool:
    return request.server.settings.compute != "strict"


def _render_missing(request: ApiRequest, name: str, known: list[str]) -> str:
    found = f"there is no compute '{name}' in workspace '{request.workspace.name}'{did_you_mean(name, known)}"
    if not _accepts_any_name(request):
        return f"{found}; create it, or take any name for this machine with 'smalt config set compute any'"
    return f"{found}; jobs that name it run on this machine; 'smalt compute create --name {name}' makes one"


async def put_compute(request: ApiRequest) -> ApiResponse:
    name = request.get_name()
    check_asset_name(name)
    if name.lower() in (backends := _list_backends(request)):
        what = _describe_backend(name.lower(), backends)
        raise RefusedError(f"the compute '{name.lower()}' is {what} and cannot be changed; choose another name")
    body = await request.read_object()
    existed = resources.get_resource(request.server.db, request.workspace.id, "computes", name)
    if existed and request.scope["method"] == "PATCH":
        body = merge_objects(existed.content, body)
    get_properties(body)
    wire.from_rest({**body, "name": name}, "compute")
    list_start_stops(body["properties"])
    kept: dict[str, Any] = {key: body[key] for key in ("location", "tags", "identity", "properties") if key in body}
    kept |= {key: existed.content[key] for key in _STATE if existed and key in existed.content}
    db, workspace, name = request.server.db, request.workspace, existed.name if existed else name
    with db.transaction():
        resources.put_resource(db, workspace.id, "computes", name, kept, request.principal)
        stored = resources.get_resource(db, workspace.id, "computes", name)
        assert stored is not None
        request.server.scheduler.put_compute(workspace, stored)
    return ApiResponse(await get_compute(request), 200 if existed else 201, build_done_headers(request))


async def delete_compute(request: ApiRequest) -> ApiResponse:
    if (name := request.get_name().lower()) in (backends := _list_backends(request)):
        raise RefusedError(f"the compute '{name}' is {_describe_backend(name, backends)} and cannot be deleted")
    if users := list_compute_users(request.server.db, request.workspace.id, name):
        raise Conflict(
            f"the compute '{name}' is used by {join_words(users, 'and')}; delete what uses it first, or give it "
            "another compute"
        )
    db, workspace = request.server.db, request.workspace
    found = resources.get_resource(db, workspace.id, "computes", request.get_name())
    if found is None:
        return ApiResponse({}, 204)
    with db.transaction():
        resources.remove_resource(db, workspace.id, "computes", found.name)
        request.server.scheduler.remove_schedule(found)
    return ApiResponse({}, 200)


async def switch_compute(request: ApiRequest) -> ApiResponse:
    """Accept start, stop and restart, which change only the state of an instance that is shown: this machine runs."""
    if (verb := request.get_name("verb")) not in STATES:
        raise ValidationException(f"a compute cannot {verb[:40]}; it can start, stop and restart")
    await get_compute(request)
    db, workspace = request.server.db, request.workspace
    found = resources.get_resource(db, workspace.id, "computes", request.get_name())
    if found is not None and _is_instance(found):
        set_state(db, workspace.id, found, verb, time.time(), "User", request.principal)
    return ApiResponse({}, 202, {"Location": f"{request.server_url}{request.scope['smalt.path'].rpartition('/')[0]}"})


def _is_instance(compute: ResourceRecord) -> bool:
    return fold_case(str(compute.content.get("properties", {}).get("computeType"))) == "computeinstance"


def _render_compute(request: ApiRequest, compute: ResourceRecord) -> dict[str, Any]:
    content = compute.content
    machine = {"vmSize": get_machine_size(request), "osType": "Linux"}
    given = content.get("properties", {"computeType": "AmlCompute", "description": "this machine"})
    inner = given.get("properties")
    inner = inner if isinstance(inner, dict) else {}
    if _is_instance(compute):
        inner = {**inner, "state": "Running", **{key: content[key] for key in _STATE if key in content}}
    return {
        "id": build_resource_id(request.workspace, "computes", compute.name),
        "name": compute.name,
        "type": get_resource_type("computes"),
        "location": content.get("location") or "local",
        "tags": content.get("tags") or {},
        **({"identity": content["identity"]} if content.get("identity") else {}),
        "properties": {
            **given,
            "properties": {**machine, **inner},
            "provisioningState": "Succeeded",
        },
        "systemData": build_system_data(compute.created_by, compute.created_at),
        **build_page_link(request.server_url, request.workspace, "computes", compute.name),
    }


ROUTES = [
    ("GET", "/computes", list_computes),
    ("GET", "/computes/{name}", get_compute),
    ("PUT", "/computes/{name}", put_compute),
    ("PATCH", "/computes/{name}", put_compute),
    ("DELETE", "/computes/{name}", delete_compute),
    ("POST", "/computes/{name}/{verb}", switch_compute),
]
