"""GET /smalt/v1{WS}/jobs/{name}/overview: the state of a job, for people.

{"jobs": [the job, then its descendants, parents first]}; each as in the tree, and
- "label": its path of nodes below the job (`outer/train`), "" for the job itself;
- "log_tail": the last lines of its log, for the first jobs that failed by themselves;
- "cpu_seconds" and "peak_memory_bytes": the use of its processes and of those of its descendants;
- "first_line_seconds" and "start_mode": the time from its turn to its program's first line, and `warm` or `cold`;
  where cold, "cold_reason"; where warm, "imported_before" (names of modules) and
  "saved_seconds" (what these imports took, once, for all steps);
- "waits_for": a sentence, for jobs that have not started;
- "trials": of a sweep its objective, its trials by status, and the best; as `sweep` in `trials.py`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from smalt.service.api.arm.job_shapes import build_tree_row, get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.job_details.log_files import NAMES, read_last_lines
from smalt.service.api.native import sweep_facts
from smalt.service.api.native.costs import get_tree_costs
from smalt.service.api.native.metrics import build_labels, get_database_path
from smalt.service.api.request import ApiRequest
from smalt.service.records import job_attempts, jobs, reuse
from smalt.service.records.jobs import Job

_MOST_TAILS = 3


async def get_overview(request: ApiRequest) -> dict[str, Any]:
    top, db = find_job(request), request.server.db
    rows = get_subtree(jobs.list_tree(db, top.root_id), top)
    names, labels, reused = {row.id: row.name for row in rows}, build_labels(rows), reuse.list_origins(db, top.root_id)
    tails, costs = await _read_log_tails(request, rows), get_tree_costs(db, rows)
    sweeps = await sweep_facts.summarise_sweeps(db, get_database_path(request), rows)
    starts = job_attempts.list_starts(db, top.root_id)
    told = []
    for row in rows:
        found = {**build_tree_row(row, names, reused.get(row.id)), "label": labels[row.name], **costs.get(row.id, {})}
        if row.id in starts:
            found.update(starts[row.id])
        if tails.get(row.id):
            found["log_tail"] = tails[row.id]
        if row.status in jobs.WAITING and (reason := request.server.engine.get_wait_reason(row)):
            found["waits_for"] = reason
        if row.id in sweeps:
            found["trials"] = sweeps[row.id]
        told.append(found)
    return {"jobs": told}


async def _read_log_tails(request: ApiRequest, rows: list[Job]) -> dict[int, list[str]]:
    """Return the last lines of the logs of the first jobs that failed without a failed child."""
    failed = [row for row in rows if row.status == "Failed"]
    parents = {row.parent_id for row in failed}
    causes = sorted((row for row in failed if row.id not in parents), key=lambda row: row.ended_at or 0.0)
    context, loop = request.server.engine.context, asyncio.get_running_loop()
    mask, tails = context.vault.get_mask(request.workspace), {}
    for row in causes[:_MOST_TAILS]:
        folder = Path(context.artifacts(request.workspace, row.name))
        for name in reversed(NAMES):  # what the command wrote; where it wrote nothing, what smalt did
            tails[row.id] = await loop.run_in_executor(request.server.readers, read_last_lines, folder / name, mask)
            if tails[row.id]:
                break
    return tails


ROUTES = [("GET", "/jobs/{name}/overview", get_overview)]
