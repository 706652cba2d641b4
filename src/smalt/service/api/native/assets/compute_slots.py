"""The slots of a server's computes, and the jobs that hold them.

GET /smalt/v1/slots: {"computes": [{"name", "cpus": slots or null for one that queues by itself, "gpus": [indices],
    "waiting": jobs that wait for a slot, "holders": [{"job", "workspace": its name, "folder": the workspace's in the
    studio's addresses, "label": its name in its pipeline, "root": the top job, "status", "cpus", "gpus", "since"}]}],
    this machine first. A compute that is not named here is this machine under another name. At most 500 holders of
    each are listed; "held" counts all. With a token of one workspace there is no answer, as for all of the server.
"""

from __future__ import annotations

from typing import Any

from smalt.service.api.request import ApiRequest
from smalt.service.engine.queues import LeafRun, RunnerQueue
from smalt.service.records import jobs, workspaces

_MOST = 500


async def list_slots(request: ApiRequest) -> dict[str, Any]:
    queues = request.server.engine.queues
    held: dict[str, list[LeafRun]] = {name: [] for name in queues.by_runner}
    for run in queues.runs.values():
        if run.grant is not None:
            held[(run.queue or queues.local).name].append(run)
    known = {one.id: one for one in workspaces.list_workspaces(request.server.db)}
    return {
        "computes": [
            _render_queue(request, queue, sorted(held[name], key=lambda run: run.job.id), known)
            for name, queue in queues.by_runner.items()
        ]
    }


def _render_queue(
    request: ApiRequest, queue: RunnerQueue, runs: list[LeafRun], known: dict[int, workspaces.Workspace]
) -> dict[str, Any]:
    return {
        "name": queue.name,
        "cpus": None if queue.queues_by_itself else queue.slots.cpus,
        "gpus": list(queue.slots.gpus),
        "waiting": len(queue.ready) + len(queue.never_started),
        "held": len(runs),
        "holders": [_render_holder(request, run, known[run.job.workspace_id]) for run in runs[:_MOST]],
    }


def _render_holder(request: ApiRequest, run: LeafRun, workspace: workspaces.Workspace) -> dict[str, Any]:
    job, grant = run.job, run.grant
    assert grant is not None
    return {
        "job": job.name,
        "label": job.display_name or job.node or job.name,
        "root": job.name if job.parent_id is None else jobs.get_name(request.server.db, job.root_id),
        "workspace": workspace.name,
        "folder": workspace.folder,
        "status": job.status,
        "cpus": grant.cpus,
        "gpus": list(grant.gpus),
        "since": job.started_at,
    }


GLOBAL_ROUTES = [("GET", "/smalt/v1/slots", list_slots)]
