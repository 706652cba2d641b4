"""A job as a graph: its steps, what waits for what, where its time went, and its attempts.

GET /smalt/v1{WS}/jobs/{name}/graph: {"jobs": [the job, then its descendants, parents first; as in the tree, and
    "label", "display_name", "composite", "created", "attempts", "cpu_seconds", "peak_memory_bytes"], "edges": [[from,
    to], …] as places in "jobs", "orders": places in "edges", "after": where `changes` goes on from here}. An edge leads
    from a job to one that waits for it; over those in "orders" no data goes.
GET /smalt/v1{WS}/jobs/{name}/timeline: {"jobs": [{"name", "label", "states": [[state, since], …]}]}, the states that
    each job entered, in order.
GET /smalt/v1{WS}/jobs/{name}/attempts: {"attempts": [{"number", "compute", "host", "pid", "start", "end", "exit_code",
    "signal", "reason", "cpu_seconds", "peak_memory_bytes", "first_line_seconds", "start_mode", "imported_before",
    "saved_seconds", "cold_reason"}]}; the last five are the time from the attempt's turn to its program's first line,
    `warm` or `cold`, of a warm one the modules that had been imported before, and the seconds that this took once, and
    of a cold one the reason.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from smalt.service.api.arm.job_shapes import build_tree_row, get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.job_details.job_edges import Edge, list_edges
from smalt.service.api.native.costs import get_tree_costs
from smalt.service.api.native.metrics import build_labels
from smalt.service.api.request import ApiRequest
from smalt.service.records import job_graph, jobs, reuse
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job


async def get_graph(request: ApiRequest) -> dict[str, Any]:
    top, db = find_job(request), request.server.db
    after = job_graph.find_last_event(db)  # first: a change in between is told twice and not missed
    rows = get_subtree(jobs.list_tree(db, top.root_id), top)
    edges = await asyncio.to_thread(_read_edges, db, rows)
    names, labels = {row.id: row.name for row in rows}, build_labels(rows)
    reused, attempts = reuse.list_origins(db, top.root_id), job_graph.count_attempts(db, top.root_id)
    costs, places = get_tree_costs(db, rows), {row.id: index for index, row in enumerate(rows)}
    return {
        "after": after,
        "jobs": [
            {
                **build_graph_row(row, names, reused.get(row.id), attempts.get(row.id, 0)),
                "label": labels[row.name],
                **costs.get(row.id, {}),
            }
            for row in rows
        ],
        "edges": [[places[needed], places[job]] for needed, job in edges],
        "orders": [place for place, is_order in enumerate(edges.values()) if is_order],
    }


def _read_edges(db: Database, rows: Sequence[Job]) -> dict[Edge, bool]:
    """Return the edges, in any thread: the body of a pipeline, which may be large, is parsed for them."""
    with db.open_reader() as reader:
        reader.execute("BEGIN")  # one state of the records: jobs may be deleted meanwhile
        return list_edges(reader, rows) if jobs.find_job(reader, rows[0].id) else {}


def build_graph_row(job: Job, names: dict[int, str], reused: str | None, attempts: int) -> dict[str, Any]:
    return {
        **build_tree_row(job, names, reused),
        "display_name": job.display_name,
        "composite": bool(job.is_composite),
        "created": job.created_at,
        "attempts": attempts,
    }


async def get_timeline(request: ApiRequest) -> dict[str, Any]:
    top, db = find_job(request), request.server.db
    rows = get_subtree(jobs.list_tree(db, top.root_id), top)
    labels, states = build_labels(rows), defaultdict[int, list[tuple[str, float]]](list)
    for change in job_graph.list_state_changes(db, top.root_id):
        states[change.job_id].append((change.status, change.at))
    return {"jobs": [{"name": row.name, "label": labels[row.name], "states": states[row.id]} for row in rows]}


async def get_attempts(request: ApiRequest) -> dict[str, Any]:
    return {"attempts": job_graph.list_attempts(request.server.db, find_job(request).id)}


ROUTES = [
    ("GET", "/jobs/{name}/graph", get_graph),
    ("GET", "/jobs/{name}/timeline", get_timeline),
    ("GET", "/jobs/{name}/attempts", get_attempts),
]
