"""GET /smalt/v1{WS}/jobs/{name}/trials: a sweep or an AutoML job with all its trials, in one answer.

{"sweep": {"name", "status", "primary_metric", "goal", "total_trials", "counts": {status: number},
"best": {"name", "node", "parameters", "value"} or null, "search_space": {input: as in YAML}, "sampling_algorithm"},
"trials": [in the order in which they were added: as in the tree, and "parameters": {input: value}, "value"]}

`value` is the value of the primary metric that arrived last (of a pipeline, from any of its steps): a number, or "NaN",
"Infinity" or "-Infinity"; null if it was not logged. `best` is the completed trial with the best finite value, of
equals the earliest. `total_trials` is null if only time limits them; an AutoML job has no `search_space`.
"""

from __future__ import annotations

from typing import Any

from smalt.exceptions import RefusedError, ValidationException
from smalt.service.api.arm.job_shapes import build_tree_row
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.native import sweep_facts
from smalt.service.api.native.metrics import get_database_path
from smalt.service.api.request import ApiRequest
from smalt.service.records import reuse
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.wire.encoding.codec import to_plain


async def get_trials(request: ApiRequest) -> dict[str, Any]:
    job, db = find_job(request), request.server.db
    goal = sweep_facts.read_goal(db, job)
    if goal is None:
        raise RefusedError(f"job '{job.name}' is no sweep and no AutoML job, so it has no trials")
    summary, rows, facts = await sweep_facts.summarise(db, get_database_path(request), job, goal)
    reused, names = reuse.list_origins(db, job.root_id), {job.id: job.name}
    return {
        "sweep": {
            "name": job.name,
            "status": job.status,
            **summary,
            **_describe_search(db, job),
        },
        "trials": [{**build_tree_row(row, names, reused.get(row.id)), **facts[row.id].render()} for row in rows],
    }


def _describe_search(db: Database, job: Job) -> dict[str, Any]:
    """Return the search space of a sweep as YAML has it, and the algorithm that draws from it."""
    try:
        entity = sweep_facts.read_entity(db, job)
    except ValidationException:  # it was recorded by another version
        return {"search_space": {}, "sampling_algorithm": None}
    if entity.type != "sweep":
        return {"search_space": {}, "sampling_algorithm": "flaml"}
    sampling = entity.sampling_algorithm
    return {
        "search_space": to_plain(entity.search_space or {}),
        "sampling_algorithm": sampling if isinstance(sampling, str | None) else sampling.type,
    }


ROUTES = [("GET", "/jobs/{name}/trials", get_trials)]
