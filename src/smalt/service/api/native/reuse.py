"""GET /smalt/v1{WS}/jobs/{name}/reuse: of a step, or of each step of a pipeline, why it was reused or why not.

{"steps": [{"node", "job", "status", "result", "reason", "of", "compared_to", "parts"}]}: see `reuse/explain.py`. `node`
is the step's path below the job (`train`, or `outer/train`), empty for the job itself; `node=` chooses one.
"""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.problems import did_you_mean, listed
from smalt.exceptions import NotFound
from smalt.service.api.arm.job_shapes import below
from smalt.service.api.arm.jobs import existing
from smalt.service.api.native.metrics import labels_of
from smalt.service.api.request import Call
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.reuse.explanation import explain_step


async def get_reuse(call: Call) -> dict[str, Any]:
    top = existing(call)
    rows = below(jobs.list_tree(call.service.db, top.root_id), top)
    paths = labels_of(rows)
    steps = [row for row in rows if not row.is_composite]
    if wanted := call.query("node"):
        steps = _chosen(top, steps, paths, wanted)
    reuse = call.service.engine.reusing.reuse
    return {"steps": [{"node": paths[row.name], **await explain_step(reuse, row)} for row in steps]}


def _chosen(top: Job, steps: list[Job], paths: dict[str, str], wanted: str) -> list[Job]:
    """By its path, by its job's name, or by its name alone where that is clear."""
    exact = [row for row in steps if wanted in (paths[row.name], row.name)]
    found = exact or [row for row in steps if row.node == wanted]
    if len(found) > 1:
        raise NotFound(f"'{wanted}' is {listed([paths[row.name] for row in found], 'or')}; say which")
    if not found:
        known = [paths[row.name] for row in steps]
        hint = did_you_mean(wanted, known) or (f"; its steps are {listed(known[:20], 'and')}" if known else "")
        raise NotFound(f"job '{top.name}' has no step '{wanted}'{hint}")
    return found


OWN_ROUTES = [("GET", "/jobs/{name}/reuse", get_reuse)]
