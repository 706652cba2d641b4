"""Acceptance of a job: every check that can be made before its first row is written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from smalt import wire
from smalt.entities.endpoints.published import MADE, UNUSED
from smalt.entities.schema.problems import add_article, join_words
from smalt.exceptions import Conflict, RefusedError, SmaltError, Unavailable, ValidationException
from smalt.machine.gc_pause import pause_gc
from smalt.service.engine import kinds
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion import removal
from smalt.service.engine.kinds.properties import COMPONENT_NAME, IDLE, PART, PLANNED
from smalt.service.engine.outputs.paths import EMPTY_OUTPUTS, OUTPUT_PATHS, remove_places
from smalt.service.engine.submission.checks import CheckedJob, Checker
from smalt.service.engine.submission.pins import Pins
from smalt.service.engine.submission.resubmission import describe_difference
from smalt.service.records import jobs, pins
from smalt.service.records.jobs import Job
from smalt.service.records.trials import BEST
from smalt.service.records.workspaces import Workspace

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_\-]{0,249}")  # a folder is called dcid.NAME, in 255 letters at the most
_ADDED_SERVICES = ("local", "studio")
"""Types of services that clients and the server add to jobs."""
READ_ONLY = ("status", "services", "error", "provisioningState", "parentJobName", "creationContext")
"""Properties that only the service sets; those that a client sends are ignored."""


ENDED = ("smalt.error", "smalt.exit-code")
"""Properties of a job that is over: why it did not complete, for clients that show a job's properties only."""

PART_OF = "smalt.part-of"
"""The property that names the earlier run whose steps this job takes up, with what its references meant then."""


AUTOMATIC_VERSIONS = "smalt.automatic-versions"
"""The property of a job that ended with the outputs whose versions nobody asked for: they were the next numbers."""

_OF_ONE_RUN = frozenset({AUTOMATIC_VERSIONS, OUTPUT_PATHS, EMPTY_OUTPUTS, *PLANNED, *ENDED})
"""Properties that a job which is submitted again does not take with it."""

_OF_BEST_TRIAL = frozenset({BEST, "score", "best_metric_status"})
"""The properties of a sweep that has ended; its tags have the first, too."""

_TAGS_OF_BEST_TRIAL = (BEST, "automl_best_child_run_id")
"""The tags of a sweep or an AutoML job that has ended."""


class AcceptedJob(NamedTuple):
    job: Job
    is_new: bool
    remote: list[str]
    """Inputs to look for on the network before the first step starts."""
    entity: Any
    """The job as it was read; None where it was there already, or is of a type that does not run."""
    why_not: str = ""
    """The sentence for a job that is recorded and does not run."""


class ExaminedJob(NamedTuple):
    """A body that is good: as it is to be recorded, as it was read, and what the look at it found."""

    existing: Job | None
    """The job that it is, where it was submitted before; then the rest says nothing."""
    body: dict[str, Any]
    digest: str
    entity: Any
    checked: CheckedJob | None
    """None for a type that does not run."""


def accept_job(
    context: EngineContext, workspace: Workspace, name: str, properties: dict[str, Any], principal: str
) -> AcceptedJob:
    """Record the job, unless it is there already. Raises what is wrong with it, all of it at once."""
    existing, body, digest, entity, checked = _examine_job(context, workspace, name, properties)
    if existing is not None:
        return AcceptedJob(existing, False, [], None)
    context.refuse_where_full()
    new = jobs.NewJob(
        name=name,
        type=entity.type,
        body=body,
        body_hash=digest,
        experiment=entity.experiment_name or "Default",
        display_name=entity.display_name,
        is_composite=kinds.is_composite(entity.type),
    )
    job = jobs.add_job(context.db, workspace.id, new, principal)
    if checked is None:
        return AcceptedJob(job, True, [], None, _explain_unsupported(entity))
    if checked.pins:
        pins.put_job_pins(context.db, job, checked.pins)
    notes = body.get("properties") or {}
    part = str(notes.get(PART) or "").splitlines()
    unused = [f"no effect: the pipeline has no parameter {notes[UNUSED]}"] if notes.get(UNUSED) else []
    made = [f"{notes[MADE]} did not exist; the script gets an empty folder, which was made"] if notes.get(MADE) else []
    for note in (*part, *unused, *made, *checked.notes, *checked.idle):
        context.say(job, note)
    return AcceptedJob(job, True, checked.remote, entity)


def check_submission(context: EngineContext, workspace: Workspace, name: str, properties: dict[str, Any]) -> list[str]:
    """Return what the job's log would begin with; raise what `accept` would raise, and record nothing."""
    found = _examine_job(context, workspace, name, properties)
    if found.existing is None and found.checked is None:
        raise RefusedError(_explain_unsupported(found.entity))
    return [*found.checked.notes, *found.checked.idle] if found.checked is not None else []


