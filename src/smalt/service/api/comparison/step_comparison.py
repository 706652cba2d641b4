"""The facts about a pipeline's steps, for a comparison with those of another run.

GET /smalt/v1{WS}/jobs/{name}/step-facts: {"steps": {label: facts}} of the job itself ("" is its label) and of the steps
at all levels, but for trials and their steps: {"job": its name, "component", "command", "code": the snapshot's hash,
"environment", "parameters": {input: text}, "inputs": {input: what was read}, "outputs": {output: the asset that was
registered}, "variables": {name: value}}. What is not known is left out; a variable that may be a secret is hidden.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.comparison.hidden_values import hide_secrets
from smalt.service.api.native.metrics import build_labels
from smalt.service.api.request import ApiRequest
from smalt.service.data.data_access import OWN
from smalt.service.records import jobs, lineage, reuse, tracked_runs, trials
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.tracked_runs import RunFacts
from smalt.service.tracking import run_fields
from smalt.wire.encoding.comparisons import UNKNOWN_CONTENT
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, ANONYMOUS_ENVIRONMENT, get_short_name

Facts = dict[str, Any]
_OWN = ("job",)


async def get_facts(request: ApiRequest) -> dict[str, Any]:
    top = find_job(request)
    await settle_steps(request, [top])
    return {"steps": await load_step_facts(request, top)}


async def settle_steps(request: ApiRequest, found: Iterable[Job]) -> None:
    """Have the content that the steps of these jobs read identified, where that has not been done yet."""
    db = request.server.db
    trees = (trials.split_trials(get_subtree(jobs.list_tree(db, job.root_id), job))[0] for job in found)
    await request.server.engine.step_reuse.reuse.settlement.settle_steps([row.id for rows in trees for row in rows])


async def load_step_facts(request: ApiRequest, top: Job) -> dict[str, Facts]:
    """Return label → facts as `list_step_facts`, read beside the event loop: there may be thousands of steps."""

    def read_facts() -> dict[str, Facts]:
        with request.server.db.open_reader() as db:
            return list_step_facts(db, top)

    return await asyncio.to_thread(read_facts)


def flatten_facts(steps: dict[str, Facts]) -> dict[str, str]:
    """Return the facts of steps by "step: fact", those of the job itself left out."""
    found: dict[str, str] = {}
    for label, facts in steps.items():
        if label:
            flat = {key: value for key, value in facts.items() if isinstance(value, str) and key not in _OWN}
            if "code" in flat:
                flat["code"] = flat["code"][:12]
            for section in ("parameters", "inputs"):
                flat.update({f"inputs.{name}": value for name, value in facts.get(section, {}).items()})
            flat.update({f"variables.{name}": value for name, value in facts.get("variables", {}).items()})
            found.update({f"{label}: {key}": value for key, value in flat.items()})
    for label, facts in steps.items():
        if label:
            found.update({f"{label}: outputs.{port}": asset for port, asset in facts.get("outputs", {}).items()})
    return found


def list_step_facts(db: Database, top: Job) -> dict[str, Facts]:
    """Return label → facts of the job and its steps at all levels; an output of the run is named by its step."""
    rows, _ = trials.split_trials(get_subtree(jobs.list_tree(db, top.root_id), top))
    labels = build_labels(rows)
    by_id = {row.id: labels[row.name] for row in rows}
    outputs = [found for found in lineage.list_of_steps(db, top.root_id, "output") if found[0] in by_id]
    made = {
        str(uri).rstrip("/"): f"{by_id[id]}.outputs.{port}" if by_id[id] else f"outputs.{port}"
        for id, port, uri, _ in outputs
    }
    bodies = {row.id: jobs.read_properties(db, row.id) for row in rows}
    facts = tracked_runs.read_facts(db, [row.id for row in rows])
    read = reuse.list_inputs_read(db, [row.id for row in rows])
    found: dict[str, Facts] = {}
    for row in rows:
        parent = bodies.get(row.parent_id or 0, {})
        own = {
            **_get_own_facts(row, bodies[row.id], parent, facts[row.id], made, read.get(row.id, {})),
            "outputs": {port: asset for id, port, _, asset in outputs if id == row.id and asset},
        }
        found[labels[row.name]] = {key: value for key, value in own.items() if value}
    return found


def get_read_place(uri: str | None, place: str | None) -> str | None:
    """Return the location of an input when the job started.

    A link, a mapping or a datastore may lead elsewhere for another job.
    """
    if not uri or not place or uri == place or uri.startswith(OWN):
        return uri
    return place if isinstance(parse_uri(uri), LocalPath) else f"{uri} at {place}"


def _get_own_facts(
    row: Job,
    body: dict[str, Any],
    parent: dict[str, Any],
    facts: RunFacts,
    made: dict[str, str],
    contents: dict[str, str],
) -> Facts:
    found: Facts = {"job": row.name}
    component = ((parent.get("jobs") or {}).get(row.node) or {}).get("componentId")
    if isinstance(component, str) and ANONYMOUS_COMPONENT not in component:
        found["component"] = get_short_name(component).removeprefix("azureml:")
    if not row.is_composite:
        found |= {"status": row.status, "command": facts.command, "code": run_fields.get_snapshot(facts.code)}
        found["environment"] = _name_environment(body.get("environmentId"))
        found["variables"] = hide_secrets(body.get("environmentVariables"))
    if not row.is_composite or row.parent_id is None:
        found["parameters"] = run_fields.get_literals(facts.inputs)
        found["inputs"] = {
            name: asset
            or made.get((uri or "").rstrip("/"))
            or _add_content(get_read_place(uri, facts.places.get(name)), contents.get(name))
            for name, (_, uri, asset) in facts.data.items()
        }
    return found


def _name_environment(id: Any) -> str | None:
    if not isinstance(id, str):
        return None
    name = get_short_name(id).removeprefix("azureml:")
    return name.replace(f"{ANONYMOUS_ENVIRONMENT}:", "")[:100]


def _add_content(place: str | None, content: str | None) -> str | None:
    """Return a location with the digest that the step read there: its files may change before the next run."""
    if not place:
        return place
    return f"{place} ({content.rpartition(':')[2][:12]})" if content else f"{place} {UNKNOWN_CONTENT}"


ROUTES = [("GET", "/jobs/{name}/step-facts", get_facts)]
