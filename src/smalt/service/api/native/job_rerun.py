"""POST /smalt/v1{WS}/jobs/{name}/rerun {"name", "inputs": {input: value}, "display_name"}: the job again, as it was
submitted, under another name.

`inputs` changes some of its inputs: a parameter gets the value, data the URI. The answer is {"name"}. Its steps are
reused where they are the same, as for any other job.
"""

from __future__ import annotations

import json
from typing import Any

from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.exceptions import Conflict, RefusedError, ValidationException
from smalt.service.api.arm.jobs import find_job, remove_schedule
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.records import jobs


async def rerun_job(request: ApiRequest) -> ApiResponse:
    job, body, db = find_job(request), await request.read_object(), request.server.db
    if job.parent_id is not None:
        top = jobs.get_name(db, job.root_id)
        raise RefusedError(f"job '{job.name}' is a step of another one; run job '{top}' again")
    name, inputs, shown = body.get("name"), body.get("inputs") or {}, body.get("display_name")
    if not isinstance(name, str) or not isinstance(inputs, dict) or not isinstance(shown, str | None):
        raise ValidationException('"name" and "display_name" must be texts, and "inputs" an object')
    if jobs.find_by_name(db, request.workspace.id, name) is not None:
        raise Conflict(f"there is a job '{name[:100]}' already; choose another name")
    properties = remove_schedule(jobs.read_properties(db, job.id))
    properties = {**properties, "inputs": _change_inputs(properties.get("inputs"), inputs)}
    if shown or job.display_name:
        properties["displayName"] = shown or job.display_name
    made = request.server.engine.submit(request.workspace, name, properties, request.principal)
    return ApiResponse({"name": made.name}, 201)


def _change_inputs(declared: Any, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with these values; raise ValidationException for one that the job does not have."""
    inputs: dict[str, Any] = dict(declared) if isinstance(declared, dict) else {}
    for name, value in changes.items():
        if name not in inputs:
            hint = did_you_mean(name, inputs) or f"; its inputs are {join_words(inputs, 'and')}" if inputs else ""
            raise ValidationException(f"the job has no input '{name[:100]}'{hint}")
        port = dict(inputs[name] or {})
        port["value" if "value" in port else "uri"] = value if isinstance(value, str) else json.dumps(value)
        inputs[name] = port
    return inputs


ROUTES = [("POST", "/jobs/{name}/rerun", rerun_job)]
