"""The REST bodies of jobs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.inputs import ASSETS
from smalt.service.api.rest_shapes import build_resource_id, build_system_data, get_resource_type
from smalt.service.engine.outputs.paths import EMPTY_OUTPUTS, OUTPUT_PATHS, add_places
from smalt.service.engine.outputs.registration import get_asset_name
from smalt.service.engine.submission.acceptance import AUTOMATIC_VERSIONS, ENDED
from smalt.service.records import job_data, jobs, trials
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import fold_case

TIMES = ("StartTimeUtc", "EndTimeUtc")
"""The times among the properties that a job gets as it goes."""
RUNTIME_PROPERTIES = (*TIMES, AUTOMATIC_VERSIONS, OUTPUT_PATHS, EMPTY_OUTPUTS, *ENDED)
"""The properties that a job gets as it goes."""
_LONG = "azureml:/subscriptions/"
_TYPES = ("jobInputType", "job_input_type", "jobOutputType", "job_output_type")
_READABLE = {*map(fold_case, ASSETS), "literal"}


def render_job(db: Database, workspace: Workspace, job: Job) -> dict[str, Any]:
    """Return the REST body of a job: the submitted properties with its state and results."""
    properties = jobs.read_properties(db, job.id)
    notes = {**_to_mapping(properties.get("properties")), **_format_times(job)}
    shape = {
        "tags": {},
        "isArchived": bool(job.is_archived),
        **properties,
        "displayName": job.display_name or job.name,
        "experimentName": job.experiment,
        "properties": notes,
        "services": properties.get("services") or {},
        "status": get_shown_status(job),
    }
    shape["isArchived"] = bool(job.is_archived)
    for key in ("codeId", "environmentId"):
        if isinstance(id := shape.get(key), str) and id.startswith(_LONG):
            shape[key] = id.removeprefix("azureml:")  # a step has them as its component says; jobs have bare ids
    if job.ended_at is not None and properties.get("outputs"):
        _add_outputs(db, job, properties, shape)
    if job.empty_outputs:
        notes[EMPTY_OUTPUTS] = job.empty_outputs
    if job.parent_id is not None:
        shape["parentJobName"] = jobs.get_name(db, job.parent_id)
    if job.ended_by:
        shape["error"] = job.ended_by
        notes.update(_get_end_properties(job.ended_by))
    return {
        "id": build_resource_id(workspace, "jobs", job.name),
        "name": job.name,
        "type": get_resource_type("jobs"),
        "properties": shape,
        "systemData": build_system_data(job.created_by, job.created_at, get_last_change(job)),
    }


def _add_outputs(db: Database, job: Job, properties: dict[str, Any], shape: dict[str, Any]) -> None:
    """Add the places and asset versions of the outputs of a job that is over."""
    written = job_data.read_data(db, job.id, "output")
    outputs, given_paths = add_places(properties["outputs"], {name: row[2] for name, row in written.items()})
    shape["outputs"] = _add_asset_versions(outputs, written)
    if given_paths is not None:
        shape["properties"][OUTPUT_PATHS] = given_paths
    automatic = [name for name in _list_versioned_outputs(shape) if name not in _list_versioned_outputs(properties)]
    if automatic:
        shape["properties"][AUTOMATIC_VERSIONS] = " ".join(automatic)


def convert_for_azure(properties: dict[str, Any]) -> dict[str, Any]:
    """Return job properties that azure-ai-ml can parse; one job that it cannot parse breaks its whole list of jobs.

    It parses no file:// URI without a host and no outputs that are values, which become folders with one file.
    """
    told = {key: _convert_ports(properties[key]) for key in ("inputs", "outputs") if properties.get(key)}
    nodes = properties.get("jobs")
    if isinstance(nodes, dict):
        told["jobs"] = {
            name: convert_for_azure(node) if isinstance(node, dict) else node for name, node in nodes.items()
        }
    return {**properties, **told}


def _convert_ports(ports: Any) -> Any:
    return {name: _convert_port(port) for name, port in ports.items()} if isinstance(ports, dict) else ports


def _convert_port(port: Any) -> Any:
    if not isinstance(port, dict):
        return port
    type = "literal" if "value" in port else "uri_folder"
    told = {key: type for key in _TYPES if isinstance(port.get(key), str) and fold_case(port[key]) not in _READABLE}
    uri = port.get("uri")
    if isinstance(uri, str) and uri.startswith("file:///"):
        told["uri"] = uri.replace("file://", "file://localhost", 1)
    return {**port, **told}


def get_last_change(job: Job) -> float:
    """Return the time of the last change of a job's state that people ask for: its end, its start, its creation."""
    return job.ended_at or job.started_at or job.created_at


