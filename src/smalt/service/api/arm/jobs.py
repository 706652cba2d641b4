"""Jobs: submit, list, show, cancel, delete."""

from __future__ import annotations

import asyncio
from typing import Any

from smalt.entities.steps.data_imports import IMPORT
from smalt.entities.syntax.job_states import parse_state
from smalt.exceptions import Conflict, NotFound, ValidationException
from smalt.service.api.arm.job_shapes import (
    RUNTIME_PROPERTIES,
    build_tree_row,
    convert_for_azure,
    describe_child,
    get_last_change,
    get_subtree,
    is_same_job,
    render_job,
)
from smalt.service.api.blob.urls import convert_urls
from smalt.service.api.pagination import get_window, wrap_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_system_data, get_properties
from smalt.service.api.studio.links import build_job_url, build_studio_service
from smalt.service.engine import kinds
from smalt.service.engine.submission import acceptance
from smalt.service.engine.submission.acceptance import PART_OF, READ_ONLY
from smalt.service.engine.submission.pins import Pins
from smalt.service.engine.submission.resubmission import check_data_unchanged, check_references_unmoved
from smalt.service.records import job_lists, jobs, pins, reuse, trials
from smalt.service.records.job_lists import JobFilter
from smalt.service.records.jobs import Job
from smalt.service.schedules.actions import SCHEDULE, SCHEDULE_TIME
from smalt.wire.encoding.casing import fold_case

_DESCRIBING = ("displayName", "description", "tags", "properties", "isArchived")
"""Properties that may change after submission; Azure's clients before 1.30 change them by PUT of the whole job."""
_OF_CHECKOUT = ("azureml.git.", "mlflow.source.git.")
"""Prefixes of the properties by which a client notes the checkout that it submits from."""
_POLL = {"x-ms-retry-after-ms": "150"}
"""Azure's clients wait 30 s between polls unless they are told this."""


async def put_job(request: ApiRequest) -> ApiResponse:
    """Submit a job, or update the description of an existing one.

    A repeated submission answers with the existing job, as does a body that GET returned, with any description. The
    former adds tags and properties and removes none; neither takes what the service itself noted.
    """
    properties = convert_urls(request, get_properties(await request.read_object()))
    there = jobs.find_by_name(request.server.db, request.workspace.id, request.get_name())
    if there is not None and "status" not in properties:  # else it is what GET gave, described otherwise
        await _check_same_data(request, there, properties)
        there = jobs.find_by_name(request.server.db, request.workspace.id, there.name)  # it may be deleted meanwhile
    if there is not None:
        shape = _render_job(request, there)
        submitted = jobs.read_properties(request.server.db, there.id)
        sent = kinds.expand_body(request.server.engine.context, request.workspace, properties)
        sent = Pins(pins.get_job_pins(request.server.db, there)).apply_to(sent)
        if is_same_job(*(_remove_keys(READ_ONLY + _DESCRIBING, one) for one in (sent, submitted, shape["properties"]))):
            is_answer = "status" in properties
            there = update_description(request, there, properties if is_answer else _add_notes(submitted, properties))
            return ApiResponse(_render_job(request, there), 200)
    properties = remove_schedule(properties)
    job = request.server.engine.submit(request.workspace, request.get_name(), properties, request.principal)
    return ApiResponse(_render_job(request, job), 201 if there is None else 200)


