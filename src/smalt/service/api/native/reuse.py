"""GET /smalt/v1{WS}/jobs/{name}/reuse: why a step, or each step of a pipeline, was reused or not.

{"steps": [{"node", "job", "status", "result", "reason", "of", "compared_to", "parts"}]}: see `reuse/explanation.py`.
`node` is the step's path below the job (`train`, or `outer/train`), empty for the job itself; `node=` chooses one.
"""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.exceptions import NotFound
from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.native.metrics import build_labels
from smalt.service.api.request import ApiRequest
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.reuse.explanation import explain_step


async def get_reuse(request: ApiRequest) -> dict[str, Any]:
    top = find_job(request)
    rows = get_subtree(jobs.list_tree(request.server.db, top.root_id), top)
    paths = build_labels(rows)
    steps = [row for row in rows if not row.is_composite]
    if wanted := request.get_query("node"):
        steps = _find_steps(top, steps, paths, wanted)
    reuse = request.server.engine.step_reuse.reuse
    return {"steps": [{"node": paths[row.name], **await explain_step(reuse, row)} for row in steps]}


def _find_steps(top: Job, steps: list[Job], paths: dict[str, str], wanted: str) -> list[Job]:
    """Return the steps with that path or job name, else the one step with that node name."""
    exact = [row for row in steps if wanted in (paths[row.name], row.name)]
    found = exact or [row for row in steps if row.node == wanted]
    if len(found) > 1:
        raise NotFound(f"'{wanted}' is {join_words([paths[row.name] for row in found], 'or')}; say which")
    if not found:
        known = [paths[row.name] for row in steps]
        hint = did_you_mean(wanted, known) or (f"; its steps are {join_words(known[:20], 'and')}" if known else "")
        raise NotFound(f"job '{top.name}' has no step '{wanted}'{hint}")
    return found


OWN_ROUTES = [("GET", "/jobs/{name}/reuse", get_reuse)]
