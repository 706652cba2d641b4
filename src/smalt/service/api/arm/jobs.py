"""Jobs."""

from __future__ import annotations

import asyncio
from typing import Any

from smalt.entities.syntax.job_states import state
from smalt.exceptions import Conflict, NotFound, ValidationException
from smalt.service.api.arm.job_shapes import GIVEN, below, for_azure, is_answer, job_shape, tree_row
from smalt.service.api.blob.urls import canonical
from smalt.service.api.pagination import answer, window
from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import properties_of
from smalt.service.engine import kinds
from smalt.service.engine.submission import acceptance
from smalt.service.engine.submission.acceptance import PART_OF, READ_ONLY
from smalt.service.engine.submission.pins import Pins
from smalt.service.engine.submission.resubmission import check_data_unchanged, check_references_unmoved
from smalt.service.records import job_lists, jobs, pins, reuse
from smalt.service.records.job_lists import JobFilter
from smalt.service.records.jobs import Job
from smalt.wire.encoding.casing import fold

_DESCRIBING = ("displayName", "description", "tags", "properties", "isArchived")
"""What does not change the run; as Azure's clients before 1.30 change it, by PUT of the whole job."""
_POLL = {"x-ms-retry-after-ms": "150"}
"""Azure's clients wait 30 s between polls unless they are told this."""


async def put_job(call: Call) -> Reply:
    """Submit. The same body again gives the job that is there, and so does the body that GET gave; what only
    describes the job may be another one then."""
    properties = canonical(call, properties_of(await call.object()))
    there = jobs.find_by_name(call.service.db, call.workspace.id, call.name())
    if there is not None:
        if "status" not in properties:  # else it is what GET gave, described otherwise
            await _check_same(call, there, properties)
        shape = _shown(call, there)
        submitted = jobs.read_properties(call.service.db, there.id)
        sent = kinds.expand_body(call.service.engine.rooms, call.workspace, properties)
        sent = Pins(pins.get_job_pins(call.service.db, there)).applied(sent)
        if is_answer(*(_without(READ_ONLY + _DESCRIBING, one) for one in (sent, submitted, shape["properties"]))):
            there = describe(call, there, properties)
            return Reply(_shown(call, there), 200)
    job = call.service.engine.submit(call.workspace, call.name(), properties, call.principal)
    return Reply(_shown(call, job), 201 if there is None else 200)


async def validate_job(call: Call) -> dict[str, Any]:
    """Answer what PUT would, but submit nothing."""
    properties = canonical(call, properties_of(await call.object()))
    there = jobs.find_by_name(call.service.db, call.workspace.id, call.name())
    if there is not None:
        await _check_same(call, there, properties)
    return {"warnings": acceptance.check(call.service.engine.rooms, call.workspace, call.name(), properties)}


async def _check_same(call: Call, there: Job, properties: dict[str, Any]) -> None:
    """Raise Conflict where a job that is sent again would read other data than the job that is there."""
    await asyncio.to_thread(check_data_unchanged, there, properties)
    notes = properties.get("properties")
    if not (isinstance(notes, dict) and PART_OF in notes):  # that one means what the earlier run meant
        check_references_unmoved(call.service.engine.rooms, call.workspace, there)


async def get_job(call: Call) -> dict[str, Any]:
    return _shown(call, existing(call))


async def list_jobs(call: Call) -> dict[str, Any]:
    skip, size = window(call)
    found = job_lists.list_page(call.service.db, call.workspace.id, _choice(call), skip=skip, limit=size + 1)
    shown = [_shown(call, job) for job in found[:size]]
    return answer(call, shown, len(found) > size)


async def cancel_job(call: Call) -> Reply:
    job = existing(call)
    call.service.engine.cancel(job, f"canceled by {call.principal}")
    job = jobs.get_job(call.service.db, job.id)
    if job.is_over:
        return Reply({}, 200)
    path = call.scope["smalt.path"].rpartition("/")[0]
    return Reply({}, 202, {"Location": f"{call.base}{path}/cancelOperation", **_POLL})


