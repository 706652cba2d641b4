"""Refusals to delete a workspace that has unfinished jobs, or to which other workspaces refer."""

from __future__ import annotations

import asyncio
import os
import re

from smalt.entities.schema.problems import join_words
from smalt.exceptions import Conflict
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion.place_references import Overlaps
from smalt.service.records import assets, job_data, jobs
from smalt.service.records.workspaces import Workspace

_MOST_NAMED = 5


def refuse_unfinished(context: EngineContext, workspace: Workspace) -> None:
    unfinished = [one for one in jobs.list_unfinished_roots(context.db) if one.workspace_id == workspace.id]
    if unfinished:
        names = join_words([one.name for one in unfinished][:_MOST_NAMED], "and")
        raise Conflict(
            f"workspace '{workspace.name}' has unfinished jobs ({names}); wait for their end, or cancel them first"
        )


async def refuse_shared(context: EngineContext, workspace: Workspace) -> None:
    """Raise Conflict if a version or a job of another workspace lies in the workspace, or names it.

    Nothing is awaited after the last look.
    """
    top = f"{context.root}/workspaces/{workspace.folder}"
    overlaps = Overlaps({top, await asyncio.to_thread(os.path.realpath, top)})
    others = [one for one in jobs.list_unfinished(context.db) if one.workspace_id != workspace.id]
    by_job = await context.held.find_in_jobs(overlaps, others)
    writers = await asyncio.to_thread(_find_writers, context, workspace, overlaps)
    by_asset = await context.held.find_in_assets(overlaps, workspace.id)
    _refuse_readers(context, workspace, {id for id, found in by_job.items() if found})
    _refuse_versions(context, workspace, set(by_asset.values()))
    named = [_describe_job(context, job) for id in writers if (job := jobs.find_job(context.db, id)) is not None]
    if named:
        raise Conflict(
            f"workspace '{workspace.name}' cannot be deleted: {join_words(named[:_MOST_NAMED], 'and')} wrote an output "
            f"there; delete {'those jobs' if len(named) > 1 else 'that job'} first"
        )


def _find_writers(context: EngineContext, workspace: Workspace, overlaps: Overlaps) -> list[int]:
    """Return the jobs of other workspaces that wrote there."""
    with context.db.open_reader() as db:
        return sorted(
            {
                id
                for id, place in job_data.list_written_places(db, besides=workspace.id)
                if overlaps.find_overlapping([place])
            }
        )


def _refuse_readers(context: EngineContext, workspace: Workspace, readers: set[int]) -> None:
    """Raise Conflict if an unfinished job reads or writes there, or names the workspace."""
    name = _compile_name(workspace)
    for job in jobs.list_unfinished(context.db):
        if job.workspace_id != workspace.id and (job.id in readers or name.search(jobs.read_body(context.db, job.id))):
            raise Conflict(
                f"workspace '{workspace.name}' cannot be deleted: {_describe_job(context, job)} is {job.status} and "
                "uses what is in it; wait for its end, or cancel it"
            )


def _refuse_versions(context: EngineContext, workspace: Workspace, versions: set[int]) -> None:
    """Raise Conflict if a version lies there or names the workspace: a new one of the name would change its content."""
    name = _compile_name(workspace)
    naming = assets.find_bodies_containing(context.db, f"/workspaces/{workspace.name}", workspace.id)
    found = sorted(versions.union(id for id, body in naming if name.search(body)))
    if found:
        named = [assets.describe_version(context.db, id) for id in found[:_MOST_NAMED]]
        has = "have" if len(found) > 1 else "has"
        raise Conflict(
            f"workspace '{workspace.name}' cannot be deleted: {join_words(named, 'and')} {has} something in it, and a "
            "registered version never changes; delete the workspace of the version first"
        )


def _compile_name(workspace: Workspace) -> re.Pattern[str]:
    """Return the pattern that finds the workspace in ids and URIs."""
    names = (workspace.subscription, workspace.resource_group, workspace.name)
    subscription, group, name = map(re.escape, names)
    return re.compile(
        rf"subscriptions/{subscription}/resourcegroups/{group}/(providers/[^/]+/)?workspaces/{name}(?![\w.-])",
        re.IGNORECASE,
    )


def _describe_job(context: EngineContext, job: jobs.Job) -> str:
    return f"job '{job.name}' of workspace '{context.workspace(job).name}'"