def _examine_job(context: EngineContext, workspace: Workspace, name: str, properties: dict[str, Any]) -> ExaminedJob:
    if not _NAME.fullmatch(name):
        raise ValidationException(
            f"'{name}' cannot be a job's name; use at most 250 letters, digits, '-' and '_', a letter or digit first"
        )
    body = _remove_run_notes({key: value for key, value in properties.items() if key not in READ_ONLY})
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    existing = jobs.find_by_name(context.db, workspace.id, name)
    if existing is not None:
        if existing.body_hash == digest:
            return ExaminedJob(existing, body, digest, None, None)
        raise Conflict(describe_difference(context, workspace, existing, body))
    removal.refuse_deleted_names(context, workspace, name)
    with pause_gc():
        body = kinds.expand_body(context, workspace, body)
        if services := _find_own_services(properties):  # they are kept and start nothing, so they make no other job
            body = {**body, "services": services}
        entity = read_job(body)
        known = _find_earlier_pins(context, workspace, body)
        kind = kinds.find_kind(entity.type)
        runs = kind is not None and not kind.explain_unsupported(entity)
        checked = _check_job(context, workspace, entity, known, kind) if kind is not None and runs else None
        if checked is not None and checked.pins:
            body = Pins(checked.pins).apply_to(body)
            entity = read_job(body)
        if checked is not None and checked.idle:
            body = {**body, "properties": {**(body.get("properties") or {}), IDLE: "; ".join(checked.idle)}}
        own = kind.make_properties(context, workspace, name) if kind is not None else {}
        if own:
            body = {**body, "properties": {**(body.get("properties") or {}), **own}}
            entity = read_job(body)
    return ExaminedJob(None, body, digest, entity, checked)


def get_own_notes(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a recorded job that smalt gave it: no client changes or removes them."""
    notes = body.get("properties")
    if not isinstance(notes, Mapping):
        return {}
    others = {COMPONENT_NAME, *(_OF_BEST_TRIAL if BEST in notes else ())}
    return {key: value for key, value in notes.items() if key.startswith("smalt.") or key in others}


def get_own_tags(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags of a recorded job that smalt gave it; one that a client sends has that value instead."""
    tags = body.get("tags")
    return {key: tags[key] for key in _TAGS_OF_BEST_TRIAL if key in tags} if isinstance(tags, Mapping) else {}


def find_remote_inputs(context: EngineContext, workspace: Workspace, job: Job) -> list[str]:
    """Return the inputs of an accepted job to look for on the network; none if it cannot be read any more."""
    try:
        entity = read_job(jobs.read_properties(context.db, job.id))
        kind = kinds.find_kind(entity.type)
        known = pins.get_job_pins(context.db, job)
        return _check_job(context, workspace, entity, known, kind).remote if kind is not None else []
    except Unavailable:
        raise
    except SmaltError:  # its plan says what is wrong
        return []


def _check_job(
    context: EngineContext, workspace: Workspace, entity: Any, known: pins.PinnedReferences | None, kind: kinds.Kind
) -> CheckedJob:
    """Check a job; raise ValidationException with all its problems at once."""
    checker = Checker(context, workspace, known, kinds.find_kind, kinds.list_types())
    kind.check_job(checker, entity)
    return checker.finish()


def _find_own_services(properties: Mapping[str, Any]) -> Any:
    """Return the services that a job asks for, without those by which Azure's client finds jobs of its own machine, and
    without the page of a job that was got and is submitted again."""
    services = properties.get("services")
    if not isinstance(services, Mapping):
        return services
    return {
        name: service
        for name, service in services.items()
        if not (isinstance(service, Mapping) and str(service.get("jobServiceType")).lower() in _ADDED_SERVICES)
    }


def _remove_run_notes(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a job that was got and is submitted again: with places and next versions of its own."""
    notes, outputs = body.get("properties"), body.get("outputs")
    if isinstance(notes, dict) and BEST in notes:
        notes = {key: value for key, value in notes.items() if key not in _OF_BEST_TRIAL}
        body = {**body, "properties": notes}
        if isinstance(body.get("tags"), dict):
            body["tags"] = {key: value for key, value in body["tags"].items() if key not in _TAGS_OF_BEST_TRIAL}
    if not isinstance(notes, dict) or not notes.keys() & _OF_ONE_RUN:
        return body
    automatic = str(notes.get(AUTOMATIC_VERSIONS) or "").split()
    kept = {key: value for key, value in notes.items() if key not in _OF_ONE_RUN}
    body = {**body, "properties": kept}
    if isinstance(outputs, dict):
        outputs = remove_places(outputs, notes.get(OUTPUT_PATHS))
        body["outputs"] = {
            name: {key: value for key, value in output.items() if key != "assetVersion"}
            if name in automatic and isinstance(output, dict)
            else output
            for name, output in outputs.items()
        }
    return body


def read_job(body: dict[str, Any]) -> Any:
    """The entity in the body; a type that is not even kept is refused in one sentence."""
    entity: Any = wire.from_rest({"properties": body}, "job")
    if kinds.find_kind(entity.type) is None:
        raise RefusedError(_explain_unsupported(entity))
    return entity


def _find_earlier_pins(
    context: EngineContext, workspace: Workspace, body: dict[str, Any]
) -> pins.PinnedReferences | None:
    """The versions that references meant to the run of which this job is a part."""
    notes = body.get("properties")
    name = notes.get(PART_OF) if isinstance(notes, dict) else None
    earlier = jobs.find_by_name(context.db, workspace.id, str(name)) if name else None
    return pins.get_job_pins(context.db, earlier) if earlier is not None else None


def _explain_unsupported(entity: Any) -> str:
    own = kinds.find_kind(entity.type)
    if own is not None:
        return own.explain_unsupported(entity)
    runs = [type for type in kinds.list_types() if (kind := kinds.find_kind(type)) is not None and kind.is_submitted]
    return f"{add_article(entity.type)} job cannot run yet; this smalt runs {join_words(runs, 'and')} jobs"