def get_shown_status(job: Job) -> str:
    """Return the status as the service shows it.

    A job that runs nothing yet is Queued if only its compute keeps it waiting, wherever smalt itself has it queue, and
    NotStarted while it waits for other steps. Scripts poll for the state Queued of a single job.
    """
    if job.is_composite or job.status not in ("NotStarted", "Queued"):
        return job.status
    return "NotStarted" if job.waiting else "Queued"


def is_same_job(sent: Any, submitted: Any, shown: Any) -> bool:
    """True if `sent` is the submitted body, with or without the properties that the service added or changed."""
    if sent in (submitted, shown):
        return True
    if not isinstance(sent, dict) or not isinstance(submitted, dict):
        return False
    known = shown if isinstance(shown, dict) else {}
    return submitted.keys() <= sent.keys() and all(
        is_same_job(value, submitted[key], known.get(key)) if key in submitted else value in (known.get(key), None, {})
        for key, value in sent.items()
    )


def build_tree_row(job: Job, names: dict[int, str], reused: str | None = None) -> dict[str, Any]:
    """Return the facts about a job that streams and trees show; `reused` names the job whose outputs it took."""
    return {
        "name": job.name,
        "node": job.node,
        "parent": names.get(job.parent_id) if job.parent_id is not None else None,
        "type": job.type,
        "status": get_shown_status(job),
        "start": job.started_at,
        "end": job.ended_at,
        "error": job.ended_by,
        **({"reused": reused} if reused else {}),
    }


def describe_child(db: Database, job: Job, point: Any, describes: bool) -> dict[str, Any]:
    """Return a job's tags and properties, or, unless it `describes`, the tag alone that has a trial's point."""
    own = {trials.POINT: json.dumps(point)} if point else {}
    if not describes:
        return {"tags": own} if own else {}
    body = jobs.read_properties(db, job.id)
    return {"tags": {**_to_mapping(body.get("tags")), **own}, "properties": _to_mapping(body.get("properties"))}


def get_subtree(rows: list[Job], top: Job) -> list[Job]:
    """Return `top` and its descendants from the rows of a tree, which list parents first."""
    wanted = {top.id}
    found = []
    for row in rows:
        if row.id in wanted or row.parent_id in wanted:
            wanted.add(row.id)
            found.append(row)
    return found


def _add_asset_versions(outputs: dict[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs with the version of each output that was registered as an asset."""
    named = {name for name, output in outputs.items() if (output or {}).get("assetName") or (output or {}).get("name")}
    if not named:
        return outputs
    assets = {name: str(written[name][3]).split("/") for name in named if name in written and written[name][3]}
    told = {name: {"assetName": asset[1], "assetVersion": asset[3]} for name, asset in assets.items()}
    return {name: {**output, **told[name]} if name in told else output for name, output in outputs.items()}


def _list_versioned_outputs(properties: dict[str, Any]) -> list[str]:
    """List the outputs that name the version of an asset."""
    return [name for name, output in properties["outputs"].items() if get_asset_name(output)[1] is not None]


def _get_end_properties(error: dict[str, Any]) -> dict[str, str]:
    """Return the job properties that explain why a job did not complete."""
    message, code = ENDED
    told = {message: str(error["message"])}
    return {**told, code: str(error["exit_code"])} if "exit_code" in error else told


def _to_mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _format_times(job: Job) -> dict[str, str]:
    times = zip(TIMES, (job.started_at, job.ended_at), strict=True)
    return {key: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(value)) for key, value in times if value is not None}
