"""The costs of jobs: CPU seconds and memory of their processes, and the disk space that a home takes.

POST /smalt/v1{WS}/costs {"jobs": [names]}: {"costs": {job: {"cpu_seconds", "peak_memory_bytes"}}}, descendants included
GET  /smalt/v1{WS}/jobs/{name}/disk: {"items": [{"job", "kind", "bytes"}]}, of the job and its descendants
GET  /smalt/v1/disk: {"items": [{"workspace", "kind", "bytes"}]}, workspace null for what all workspaces share
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.native.metrics import read_job_names
from smalt.service.api.request import ApiRequest
from smalt.service.environments.store.environment_store import get_size
from smalt.service.records import job_attempts, job_data, jobs, tracked_runs, workspaces
from smalt.service.records.database import Database

Cost = dict[str, Any]


async def get_costs(request: ApiRequest) -> dict[str, Any]:
    db, names = request.server.db, read_job_names(await request.read_object())
    found = tracked_runs.find_jobs(db, request.workspace.id, names)
    by_root = {job.id: job.name for job in found if job.parent_id is None}
    told: dict[str, Cost] = {}
    for root, _, cpu, peak in job_attempts.list_costs(db, list(by_root)):
        before = told.get(by_root[root], {"cpu_seconds": 0.0, "peak_memory_bytes": None})
        told[by_root[root]] = _add_cost(before, cpu, peak)
    return {"costs": told}


def get_tree_costs(db: Database, rows: list[jobs.Job]) -> dict[int, Cost]:
    """Return the cost of each of `rows`, parents first, with its descendants."""
    parents, told = {row.id: row.parent_id for row in rows}, dict[int, Cost]()
    for _, id, cpu, peak in job_attempts.list_costs(db, [rows[0].root_id]):
        here: int | None = id
        while here in parents:
            before = told.get(here, {"cpu_seconds": 0.0, "peak_memory_bytes": None})
            told[here] = _add_cost(before, cpu, peak)
            here = parents[here]
    return told


def _add_cost(before: Cost, cpu: float, peak: int | None) -> Cost:
    """Return the sum of two costs; memory is None if no process was large enough to be measured apart from its
    parent."""
    peaks = [one for one in (before["peak_memory_bytes"], peak) if one is not None]
    return {"cpu_seconds": round(before["cpu_seconds"] + cpu, 3), "peak_memory_bytes": max(peaks, default=None)}


async def get_disk_usage(request: ApiRequest) -> dict[str, Any]:
    root = request.server.home.root
    named = {one.folder: one.name for one in workspaces.list_workspaces(request.server.db)}
    return {"items": await asyncio.to_thread(list_home_sizes, root, named)}


async def get_job_disk_usage(request: ApiRequest) -> dict[str, Any]:
    top, db, context = find_job(request), request.server.db, request.server.engine.context
    places = []
    for row in get_subtree(jobs.list_tree(db, top.root_id), top):
        folder = request.server.home.path("workspaces", request.workspace.folder, "jobs", row.name)
        places += [
            (row.name, "working folder", folder),
            (row.name, "logs", Path(context.artifacts(request.workspace, row.name))),
        ]
        for name, (_, _, uri, _) in job_data.read_data(db, row.id, "output").items():
            local = request.server.data.resolve(uri, request.workspace).path if uri else None
            places += [(row.name, f"output {name}", Path(local))] if local else []
    return {"items": await asyncio.to_thread(_list_job_sizes, places)}


def _list_job_sizes(places: list[tuple[str, str, Path]]) -> list[dict[str, Any]]:
    seen, items = set[Path](), []
    for job, kind, path in places:
        if path not in seen and path.exists():  # an output of a pipeline is that of a step
            items.append({"job": job, "kind": kind, "bytes": _get_size(path)})
        seen.add(path)
    return [item for item in items if item["bytes"]]


def list_home_sizes(root: Path, named: dict[str, str]) -> list[dict[str, Any]]:
    items = []
    for folder in sorted(path for path in (root / "workspaces").glob("*/*") if path.is_dir()):
        name = named.get(folder.parent.name, folder.parent.name)
        kinds = _list_entries(folder) if folder.name == "datastores" else [folder]
        items += [
            {"workspace": name, "kind": str(one.relative_to(folder.parent)), "bytes": _get_size(one)} for one in kinds
        ]
    for path in _list_entries(root):
        if path.name != "workspaces" and not path.is_symlink():
            items.append({"workspace": None, "kind": path.name, "bytes": _get_size(path)})
    return sorted((item for item in items if item["bytes"]), key=lambda item: -item["bytes"])


def _list_entries(folder: Path) -> list[Path]:
    """List a folder; return nothing if it was removed meanwhile, with its workspace."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def _get_size(path: Path) -> int:
    """Return the bytes on disk; 0 for a file that vanished since it was listed, as temporary files do."""
    if path.is_dir():
        return get_size(path)
    try:
        return path.lstat().st_blocks * 512
    except FileNotFoundError:
        return 0


ROUTES = [("POST", "/costs", get_costs), ("GET", "/jobs/{name}/disk", get_job_disk_usage)]
GLOBAL_ROUTES = [("GET", "/smalt/v1/disk", get_disk_usage)]
