"""Computes: `local` is this machine; others are kept as they were described and run on it, too."""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.entities.schema.problems import did_you_mean
from smalt.exceptions import NotFound, Refused, ValidationException
from smalt.service.api.arm.asset_collection import check_name
from smalt.service.api.arm.resource_collection import done
from smalt.service.api.arm.vm_sizes import this_machine
from smalt.service.api.pagination import page
from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import merged, properties_of, resource_id, resource_type, system_data
from smalt.service.records import resources
from smalt.service.records.resources import ResourceRecord

LOCAL = "local"
USUAL = ("cpu-cluster", "gpu-cluster")
"""The names that Azure's own guides take for granted; they are there while jobs may name any compute."""


async def list_computes(call: Call) -> dict[str, Any]:
    return page(call, _every(call), lambda compute: _shape(call, compute))


async def get_compute(call: Call) -> dict[str, Any]:
    """Answer a compute that is there; Azure's client asks for each that a job names, which may be any name."""
    name, every = call.name(), _every(call)
    found = next((each for each in every if each.name.lower() == name.lower()), None)
    if found is not None:
        return _shape(call, found)
    if not _takes_any(call) or call.azure_release is None:
        raise NotFound(_no_compute(call, name, [each.name for each in every]))
    return _shape(call, _unkept(call, name))


def _every(call: Call) -> list[ResourceRecord]:
    """The computes of the workspace: this machine, the usual names, and what was created."""
    kept = resources.list_resources(call.service.db, call.workspace.id, "computes")
    names = {LOCAL, *(each.name.lower() for each in kept)}
    usual = [name for name in USUAL if name not in names] if _takes_any(call) else []
    return [*(_unkept(call, name) for name in (LOCAL, *usual)), *kept]


def _unkept(call: Call, name: str) -> ResourceRecord:
    return ResourceRecord(0, "computes", name, "{}", call.service.principal, call.service.started, 0)


def _takes_any(call: Call) -> bool:
    return call.service.settings.compute != "strict"


def _no_compute(call: Call, name: str, known: list[str]) -> str:
    found = f"there is no compute '{name}' in workspace '{call.workspace.name}'{did_you_mean(name, known)}"
    if not _takes_any(call):
        return f"{found}; create it, or take any name for this machine with 'smalt config set compute any'"
    return f"{found}; jobs that name it run on this machine; 'smalt compute create --name {name}' makes one"


async def put_compute(call: Call) -> Reply:
    name = call.name()
    check_name(name)
    if name.lower() == LOCAL:
        raise Refused("the compute 'local' is this machine and cannot be changed; choose another name")
    body = await call.object()
    existed = resources.get_resource(call.service.db, call.workspace.id, "computes", name)
    if existed and call.scope["method"] == "PATCH":
        body = merged(existed.content, body)
    properties_of(body)
    wire.from_rest({**body, "name": name}, "compute")
    kept: dict[str, Any] = {key: body[key] for key in ("location", "tags", "identity", "properties") if key in body}
    resources.put_resource(
        call.service.db, call.workspace.id, "computes", existed.name if existed else name, kept, call.principal
    )
    return Reply(await get_compute(call), 200 if existed else 201, done(call))


async def delete_compute(call: Call) -> Reply:
    if call.name().lower() == LOCAL:
        raise Refused("the compute 'local' is this machine and cannot be deleted")
    gone = resources.remove_resource(call.service.db, call.workspace.id, "computes", call.name())
    return Reply({}, 200 if gone else 204)


async def switch_compute(call: Call) -> Reply:
    """start, stop and restart: there is nothing to switch, this machine runs."""
    if call.name("verb") not in ("start", "stop", "restart"):
        raise ValidationException(f"a compute cannot {call.name('verb')[:40]}; it can start, stop and restart")
    await get_compute(call)
    return Reply({}, 202, {"Location": f"{call.base}{call.scope['smalt.path'].rpartition('/')[0]}"})


def _shape(call: Call, compute: ResourceRecord) -> dict[str, Any]:
    content = compute.content
    machine = {"vmSize": this_machine(call), "osType": "Linux"}
    given = content.get("properties", {"computeType": "AmlCompute", "description": "this machine"})
    inner = given.get("properties")
    inner = inner if isinstance(inner, dict) else {}
    return {
        "id": resource_id(call.workspace, "computes", compute.name),
        "name": compute.name,
        "type": resource_type("computes"),
        "location": content.get("location") or "local",
        "tags": content.get("tags") or {},
        **({"identity": content["identity"]} if content.get("identity") else {}),
        "properties": {
            **given,
            "properties": {**machine, **inner},
            "provisioningState": "Succeeded",
        },
        "systemData": system_data(compute.created_by, compute.created_at),
    }


ROUTES = [
    ("GET", "/computes", list_computes),
    ("GET", "/computes/{name}", get_compute),
    ("PUT", "/computes/{name}", put_compute),
    ("PATCH", "/computes/{name}", put_compute),
    ("DELETE", "/computes/{name}", delete_compute),
    ("POST", "/computes/{name}/{verb}", switch_compute),
]
