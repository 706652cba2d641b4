"""GET /smalt/v1{WS}/jobs/{name}/progress: how far the parallel steps, sweeps and AutoML jobs of a job's tree are.

{"steps": {job: {"of": "mini-batches" or "trials", "done", "failed", "total", "running", "taken_over", "retried",
"best"}}}. `done` are those that ended well, `total` is null while it is not known. A parallel step says how far it is
in its log, after a second first, and every half a minute at last. `running` and `best`, {"name", "value"}, are of
trials; `taken_over` and `retried` of mini-batches.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.job_details.log_files import read_last_lines
from smalt.service.api.native import sweep_facts
from smalt.service.api.native.metrics import get_database_path
from smalt.service.api.request import ApiRequest
from smalt.service.records import jobs, reuse, trials

_MOST = 100
"""Steps that are looked at; the newest count."""
_PARALLEL = "parallel"
_LINE = re.compile(
    r"(?P<ended>\d+) of (?P<total>\d+) mini-batch(?:es)?(?:, (?P<taken_over>\d+) taken over)?"
    r"(?:, (?P<failed>\d+) failed)?(?:, (?P<retried>\d+) retried)?(?:, .*)?"
)
_OVER = ("Completed", "Failed", "Canceled")


async def get_progress(request: ApiRequest) -> dict[str, Any]:
    top, db = find_job(request), request.server.db
    rows = get_subtree(jobs.list_tree(db, top.root_id), top)
    begun = [row for row in rows if row.started_at is not None]
    parallel = [row for row in begun if row.type == _PARALLEL][-_MOST:]
    sweeps = [row for row in begun if row.type in trials.SWEEPS][-_MOST:]
    origins = reuse.list_origins(db, top.root_id)
    context = request.server.engine.context
    mask = context.vault.get_mask(request.workspace)
    paths = {
        row.name: Path(context.artifacts(request.workspace, origins.get(row.id) or row.name), "user_logs/std_log.txt")
        for row in parallel
    }

    def read_logs() -> dict[str, Any]:
        found = {name: parse_progress(read_last_lines(path, mask)) for name, path in paths.items()}
        return {name: progress for name, progress in found.items() if progress is not None}

    steps = await asyncio.to_thread(read_logs)
    summaries = await sweep_facts.summarise_sweeps(db, get_database_path(request), sweeps)
    names = {row.id: row.name for row in sweeps}
    steps.update({names[id]: _count_trials(summary) for id, summary in summaries.items()})
    return {"steps": steps}


def parse_progress(lines: list[str]) -> dict[str, Any] | None:
    """Return the progress that a parallel step wrote last; None if it wrote none yet."""
    found = next((match for line in reversed(lines) if (match := _LINE.fullmatch(line.strip()))), None)
    if found is None:
        return None
    count = {key: int(value or 0) for key, value in found.groupdict().items()}
    done = count["ended"] - count["failed"]
    told = {key: count[key] for key in ("failed", "total", "taken_over", "retried")}
    return {"of": "mini-batches", "done": done, **told}


def _count_trials(summary: dict[str, Any]) -> dict[str, Any]:
    counts, best = summary["counts"], summary.get("best")
    running = sum(count for status, count in counts.items() if status not in (*_OVER, "NotStarted", "Queued"))
    return {
        "of": "trials",
        "done": counts.get("Completed", 0),
        "failed": counts.get("Failed", 0),
        "running": running,
        "total": summary["total_trials"],
        "best": {"name": best["name"], "value": best["value"]} if best else None,
    }


ROUTES = [("GET", "/jobs/{name}/progress", get_progress)]
