"""GET /smalt/v1/status, POST /smalt/v1/shutdown."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from typing import Any

from smalt._version import __version__
from smalt.exceptions import Conflict
from smalt.machine.disk_reserve import DiskSpace
from smalt.service.api.arm.job_shapes import get_shown_status
from smalt.service.api.request import ApiRequest
from smalt.service.engine.kinds import GRACE
from smalt.service.records import jobs, workspaces

_MOST_WAITING = 10
_KILLED_BY = 10.0
"""Seconds beyond the grace period in which what was killed is gone."""


async def get_status(request: ApiRequest) -> dict[str, Any]:
    service = request.server
    return {
        "version": __version__,
        "pid": os.getpid(),
        "home": str(service.home.root),
        "port": service.port,
        "url": service.base_url,
        **({"note": service.port_note} if service.port_note else {}),
        "unfinished": service.count_unfinished(),
        "started": service.started,
        "disk": get_disk(service.home.root),
        **(await _describe_details(request) if request.get_flag("details") else {}),
    }


async def _describe_details(request: ApiRequest) -> dict[str, Any]:
    launcher = request.server.launcher
    warm = await launcher.describe_warm_parents() if launcher is not None else {}
    return {**_count_unfinished(request), **({"warm": warm} if warm.get("parents") or warm.get("started") else {})}


def get_disk(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return free space and size of a folder's disk, and whether it is full."""
    disk = DiskSpace.measure(folder)
    return {"free": disk.free, "size": disk.size, "full": disk.is_full}


def _count_unfinished(request: ApiRequest) -> dict[str, Any]:
    """Return the unfinished jobs of each workspace by shown state, and the jobs that wait, with the reason."""
    db, engine = request.server.db, request.server.engine
    known = {one.id: one for one in workspaces.list_workspaces(db)}
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for job in jobs.list_unfinished_roots(db):
        counts[job.workspace_id][get_shown_status(job)] += 1
    return {
        "workspaces": [
            {"name": known[id].name, "resource_group": known[id].resource_group, "unfinished": dict(states)}
            for id, states in counts.items()
        ],
        "waiting": [
            {"job": job.name, "workspace": known[job.workspace_id].name, "waits_for": reason}
            for job in jobs.list_ready(db, _MOST_WAITING)
            if (reason := engine.get_wait_reason(job))
        ],
    }


async def stop_server(request: ApiRequest) -> dict[str, Any]:
    """Stop the server. Unfinished jobs prevent that, unless `force` (cancel them) or `replace` (let them run on).

    After `replace` the next server takes them over.
    """
    body = await request.read_object()
    unfinished = request.server.count_unfinished()
    them = "them" if unfinished > 1 else "it"
    if unfinished and not body.get("force") and not body.get("replace"):
        raise Conflict(
            f"{unfinished} job{'s are' if unfinished > 1 else ' is'} not finished; wait for {them}, cancel {them}, "
            f"or run 'smalt server stop --force', which cancels {them}"
        )
    if unfinished and not body.get("replace"):
        await request.server.cancel_all_jobs(
            f"the server was stopped with --force by {request.principal}", GRACE + _KILLED_BY
        )
    if not body.get("replace"):
        await request.server.online.stop_processes()
    request.server.stopping.set()
    return {"pid": os.getpid()}


ROUTES = [("GET", "/smalt/v1/status", get_status), ("POST", "/smalt/v1/shutdown", stop_server)]
