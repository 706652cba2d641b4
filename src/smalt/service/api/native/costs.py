"""What jobs cost of the machine: CPU seconds and memory of their processes, and the disk that a home takes.

POST /smalt/v1{WS}/costs {"jobs": [names]}: {"costs": {job: {"cpu_seconds", "peak_memory_bytes"}}}, with all below it
GET  /smalt/v1{WS}/jobs/{name}/disk: {"items": [{"job", "kind", "bytes"}]}, of the job and all below it
GET  /smalt/v1/disk: {"items": [{"workspace", "kind", "bytes"}]}, workspace null for what all of them share
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from smalt.service.api.arm.job_shapes import below
from smalt.service.api.arm.jobs import existing
from smalt.service.api.native.metrics import asked
from smalt.service.api.request import Call
from smalt.service.environments.store.environment_store import size_of
from smalt.service.records import jobs, tracked_runs, workspaces
from smalt.service.records.database import Database

Cost = dict[str, Any]


async def post_costs(call: Call) -> dict[str, Any]:
    db, names = call.service.db, asked(await call.object())
    found = tracked_runs.find_jobs(db, call.workspace.id, names)
    by_root = {job.id: job.name for job in found if job.parent_id is None}
    told: dict[str, Cost] = {}
    for root, _, cpu, peak in jobs.list_costs(db, list(by_root)):
        before = told.get(by_root[root], {"cpu_seconds": 0.0, "peak_memory_bytes": None})
        told[by_root[root]] = _added(before, cpu, peak)
    return {"costs": told}


def costs_of_tree(db: Database, rows: list[jobs.Job]) -> dict[int, Cost]:
    """Return what each of `rows`, parents first, cost with all below it."""
    parents, told = {row.id: row.parent_id for row in rows}, dict[int, Cost]()
    for _, id, cpu, peak in jobs.list_costs(db, [rows[0].root_id]):
        here: int | None = id
        while here in parents:
            before = told.get(here, {"cpu_seconds": 0.0, "peak_memory_bytes": None})
            told[here] = _added(before, cpu, peak)
            here = parents[here]
    return told


def _added(before: Cost, cpu: float, peak: int | None) -> Cost:
    """Return both costs together; the memory is None where no process was large enough to be told from its parent."""
    peaks = [one for one in (before["peak_memory_bytes"], peak) if one is not None]
    return {"cpu_seconds": round(before["cpu_seconds"] + cpu, 3), "peak_memory_bytes": max(peaks, default=None)}


async def get_disk(call: Call) -> dict[str, Any]:
    root = call.service.home.root
    named = {one.folder: one.name for one in workspaces.list_workspaces(call.service.db)}
    return {"items": await asyncio.to_thread(_sizes, root, named)}


async def get_job_disk(call: Call) -> dict[str, Any]:
    top, db, rooms = existing(call), call.service.db, call.service.engine.rooms
    places = []
    for row in below(jobs.list_tree(db, top.root_id), top):
        folder = call.service.home.path("workspaces", call.workspace.folder, "jobs", row.name)
        places += [
            (row.name, "working folder", folder),
            (row.name, "logs", Path(rooms.artifacts(call.workspace, row.name))),
        ]
        for name, (_, _, uri, _) in jobs.read_data(db, row.id, "output").items():
            local = call.service.data.resolve(uri, call.workspace).path if uri else None
            places += [(row.name, f"output {name}", Path(local))] if local else []
    return {"items": await asyncio.to_thread(_sizes_of, places)}


def _sizes_of(places: list[tuple[str, str, Path]]) -> list[dict[str, Any]]:
    seen, items = set[Path](), []
    for job, kind, path in places:
        if path not in seen and path.exists():  # an output of a pipeline is that of a step
            items.append({"job": job, "kind": kind, "bytes": _size(path)})
        seen.add(path)
    return [item for item in items if item["bytes"]]


def _sizes(root: Path, named: dict[str, str]) -> list[dict[str, Any]]:
    items = []
    for folder in sorted(path for path in (root / "workspaces").glob("*/*") if path.is_dir()):
        name = named.get(folder.parent.name, folder.parent.name)
        kinds = _entries(folder) if folder.name == "datastores" else [folder]
        items += [
            {"workspace": name, "kind": str(one.relative_to(folder.parent)), "bytes": _size(one)} for one in kinds
        ]
    for path in _entries(root):
        if path.name != "workspaces" and not path.is_symlink():
            items.append({"workspace": None, "kind": path.name, "bytes": _size(path)})
    return sorted((item for item in items if item["bytes"]), key=lambda item: -item["bytes"])


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder; nothing where that was removed meanwhile, with its workspace."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def _size(path: Path) -> int:
    """Return the bytes on disk; none of what vanished since it was listed, as temporary files do."""
    if path.is_dir():
        return size_of(path)
    try:
        return path.lstat().st_blocks * 512
    except FileNotFoundError:
        return 0


ROUTES = [("POST", "/costs", post_costs), ("GET", "/jobs/{name}/disk", get_job_disk)]
GLOBAL_ROUTES = [("GET", "/smalt/v1/disk", get_disk)]
