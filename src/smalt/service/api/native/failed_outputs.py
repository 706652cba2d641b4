"""Outputs of failed and cancelled jobs, which can be removed; the records and logs of these jobs stay."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from smalt.service.api.server_context import ServerContext
from smalt.service.data import remove_tree
from smalt.service.engine.deletion.place_references import Overlaps
from smalt.service.environments.store.environment_store import get_size
from smalt.service.records import job_data, jobs, workspaces
from smalt.service.records.jobs import Job
from smalt.service.reuse import retention


async def remove_failed_outputs(service: ServerContext, age: float, dry_run: bool) -> list[dict[str, Any]]:
    """Remove the outputs of jobs that failed before `age` seconds ago, or with `dry_run` only list them.

    Outputs stay that a version names, an unfinished job reads, or another job wrote to or reuses.
    """
    found = _find_folders(service, time.time() - age)
    if not found:
        return []
    overlaps = await asyncio.to_thread(Overlaps, found)
    held = service.engine.context.held
    written = await asyncio.to_thread(_find_shared, service, found, overlaps)
    by_job = await held.find_in_jobs(overlaps, jobs.list_unfinished(service.db))
    kept = set(await held.find_in_assets(overlaps)).union(*by_job.values(), written)
    return await asyncio.to_thread(_remove_folders, found, kept, dry_run)


def _find_folders(service: ServerContext, before: float) -> dict[str, Job]:
    """Return, by output folder, the jobs of which no step completed."""
    db = service.db
    found: dict[str, Job] = {}
    for workspace in workspaces.list_workspaces(db):
        top = service.home.path("workspaces", workspace.folder)
        for job in jobs.list_unsuccessful(db, workspace.id, before):
            if any(child.status == "Completed" for child in _list_descendants(service, job.id)):
                continue
            own = (
                retention.list_own_folders(db, [job])
                - retention.list_folders_in_use(db, [job])
                - {retention.get_artifacts_folder(job)}
            )
            found |= {os.path.realpath(top / folder): job for folder in own if (top / folder).is_dir()}
    return found


def _find_shared(service: ServerContext, found: dict[str, Job], overlaps: Overlaps) -> set[str]:
    ours = {job.id for job in found.values()}
    with service.db.open_reader() as db:
        return overlaps.find_overlapping(place for id, place in job_data.list_written_places(db) if id not in ours)


def _list_descendants(service: ServerContext, id: int) -> list[Job]:
    children = jobs.list_children(service.db, id)
    return children + [one for child in children for one in _list_descendants(service, child.id)]


def _remove_folders(found: dict[str, Job], kept: set[str], dry_run: bool) -> list[dict[str, Any]]:
    items = []
    for place in sorted(found.keys() - kept):
        size = get_size(Path(place))
        if size and not dry_run:
            remove_tree(Path(place))
        if size:
            items.append({"kind": "unfinished output", "name": found[place].name, "bytes": size})
    return items
