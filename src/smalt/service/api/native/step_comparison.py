"""The facts about a pipeline's steps, for a comparison with those of another run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.native.metrics import build_labels
from smalt.service.data.data_access import OWN
from smalt.service.records import jobs, lineage, reuse, tracked_runs, trials
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.tracked_runs import RunFacts
from smalt.service.tracking import run_fields
from smalt.wire.encoding.comparisons import UNKNOWN_CONTENT
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, ANONYMOUS_ENVIRONMENT, get_short_name


def get_step_facts(db: Database, top: Job) -> dict[str, str]:
    """Return the facts of the steps at all levels, by "step: fact"; an output of the run is named by its step."""
    rows, _ = trials.split_trials(get_subtree(jobs.list_tree(db, top.root_id), top))
    labels = build_labels(rows)
    by_id = {row.id: labels[row.name] for row in rows}
    made = {
        str(uri).rstrip("/"): f"{by_id[id]}.outputs.{port}"
        for id, port, uri, _ in lineage.list_of_steps(db, top.root_id, "output")
        if id in by_id
    }
    bodies = {row.id: jobs.read_properties(db, row.id) for row in rows}
    facts = tracked_runs.read_facts(db, [row.id for row in rows])
    read = reuse.list_inputs_read(db, [row.id for row in rows])
    found: dict[str, str] = {}
    for row in rows[1:]:
        parent, contents = bodies.get(row.parent_id or 0, {}), read.get(row.id, {})
        own = dict(_list_own_facts(row, bodies[row.id], parent, facts[row.id], made, contents))
        found.update({f"{labels[row.name]}: {key}": value for key, value in own.items() if value})
    for id, port, _, asset in lineage.list_of_steps(db, top.root_id, "output"):
        if asset and id in by_id:
            found[f"{by_id[id]}: outputs.{port}"] = asset
    return found


def get_read_place(uri: str | None, place: str | None) -> str | None:
    """Return the location of an input when the job started.

    A link, a mapping or a datastore may lead elsewhere for another job.
    """
    if not uri or not place or uri == place or uri.startswith(OWN):
        return uri
    return place if isinstance(parse_uri(uri), LocalPath) else f"{uri} at {place}"


def _list_own_facts(
    row: Job,
    body: dict[str, Any],
    parent: dict[str, Any],
    facts: RunFacts,
    made: dict[str, str],
    contents: dict[str, str],
) -> Iterator[tuple[str, str | None]]:
    component = ((parent.get("jobs") or {}).get(row.node) or {}).get("componentId")
    if isinstance(component, str) and ANONYMOUS_COMPONENT not in component:
        yield "component", get_short_name(component).removeprefix("azureml:")
    if row.is_composite:
        return
    yield "status", row.status
    yield "command", facts.command
    yield "code", (run_fields.get_snapshot(facts.code) or "")[:12]
    environment = body.get("environmentId")
    if isinstance(environment, str):
        name = get_short_name(environment).removeprefix("azureml:")
        yield "environment", name.replace(f"{ANONYMOUS_ENVIRONMENT}:", "")[:100]
    for name, value in run_fields.get_literals(facts.inputs).items():
        yield f"inputs.{name}", value
    for name, (_, uri, asset) in facts.data.items():
        known = asset or made.get((uri or "").rstrip("/"))
        yield f"inputs.{name}", known or _add_content(get_read_place(uri, facts.places.get(name)), contents.get(name))


def _add_content(place: str | None, content: str | None) -> str | None:
    """Return a location with the digest that the step read there: its files may change before the next run."""
    if not place:
        return place
    return f"{place} ({content.rpartition(':')[2][:12]})" if content else f"{place} {UNKNOWN_CONTENT}"
