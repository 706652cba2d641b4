"""Computes: `local` is this machine; others are kept as they were described and run on it, too."""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.entities.problems import did_you_mean
from smalt.exceptions import NotFound, Refused, ValidationException
from smalt.service.api.call import Call, Reply
from smalt.service.api.lists import page
from smalt.service.api.named import done
from smalt.service.api.shapes import merged, properties_of, resource_id, resource_type, system_data
from smalt.service.api.sizes import this_machine
from smalt.service.api.versioned import check_name
from smalt.service.records import resources
from smalt.service.records.resources import Resource

LOCAL = "local"


async def list_computes(call: Call) -> dict[str, Any]:
    kept = resources.every(call.service.db, call.workspace.id, "computes")
    return page(call, [_local(call), *kept], lambda compute: _shape(call, compute))


async def get_compute(call: Call) -> dict[str, Any]:
    """Answer a compute that is there; Azure's client asks for each that a job names, which may be any name."""
    name = call.name()
    if name.lower() == LOCAL:
        return _shape(call, _local(call))
    found = resources.get(call.service.db, call.workspace.id, "computes", name)
    if found is not None:
        return _shape(call, found)
    is_any = call.service.settings.compute != "strict"
    if not is_any or call.azure_release is None:
        raise NotFound(_no_compute(call, name, is_any))
    return _shape(call, Resource(0, "computes", name, "{}", call.principal, call.service.started, 0))


def _no_compute(call: Call, name: str, is_any: bool) -> str:
    known = [LOCAL, *(each.name for each in resources.every(call.service.db, call.workspace.id, "computes"))]
    found = f"there is no compute '{name}' in workspace '{call.workspace.name}'{did_you_mean(name, known)}"
    if not is_any:
        return f"{found}; create it, or take any name for this machine with 'smalt config set compute any'"
    return f"{found}; jobs that name it run on this machine; smalt compute create makes one of that name"


async def put_compute(call: Call) -> Reply:
    name = call.name()
    check_name(name)
    if name.lower() == LOCAL:
        raise Refused("the compute 'local' is this machine and cannot be changed; choose another name")
    body = await call.object()
    existed = resources.get(call.service.db, call.workspace.id, "computes", name)
    if existed and call.scope["method"] == "PATCH":
        body = merged(existed.content, body)
    properties_of(body)
    wire.from_rest({**body, "name": name}, "compute")
    kept: dict[str, Any] = {key: body[key] for key in ("location", "tags", "identity", "properties") if key in body}
    resources.put(
        call.service.db, call.workspace.id, "computes", existed.name if existed else name, kept, call.principal
    )
    return Reply(await get_compute(call), 200 if existed else 201, done(call))


async def delete_compute(call: Call) -> Reply:
    if call.name().lower() == LOCAL:
        raise Refused("the compute 'local' is this machine and cannot be deleted")
    gone = resources.remove(call.service.db, call.workspace.id, "computes", call.name())
    return Reply({}, 200 if gone else 204)


async def switch_compute(call: Call) -> Reply:
    """start, stop and restart: there is nothing to switch, this machine runs."""
    if call.name("verb") not in ("start", "stop", "restart"):
        raise ValidationException(f"a compute cannot {call.name('verb')[:40]}; it can start, stop and restart")
    await get_compute(call)
    return Reply({}, 202, {"Location": f"{call.base}{call.scope['smalt.path'].rpartition('/')[0]}"})


def _local(call: Call) -> Resource:
    return Resource(0, "computes", LOCAL, "{}", call.service.principal, call.service.started, 0)


def _shape(call: Call, compute: Resource) -> dict[str, Any]:
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
