"""POST /smalt/v1{WS}/compare {"jobs": [names]}: what the jobs are and did, side by side.

{"jobs": [{"name", "display_name", "experiment", "type", "status", "start", "end", "created_by", "command", "compute",
"parameters": {name: text}, "inputs": {name: what was read}, "metrics": {name: number}, "tags": {},
"code": {"snapshot", "commit", "branch", "repository", "dirty", "files": {path: hash}},
"environment": {"name", "image", "python", "packages": {name: version}}}]}

Of a pipeline also the metrics of its steps, as `step: metric`, and "steps": {"step: component": its version,
"step: command", "step: code", "step: environment", "step: inputs.x", "step: outputs.x"}; the input from a path has its
content's hash beside it, as far as that was looked at. A reused job shows the metrics
and parameters of the job whose outputs it has. What is not known is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any

import yaml
from smalt.exceptions import SmaltError, ValidationException
from smalt.service.api.arm.job_shapes import below
from smalt.service.api.native import step_comparison
from smalt.service.api.native.metrics import asked, jobs_asked, number, path_of, reused_of, runs_below
from smalt.service.api.native.step_comparison import read_at
from smalt.service.api.request import Call
from smalt.service.engine.submission import lookup
from smalt.service.records import jobs, reuse, tracked_runs
from smalt.service.records.jobs import Job
from smalt.service.records.tracked_runs import RunFacts
from smalt.service.tracking import run_database, run_fields
from smalt.wire.encoding.ids import short_name

_MOST = 50
_GIT = {"commit": "commit", "branch": "branch", "repository": "repository_uri", "dirty": "dirty"}
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+(?:\[[^\]]*\])?)\s*(.*)")


async def compare(call: Call) -> dict[str, Any]:
    names = list(dict.fromkeys(asked(await call.object())))
    if len(names) > _MOST:
        raise ValidationException(f"at most {_MOST} jobs can be compared at once, not {len(names)}")
    found = jobs_asked(call, names)
    origins = reuse.find_origins(call.service.db, call.workspace.id, names)
    logged = await asyncio.to_thread(run_database.parameters, path_of(call), [*names, *origins.values()])
    facts = tracked_runs.read_facts(call.service.db, [job.id for job in found])
    await _look_at_steps(call, found)
    shown = []
    for job in found:
        parameters = {**logged.get(origins.get(job.name, ""), {}), **logged.get(job.name, {})}
        shown.append(await _job(call, job, facts[job.id], parameters))
    return {"jobs": shown}


async def _look_at_steps(call: Call, found: list[Job]) -> None:
    """Have the contents of what the steps read looked at, where that is not done yet."""
    db = call.service.db
    pipelines = [job for job in found if job.is_composite]
    ids = [row.id for job in pipelines for row in below(jobs.list_tree(db, job.root_id), job)]
    await call.service.engine.reusing.reuse.settle_steps(ids)


async def _job(call: Call, job: Job, facts: RunFacts, logged: dict[str, str]) -> dict[str, Any]:
    properties = jobs.read_properties(call.service.db, job.id)
    compute = properties.get("computeId")
    shape = {
        "name": job.name,
        "display_name": job.display_name,
        "experiment": job.experiment,
        "type": job.type,
        "status": job.status,
        "start": job.started_at,
        "end": job.ended_at,
        "created_by": job.created_by,
        "command": facts.command,
        "compute": short_name(compute).removeprefix("azureml:") if isinstance(compute, str) else None,
        "parameters": {**run_fields.literals(facts.inputs), **logged},
        "inputs": {name: asset or read_at(uri, facts.places.get(name)) for name, (_, uri, asset) in facts.data.items()},
        "metrics": await _metrics(call, job),
        "tags": facts.tags,
        "code": await asyncio.to_thread(_code, call, facts),
        "environment": _environment(call, properties.get("environmentId")),
        "steps": step_comparison.facts_of(call.service.db, job) if job.is_composite else None,
    }
    return {key: value for key, value in shape.items() if value not in (None, {})}


async def _metrics(call: Call, job: Job) -> dict[str, float | str]:
    rows = below(jobs.list_tree(call.service.db, job.root_id), job)
    reused = reused_of(call.service.db, rows, job.root_id)
    runs = await asyncio.to_thread(runs_below, path_of(call), rows, reused=reused)
    return {
        f"{run.label}: {name}" if run.label else name: number(point.value)
        for run in runs
        for name, point in run.latest.items()
    }


def _code(call: Call, facts: RunFacts) -> dict[str, Any]:
    git = {name: facts.properties.get(f"azureml.git.{key}") for name, key in _GIT.items()}
    code: dict[str, Any] = {name: value for name, value in git.items() if value}
    snapshot = run_fields.snapshot(facts.code)
    if snapshot:
        code["snapshot"] = snapshot
        with contextlib.suppress(SmaltError):  # pruned, or named otherwise than by its hash
            entries = call.service.data.snapshots.entries(snapshot)
            code["files"] = {entry.path: entry.content for entry in entries if entry.kind != "d"}
    return code


def _environment(call: Call, id: Any) -> dict[str, Any]:
    if not isinstance(id, str) or not id:
        return {}
    environment: dict[str, Any] = {"name": short_name(id).removeprefix("azureml:")}
    with contextlib.suppress(SmaltError):  # gone since the job ran
        found = lookup.environment(call.service.engine.rooms, call.workspace, id)
        if found.get("image"):
            environment["image"] = str(found["image"])
        packages = _packages(found.get("condaFile"))
        if packages:
            environment["packages"] = packages
    return environment


def _packages(conda: Any) -> dict[str, str]:
    """Package → version as a conda file asks for it."""
    if isinstance(conda, str):
        try:
            conda = yaml.safe_load(conda)
        except yaml.YAMLError:
            return {}
    dependencies = conda.get("dependencies") if isinstance(conda, dict) else None
    found: dict[str, str] = {}
    for item in dependencies if isinstance(dependencies, list) else []:
        lines = item.get("pip") if isinstance(item, dict) else [item]
        for line in lines if isinstance(lines, list) else []:
            match = _REQUIREMENT.match(str(line))
            if match:
                found[match[1]] = match[2].strip() or "any"
    return found


ROUTES = [("POST", "/compare", compare)]
