"""POST /smalt/v1{WS}/jobs/{name}/rerun {"name", "inputs": {input: value}, "display_name", "only"}: the job again, as it
was submitted, under another name.

`inputs` changes some of its inputs: a parameter gets the value, data the URI. The answer is {"name"}. Its steps are
reused where they are the same, as for any other job.

With `only`: true, the job is a step, and the new job is that step alone: its inputs are those that the step had, its
outputs places of its own. It is never reused, as it is a job by itself.
"""

from __future__ import annotations

import json
import re
from typing import Any

from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.exceptions import Conflict, RefusedError, ValidationException
from smalt.service.api.arm.jobs import find_job, remove_schedule
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.records import jobs
from smalt.service.records.jobs import Job

_SEPARABLE = ("command", "spark", "sweep", "pipeline")
_OF_A_RUN = re.compile(r"azureml\.(reused|isreused)|smalt\.output-paths$")
"""Properties of a step that its copy does not have."""


async def rerun_job(request: ApiRequest) -> ApiResponse:
    job, body, db = find_job(request), await request.read_object(), request.server.db
    only = body.get("only") is True
    if job.parent_id is not None and not only:
        top = jobs.get_name(db, job.root_id)
        raise RefusedError(
            f"job '{job.name}' is a step of another one; run job '{top}' again, or this step alone with \"only\": true"
        )
    name, inputs, shown = body.get("name"), body.get("inputs") or {}, body.get("display_name")
    if not isinstance(name, str) or not isinstance(inputs, dict) or not isinstance(shown, str | None):
        raise ValidationException('"name" and "display_name" must be texts, and "inputs" an object')
    if jobs.find_by_name(db, request.workspace.id, name) is not None:
        raise Conflict(f"there is a job '{name[:100]}' already; choose another name")
    properties = remove_schedule(jobs.read_properties(db, job.id))
    if only:
        properties = _separate_step(job, properties)
    properties = {**properties, "inputs": _change_inputs(properties.get("inputs"), inputs)}
    if shown or job.display_name:
        properties["displayName"] = shown or job.display_name
    made = request.server.engine.submit(request.workspace, name, properties, request.principal)
    return ApiResponse({"name": made.name}, 201)


def _separate_step(job: Job, properties: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a step as that of a job by itself, which writes to places of its own."""
    if job.type not in _SEPARABLE:
        raise RefusedError(
            f"a step of type {job.type.replace('_', ' ')} does not run by itself; run its job again: steps that stay "
            "the same are reused"
        )
    notes = {key: value for key, value in (properties.get("properties") or {}).items() if not _OF_A_RUN.match(key)}
    outputs = {
        name: {key: value for key, value in (output or {}).items() if key != "uri"}
        for name, output in (properties.get("outputs") or {}).items()
    }
    return {**properties, "properties": notes, "outputs": outputs}


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
