"""POST /smalt/v1{WS}/compare {"jobs": [names]}: what the jobs are and did, side by side.

{"jobs": [{"name", "display_name", "experiment", "type", "status", "start", "end", "created_by", "command", "compute",
"parameters": {name: text}, "inputs": {name: what was read}, "metrics": {name: number}, "tags": {},
"code": {"snapshot", "commit", "branch", "repository", "dirty", "files": {path: hash}},
"environment": {"name", "image", "python", "packages": {name: version}},
"variables": {name: value, or `hidden (MARK)` of what may be a secret; equal ones have equal marks}}]}

Of a pipeline also the metrics of its steps, as `step: metric`, and "steps": {"step: component": its version,
"step: command", "step: code", "step: environment", "step: inputs.x", "step: outputs.x"}; the input from a path has its
content's hash beside it, as far as that was looked at. Of a sweep also "sweep", "space" and "best": how it searches,
what it draws from, and the point of its best trial. Trials are left out, those of a pipeline's steps, too. A reused job
shows the metrics and parameters of the job whose outputs it has. What is not known is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any

import yaml
from smalt.exceptions import SmaltError, ValidationException
from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.comparison import step_comparison
from smalt.service.api.comparison.hidden_values import hide_secrets
from smalt.service.api.comparison.step_comparison import get_read_place
from smalt.service.api.comparison.sweep_comparison import get_sweep_facts
from smalt.service.api.native.metrics import (
    find_jobs,
    find_reused,
    get_database_path,
    load_runs,
    read_job_names,
    to_json_number,
)
from smalt.service.api.request import ApiRequest
from smalt.service.engine.submission import lookup
from smalt.service.records import jobs, reuse, tracked_runs, trials
from smalt.service.records.jobs import Job
from smalt.service.records.tracked_runs import RunFacts
from smalt.service.tracking import run_database, run_fields
from smalt.wire.encoding.ids import get_short_name

_MOST = 50
_GIT = {"commit": "commit", "branch": "branch", "repository": "repository_uri", "dirty": "dirty"}
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+(?:\[[^\]]*\])?)\s*(.*)")


async def compare_jobs(request: ApiRequest) -> dict[str, Any]:
    names = list(dict.fromkeys(read_job_names(await request.read_object())))
    if len(names) > _MOST:
        raise ValidationException(f"at most {_MOST} jobs can be compared at once, not {len(names)}")
    found = find_jobs(request, names)
    origins = reuse.find_origins(request.server.db, request.workspace.id, names)
    logged = await asyncio.to_thread(
        run_database.load_parameters, get_database_path(request), [*names, *origins.values()]
    )
    facts = tracked_runs.read_facts(request.server.db, [job.id for job in found])
    await step_comparison.settle_steps(request, [job for job in found if job.is_composite])
    shown = []
    for job in found:
        parameters = {**logged.get(origins.get(job.name, ""), {}), **logged.get(job.name, {})}
        shown.append(await _render_job(request, job, facts[job.id], parameters))
    return {"jobs": shown}


async def _render_job(request: ApiRequest, job: Job, facts: RunFacts, logged: dict[str, str]) -> dict[str, Any]:
    properties = jobs.read_properties(request.server.db, job.id)
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
        "compute": get_short_name(compute).removeprefix("azureml:") if isinstance(compute, str) else None,
        "parameters": {**run_fields.get_literals(facts.inputs), **logged},
        "inputs": {
            name: asset or get_read_place(uri, facts.places.get(name)) for name, (_, uri, asset) in facts.data.items()
        },
        "metrics": await _get_metrics(request, job),
        "tags": {key: value for key, value in facts.tags.items() if key not in (trials.POINT, trials.BEST)},
        "code": await asyncio.to_thread(_get_code, request, facts),
        "environment": _get_environment(request, properties.get("environmentId")),
        "variables": hide_secrets(properties.get("environmentVariables")),
        "steps": step_comparison.flatten_facts(await step_comparison.load_step_facts(request, job))
        if job.is_composite
        else None,
        **await get_sweep_facts(request.server.db, get_database_path(request), job),
    }
    return {key: value for key, value in shape.items() if value not in (None, {})}


async def _get_metrics(request: ApiRequest, job: Job) -> dict[str, float | str]:
    rows, below = trials.split_trials(get_subtree(jobs.list_tree(request.server.db, job.root_id), job))
    reused, hidden = find_reused(request.server.db, rows, job.root_id), [row.name for row in below]
    runs = await asyncio.to_thread(load_runs, get_database_path(request), rows, reused=reused, hidden=hidden)
    return {
        f"{run.label}: {name}" if run.label else name: to_json_number(point.value)
        for run in runs
        for name, point in run.latest.items()
    }


def _get_code(request: ApiRequest, facts: RunFacts) -> dict[str, Any]:
    git = {name: facts.properties.get(f"azureml.git.{key}") for name, key in _GIT.items()}
    code: dict[str, Any] = {name: value for name, value in git.items() if value}
    snapshot = run_fields.get_snapshot(facts.code)
    if snapshot:
        code["snapshot"] = snapshot
        with contextlib.suppress(SmaltError):  # pruned, or named otherwise than by its hash
            entries = request.server.data.snapshots.read_entries(snapshot)
            code["files"] = {entry.path: entry.content for entry in entries if entry.kind != "d"}
    return code


def _get_environment(request: ApiRequest, id: Any) -> dict[str, Any]:
    if not isinstance(id, str) or not id:
        return {}
    environment: dict[str, Any] = {"name": get_short_name(id).removeprefix("azureml:")}
    with contextlib.suppress(SmaltError):  # gone since the job ran
        found = lookup.find_environment(request.server.engine.context, request.workspace, id)
        if found.get("image"):
            environment["image"] = str(found["image"])
        packages = parse_packages(found.get("condaFile"))
        if packages:
            environment["packages"] = packages
    return environment


def parse_packages(conda: Any) -> dict[str, str]:
    """Return package → version from a conda file."""
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
            match = _REQUIREMENT.match(line) if isinstance(line, str) else None
            if match:
                found[match[1]] = match[2].strip() or "any"
    return found


ROUTES = [("POST", "/compare", compare_jobs)]