async def get_cancel_operation(call: Call) -> Reply:
    if existing(call).is_over:
        return Reply({}, 200)
    return Reply({}, 202, {"Location": f"{call.base}{call.scope['smalt.path']}", **_POLL})


async def delete_job(call: Call) -> Reply:
    """Forget a finished job, with the files of all below it, but for what other jobs or registered versions have."""
    db, workspace = call.service.db, call.workspace
    job = jobs.find_by_name(db, workspace.id, call.name())
    if job is None:
        return Reply({}, 204)
    if job.parent_id is not None:
        raise Conflict(f"job '{job.name}' is a step of another one; delete job '{jobs.get_name(db, job.root_id)}'")
    if not job.is_over:
        raise Conflict(f"job '{job.name}' is {job.status}; cancel it before you delete it")
    await call.service.engine.deletions.delete(workspace, job, call.principal)
    return Reply({}, 200)


async def get_tree(call: Call) -> dict[str, Any]:
    """The job and all below it, parents first."""
    top = existing(call)
    rows = below(jobs.list_tree(call.service.db, top.root_id), top)
    names = {row.id: row.name for row in rows}
    reused = reuse.list_origins(call.service.db, top.root_id)
    return {"jobs": [{**tree_row(row, names, reused.get(row.id)), "display_name": row.display_name} for row in rows]}


async def get_references(call: Call) -> dict[str, Any]:
    """{"pins": {kind: {as written: with its version}}}: what the job, and all below it, names without a version."""
    return {"pins": pins.get_job_pins(call.service.db, existing(call))}


def describe(call: Call, job: Job, changes: dict[str, Any]) -> Job:
    """Name, description, tags, properties and whether it is archived, as far as `changes` has them."""
    before = jobs.read_properties(call.service.db, job.id)
    after, notes = dict(before), changes.get("properties")
    for key in ("description", "tags"):
        if key in changes:
            after[key] = changes[key]
    if isinstance(notes, dict):
        after["properties"] = _without(GIVEN, notes)
    shown, hidden = changes.get("displayName") or job.display_name, changes.get("isArchived")
    hidden = bool(job.is_archived) if hidden is None else hidden
    if not isinstance(shown, (str, type(None))) or not isinstance(hidden, bool):
        raise ValidationException("the display name must be a text, and archived true or false")
    if not isinstance(after.get("description"), (str, type(None))) or not _are_texts(after.get("tags")):
        raise ValidationException("the description must be a text, and tags an object of texts")
    if (after, shown, hidden) != (before, job.display_name, bool(job.is_archived)):
        jobs.update_description(call.service.db, job, after, display_name=shown, is_archived=hidden)
        call.service.tracking.runs.described(job)
    return jobs.get_job(call.service.db, job.id)


def _shown(call: Call, job: Job) -> dict[str, Any]:
    shape = job_shape(call.service.db, call.workspace, job)
    return shape if call.azure_release is None else {**shape, "properties": for_azure(shape["properties"])}


def _are_texts(tags: Any) -> bool:
    return tags is None or (isinstance(tags, dict) and all(isinstance(value, str) for value in tags.values()))


def _without(keys: tuple[str, ...], properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in keys}


def existing(call: Call) -> Job:
    found = jobs.find_by_name(call.service.db, call.workspace.id, call.name())
    if found is None:
        raise NotFound(f"there is no job '{call.name()[:100]}' in workspace '{call.workspace.name}'")
    return found


def _choice(call: Call) -> JobFilter:
    """Return what the query chooses among the jobs."""
    key, has_value, value = call.query("tag").partition("=")
    return JobFilter(
        view=call.query("listViewType", "ActiveOnly"),
        type=fold(call.query("jobType")) or None,
        experiment=call.query("experimentName") or None,
        status=state(call.query("status")) if call.query("status") else None,
        tag=(key, value if has_value else None) if call.query("tag") else None,
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
    ("GET", "/jobs/{name}/tree", get_tree),
    ("GET", "/jobs/{name}/references", get_references),
    ("POST", "/jobs/{name}/validate", validate_job),
]
