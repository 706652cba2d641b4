"""Registers the named outputs of a job as data assets or models when it completes.

A registered version is for ever: an existing version is never written again, and a job that asks for one fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from smalt.entities.rules.sentences import explain_same_version
from smalt.exceptions import Conflict
from smalt.service.data.content_types import explain_unfit
from smalt.service.data.job_data.access_modes import is_empty
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import places
from smalt.service.records import assets, job_data, jobs, reuse
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

MADE_BY = "smalt.job"
"""The property of a version that names the job whose output it is."""
_MODELS = {"mlflow_model", "custom_model", "triton_model"}


class _NamedOutput(NamedTuple):
    """An output to register."""

    output: str
    name: str
    version: str | None
    """None for the next number."""
    type: str
    mode: str | None
    uri: str
    description: str | None
    is_shared: bool
    """Another step may still write there."""

    @property
    def kind(self) -> str:
        return get_asset_kind(self.type)


def get_asset_kind(type: str | None) -> str:
    """Return the kind of asset, "data" or "models", that an output of this type becomes."""
    return "models" if type in _MODELS else "data"


def register_outputs(context: EngineContext, job: Job, empty: Sequence[str] | None) -> None:
    """Register each named output once, however often this is called; none if the version of one is taken.

    `empty` are the outputs to which the job wrote nothing; None for a pipeline, whose steps write its outputs. Outputs
    that no job writes any more are noted in `context.unprotected`: they are protected once this is committed.
    """
    with context.db.transaction():
        named = list(_list_named_outputs(context.db, job))
        _refuse_taken(context, job, named)
        _refuse_unfit(context, job, named)
        for one in named:
            version = _register_output(context, job, one, empty)
            asset = f"{one.kind}/{one.name}/versions/{version}"
            job_data.put_data(
                context.db, job, [job_data.DataRow("output", one.output, one.type, one.mode, one.uri, asset)]
            )
            if not one.is_shared:
                context.unprotected.append((context.workspace(job), one.uri))


def find_taken_versions(
    db: Database,
    workspace_id: int,
    outputs: Iterable[tuple[str, str | None, str | None, str | None]],
    *,
    may_be_reused: bool = False,
) -> dict[str, str]:
    """Return, by output, a sentence for each whose version exists or is that of another output of the job.

    `outputs` are those of one job: (key, type, name of the asset, version). With `may_be_reused`, a version that a job
    made is not taken: this job may reuse the very step that made it.
    """
    found: dict[str, str] = {}
    asked: dict[tuple[str, str, str], str] = {}
    for output, type, name, version in outputs:
        if not name or not version:
            continue
        key = (get_asset_kind(type), name, str(version))
        noun = "model" if key[0] == "models" else "data asset"
        if key in asked:
            found[output] = explain_same_version(key[0] == "models", name, version, asked[key])
        elif (there := assets.get_version(db, workspace_id, *key)) and not (may_be_reused and _is_of_job(there)):
            found[output] = (
                f"{noun} '{name}:{version}' exists already, and a registered version never changes; "
                "leave the version out for the next one, or give another"
            )
        asked[key] = output
    return found


def _is_of_job(version: assets.AssetVersion) -> bool:
    return MADE_BY in (version.properties.get("properties") or {})


def get_asset_name(given: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """Return the name and version under which an output, as REST has it, is to be registered."""
    given = given or {}
    version = given.get("assetVersion") or given.get("version")
    return given.get("assetName") or given.get("name"), None if version is None else str(version)


def _list_named_outputs(db: Database, job: Job) -> Iterable[_NamedOutput]:
    body = jobs.read_properties(db, job.id)
    outputs = body.get("outputs") or {}
    made = places.read(body.get("properties"))
    written = job_data.read_data(db, job.id, "output")
    for output, given in outputs.items():
        name, version = get_asset_name(given)
        if name and output in written and not written[output][3]:
            type, mode, uri, _ = written[output]
            yield _NamedOutput(output, name, version, type, mode, uri or "", given.get("description"),
                         made.get(output, places.ALONE).is_shared)  # fmt: skip


def _refuse_taken(context: EngineContext, job: Job, named: list[_NamedOutput]) -> None:
    """Raise Conflict if a version is taken, unless it is the very output that a reused step has."""
    new = [one for one in named if _find_same_version(context, job, one) is None]
    asked = ((one.output, one.type, one.name, one.version) for one in new)
    for output, why in find_taken_versions(context.db, job.workspace_id, asked).items():
        raise Conflict(f"output '{output}' was not registered: {why}")


def _refuse_unfit(context: EngineContext, job: Job, named: list[_NamedOutput]) -> None:
    """Raise Conflict if an output on this machine is missing, cannot be read or is not of its type.

    A version of it would be useless: every job that names it would be refused.
    """
    for one in named:
        place = context.data.resolve(one.uri, context.workspace(job)).path
        if place is None:
            continue
        whole = f"output '{one.output}' of {_describe_job(job)} was not registered as '{one.name}'"
        if not os.access(place, os.R_OK):
            why = "cannot be read" if os.path.lexists(place) else "was not written, or was removed"
            raise Conflict(f"{whole}: {place} {why}")
        if unfit := explain_unfit(place, one.type):
            raise Conflict(f"{whole}: {unfit}")


def _describe_job(job: Job) -> str:
    return f"step '{job.node}'" if job.parent_id is not None else f"job '{job.name}'"


def _find_same_version(context: EngineContext, job: Job, one: _NamedOutput) -> str | None:
    """Return the version that the output is already, as an earlier job made it and this one reused that."""
    db, workspace_id = context.db, job.workspace_id
    if one.version:
        there = assets.get_version(db, workspace_id, one.kind, one.name, one.version)
    else:
        there = assets.find_latest(db, workspace_id, one.kind, one.name)
    if there is None or there.properties.get("modelUri" if one.kind == "models" else "dataUri") != one.uri:
        return None
    is_of_another = reuse.find_origin(db, job.id) is not None or one.uri in reuse.list_places(db, job.root_id).values()
    return there.version if is_of_another else None


def _make_warning(context: EngineContext, job: Job, one: _NamedOutput, empty: Sequence[str] | None) -> dict[str, str]:
    """Return the property of a version that is empty because the job wrote nothing to the output."""
    if not (_is_output_empty(context, job, one) if empty is None else one.output in empty):
        return {}
    return {"smalt.warning": f"it is empty: job '{job.name}' wrote nothing to its output '{one.output}'"}


def _is_output_empty(context: EngineContext, job: Job, one: _NamedOutput) -> bool:
    place = context.data.resolve(one.uri, context.workspace(job)).path
    return place is not None and is_empty(place)


def _register_output(context: EngineContext, job: Job, one: _NamedOutput, empty: Sequence[str] | None) -> str:
    same = _find_same_version(context, job, one)
    if same is not None:
        return same
    container = assets.find_container(context.db, job.workspace_id, one.kind, one.name)
    version = one.version or (container.next_version if container else "1")
    properties: dict[str, Any] = {
        "description": one.description,
        "tags": {},
        "properties": {MADE_BY: job.name, **_make_warning(context, job, one, empty)},
        "isAnonymous": False,
        "isArchived": False,
    }
    if one.kind == "models":
        properties.update(modelType=one.type, modelUri=one.uri, flavors={}, jobName=job.name)
    else:
        properties.update(dataType=one.type, dataUri=one.uri)
    assets.put_version(context.db, job.workspace_id, one.kind, one.name, version, properties, job.created_by)
    return version