def remove_schedule(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of a job without the schedule that made the one that is submitted again."""
    notes = properties.get("properties")
    if not isinstance(notes, dict) or SCHEDULE not in notes:
        return properties
    kept = {key: value for key, value in notes.items() if key not in (SCHEDULE, SCHEDULE_TIME)}
    return {**properties, "properties": kept}


async def validate_job(request: ApiRequest) -> dict[str, Any]:
    """Check a job as PUT would, without submitting it."""
    properties = convert_urls(request, get_properties(await request.read_object()))
    there = jobs.find_by_name(request.server.db, request.workspace.id, request.get_name())
    if there is not None:
        await _check_same_data(request, there, properties)
    return {
        "warnings": acceptance.check_submission(
            request.server.engine.context, request.workspace, request.get_name(), properties
        )
    }


async def _check_same_data(request: ApiRequest, there: Job, properties: dict[str, Any]) -> None:
    """Raise Conflict if the existing job would read other data when it is sent again."""
    await asyncio.to_thread(check_data_unchanged, there, properties)
    notes = properties.get("properties")
    if not (isinstance(notes, dict) and PART_OF in notes):  # that one means what the earlier run meant
        check_references_unmoved(request.server.engine.context, request.workspace, there)


async def get_job(request: ApiRequest) -> dict[str, Any]:
    return _render_job(request, find_job(request))


async def list_jobs(request: ApiRequest) -> dict[str, Any]:
    skip, size = get_window(request)
    found = job_lists.list_page(
        request.server.db, request.workspace.id, _parse_filter(request), skip=skip, limit=size + 1
    )
    shown = [_render_job(request, job) for job in found[:size]]
    return wrap_page(request, shown, len(found) > size)


async def cancel_job(request: ApiRequest) -> ApiResponse:
    job = find_job(request)
    request.server.engine.cancel(job, f"canceled by {request.principal}")
    job = jobs.get_job(request.server.db, job.id)
    if job.is_over:
        return ApiResponse({}, 200)
    path = request.scope["smalt.path"].rpartition("/")[0]
    return ApiResponse({}, 202, {"Location": f"{request.server_url}{path}/cancelOperation", **_POLL})


async def get_cancel_operation(request: ApiRequest) -> ApiResponse:
    if find_job(request).is_over:
        return ApiResponse({}, 200)
    return ApiResponse({}, 202, {"Location": f"{request.server_url}{request.scope['smalt.path']}", **_POLL})


async def delete_job(request: ApiRequest) -> ApiResponse:
    """Delete a finished job and its descendants, with all files that no other job and no registered version uses."""
    db, workspace = request.server.db, request.workspace
    job = jobs.find_by_name(db, workspace.id, request.get_name())
    if job is None:
        return ApiResponse({}, 204)
    if job.parent_id is not None:
        raise Conflict(f"job '{job.name}' is a step of another one; delete job '{jobs.get_name(db, job.root_id)}'")
    if not job.is_over:
        raise Conflict(f"job '{job.name}' is {job.status}; cancel it before you delete it")
    await request.server.engine.deletions.delete_job(workspace, job, request.principal)
    return ApiResponse({}, 200)


async def get_job_tree(request: ApiRequest) -> dict[str, Any]:
    """Return the job and its descendants, parents first; a trial of a sweep with the tag that has its point.

    With `children=true` its children alone, with all of their tags and properties.
    """
    top, db = find_job(request), request.server.db
    rows = get_subtree(jobs.list_tree(db, top.root_id), top)
    names = {row.id: row.name for row in rows}
    reused = reuse.list_origins(db, top.root_id)
    sweeps = {row.id for row in rows if row.type in trials.SWEEPS}
    describes = request.get_flag("children")
    if describes:
        rows = [row for row in rows if row.parent_id == top.id]
    points = trials.read_points(db, [row.id for row in rows if row.parent_id in sweeps])
    return {
        "jobs": [
            {
                **build_tree_row(row, names, reused.get(row.id)),
                "display_name": row.display_name,
                "systemData": build_system_data(row.created_by, row.created_at, get_last_change(row)),
                **describe_child(db, row, points.get(row.id), describes),
            }
            for row in rows
        ]
    }


async def get_pinned_references(request: ApiRequest) -> dict[str, Any]:
    """Return {"pins": {kind: {as written: with its version}}, "places": {planned URI: URI}}.

    The pins are the versions of what the job's tree names without one; the places are those of reused outputs, and of
    outputs that a condition or a loop decided about.
    """
    db, job = request.server.db, find_job(request)
    return {"pins": pins.get_job_pins(db, job), "places": reuse.list_places(db, job.root_id)}


def update_description(request: ApiRequest, job: Job, changes: dict[str, Any]) -> Job:
    """Update display name, description, tags, properties and archived state, as far as `changes` has them."""
    before = jobs.read_properties(request.server.db, job.id)
    after, notes = dict(before), changes.get("properties")
    for key in ("description", "tags"):
        if key in changes:
            after[key] = changes[key]
    if isinstance(notes, dict):
        after["properties"] = {**_remove_keys(RUNTIME_PROPERTIES, notes), **acceptance.get_own_notes(before)}
    if (own := acceptance.get_own_tags(before)) and isinstance(after.get("tags"), dict | None):
        after["tags"] = {**own, **(after.get("tags") or {})}
    shown, hidden = changes.get("displayName") or job.display_name, changes.get("isArchived")
    hidden = bool(job.is_archived) if hidden is None else hidden
    if not isinstance(shown, (str, type(None))) or not isinstance(hidden, bool):
        raise ValidationException("the display name must be a text, and archived true or false")
    if not isinstance(after.get("description"), (str, type(None))) or not _are_texts(after.get("tags")):
        raise ValidationException("the description must be a text, and tags an object of texts")
    if (after, shown, hidden) != (before, job.display_name, bool(job.is_archived)):
        jobs.update_description(request.server.db, job, after, display_name=shown, is_archived=hidden)
        request.server.tracking.runs.record_description(job)
        request.server.engine.watch.wake_watchers([job.root_id])
    return jobs.get_job(request.server.db, job.id)


def _add_notes(submitted: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return a repeated submission with the tags and properties that the job has; the checkout is that of the first."""
    merged = dict(sent)
    for key in ("tags", "properties"):
        before, given = submitted.get(key), sent.get(key)
        if isinstance(before, dict) and isinstance(given, dict | None):
            checkout = {name: value for name, value in before.items() if name.startswith(_OF_CHECKOUT)}
            merged[key] = {**before, **(given or {}), **checkout}
    return merged


def _render_job(request: ApiRequest, job: Job) -> dict[str, Any]:
    shape = render_job(request.server.db, request.workspace, job)
    url = build_job_url(request.server_url, request.workspace, job.name)
    shape["properties"]["services"] = {**shape["properties"]["services"], **build_studio_service(url)}
    return shape if request.azure_release is None else {**shape, "properties": convert_for_azure(shape["properties"])}


def _are_texts(tags: Any) -> bool:
    return tags is None or (isinstance(tags, dict) and all(isinstance(value, str) for value in tags.values()))


def _remove_keys(keys: tuple[str, ...], properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in keys}


def find_job(request: ApiRequest) -> Job:
    found = jobs.find_by_name(request.server.db, request.workspace.id, request.get_name())
    if found is None:
        raise NotFound(f"there is no job '{request.get_name()[:100]}' in workspace '{request.workspace.name}'")
    return found


def _parse_filter(request: ApiRequest) -> JobFilter:
    """Return the filter that the query describes."""
    key, has_value, value = request.get_query("tag").partition("=")
    imported, schedule = request.get_query("assetName"), request.get_query("scheduleId").rpartition("/")[2]
    return JobFilter(
        view=request.get_query("listViewType", "ActiveOnly"),
        type=fold_case(request.get_query("jobType")) or None,
        experiment=request.get_query("experimentName") or (IMPORT.format(imported) if imported else None),
        schedule=schedule or ("" if request.get_flag("scheduled") else None),
        status=parse_state(request.get_query("status")) if request.get_query("status") else None,
        tag=(key, value if has_value else None) if request.get_query("tag") else None,
    )


ROUTES = [
    ("GET", "/jobs", list_jobs),
    ("GET", "/jobs/{name}", get_job),
    ("PUT", "/jobs/{name}", put_job),
    ("DELETE", "/jobs/{name}", delete_job),
    ("POST", "/jobs/{name}/cancel", cancel_job),
    ("GET", "/jobs/{name}/cancelOperation", get_cancel_operation),
]
OWN_ROUTES = [
    ("GET", "/jobs/{name}/tree", get_job_tree),
    ("GET", "/jobs/{name}/references", get_pinned_references),
    ("POST", "/jobs/{name}/validate", validate_job),
]
