"""POST /smalt/v1/prune: remove leftovers of finished jobs that nothing needs; records, logs and outputs stay."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.exceptions import ValidationException
from smalt.service.api.native import failed_outputs
from smalt.service.api.request import ApiRequest
from smalt.service.api.server_context import ServerContext
from smalt.service.data import remove_tree
from smalt.service.engine.deletion.place_references import Overlaps
from smalt.service.environments.store.environment_store import get_hash, get_size
from smalt.service.records import assets, jobs, online, usage, workspaces
from smalt.service.records import environments as uses
from smalt.service.records.database import Database

_CODE = re.compile(r"/codes/([^/\"]+)/versions/([^/\"]+)")
_COMPONENT = re.compile(r"/components/([^/\"]+)/versions/([^/\"]+)")

_SAMPLE = 40  # bytes of a sample in the database

Item = dict[str, Any]


async def prune_home(request: ApiRequest) -> dict[str, Any]:
    """Remove what was last used more than `older_than` seconds ago, or with `dry_run` only list it."""
    body = await request.read_object()
    age, dry_run, only = body.get("older_than", 0), body.get("dry_run", False), body.get("only")
    if not isinstance(age, (int, float)) or isinstance(age, bool) or not 0 <= age < 1e12:
        raise ValidationException('"older_than" must be a number of seconds')
    if not isinstance(dry_run, bool):
        raise ValidationException('"dry_run" must be true or false')
    if only not in (None, "environments"):
        raise ValidationException('"only" must be "environments", where it is there')
    service = request.server
    if only:
        items = await _remove_environments(service, age, dry_run)
        return {"freed": sum(item["bytes"] for item in items), "items": items}
    items = await _remove_job_folders(service, age, dry_run)
    freed = await asyncio.to_thread(service.data.snapshots.prune, find_wanted_code(service.db), age, dry_run)
    items += [{"kind": "snapshot", "name": hash, "bytes": size} for hash, size in freed]
    items += await _remove_environments(service, age, dry_run)
    web = await asyncio.to_thread(service.data.urls.prune, age, dry_run)
    items += [{"kind": "download", "name": name, "bytes": size} for name, size in web]
    unused = await asyncio.to_thread(service.data.remote.prune, age, dry_run)
    items += [{"kind": "remote data", "name": name, "bytes": size} for name, size in unused]
    items += _remove_samples(service, age, dry_run)
    items += await failed_outputs.remove_failed_outputs(service, age, dry_run)
    return {"freed": sum(item["bytes"] for item in items), "items": items}


def _list_busy_folders(service: ServerContext) -> set[Path]:
    """Return the working folders of unfinished jobs."""
    folders = {one.id: one.folder for one in workspaces.list_workspaces(service.db)}
    root = service.home.path("workspaces")
    return {root / folders[job.workspace_id] / "jobs" / job.name for job in jobs.list_unfinished(service.db)}


async def _remove_job_folders(service: ServerContext, age: float, dry_run: bool) -> list[Item]:
    """Remove working copies of code, inputs and environments; a retry's folder is NAME.2 and so on.

    Nothing is awaited between the check for unfinished jobs and the removal, as a job may start meanwhile.
    """
    places = await asyncio.to_thread(_find_job_folders, service)
    overlaps = await asyncio.to_thread(Overlaps, places.values())
    context = service.engine.context
    by_job = await context.held.find_in_jobs(overlaps, jobs.list_unfinished(service.db))
    held = set(await context.held.find_in_assets(overlaps)).union(*by_job.values())
    busy, before = _list_busy_folders(service), time.time() - age
    free = [
        folder
        for folder, place in places.items()
        if place not in held and folder.with_name(folder.name.partition(".")[0]) not in busy
    ]
    return await asyncio.to_thread(lambda: list(_remove_folders("job folder", free, before, dry_run)))


def _find_job_folders(service: ServerContext) -> dict[Path, str]:
    """Return the folders of attempts with their real paths."""
    return {folder: os.path.realpath(folder) for folder in service.home.path("workspaces").glob("*/jobs/*")}


def _remove_samples(service: ServerContext, age: float, dry_run: bool) -> list[Item]:
    """Remove old samples of the machine's use by jobs."""
    before = time.time() - age
    count = usage.count_before(service.db, before)
    if count and not dry_run:
        usage.remove_before(service.db, before)
    return [{"kind": "usage samples", "name": str(count), "bytes": count * _SAMPLE}] if count else []


def _remove_folders(kind: str, folders: list[Path], before: float, dry_run: bool) -> Iterator[Item]:
    for folder in sorted(folders):
        try:
            if folder.lstat().st_mtime > before:
                continue
        except FileNotFoundError:
            continue
        size = get_size(folder)
        if not dry_run:
            remove_tree(folder)
        yield {"kind": kind, "name": folder.name, "bytes": size}


async def _remove_environments(service: ServerContext, age: float, dry_run: bool) -> list[Item]:
    environments, before = service.engine.context.environments, time.time() - age
    found, served = [], online.list_environments(service.db)
    if not dry_run:
        environments.remove_left_over()
        if not served and not jobs.list_unfinished(service.db):
            environments.remove_changed()
    for built in environments.list_stored():
        used = service.engine.find_used_environments()  # each time, as a job may start meanwhile
        if used is None:
            break
        if built.last_used > before or built.hash in {*served, *(get_hash(Path(one)) for one in used)}:
            continue
        size = built.size if dry_run else await environments.remove(built.hash)
        if size is None:
            continue
        if not dry_run:
            uses.remove_uses(service.db, built.hash)
        found.append({"kind": "environment", "name": ", ".join(built.names) or built.hash, "bytes": size})
    return found


def find_wanted_code(db: Database) -> dict[str, str]:
    """Return the snapshots that components, deployments and unfinished jobs name → one of those users, in words."""
    texts = [(f"job {job.name}", jobs.read_body(db, job.id)) for job in jobs.list_unfinished(db)]
    for workspace in workspaces.list_workspaces(db):
        for container in assets.list_containers(db, workspace.id, "components", "All"):
            for version in assets.list_versions(db, workspace.id, "components", container.name, "All"):
                texts.append((f"component {version.name}:{version.version}", version.body))
    named = {pair: user for user, text in _add_components(db, texts) for pair in _CODE.findall(text)}
    found = (
        (assets.get_version(db, workspace.id, "codes", name, version), user)
        for workspace in workspaces.list_workspaces(db)
        for (name, version), user in named.items()
    )
    served = {
        str(revision.content["code"]): f"online deployment {revision.endpoint}/{revision.deployment}"
        for revision in online.list_revisions(db)
        if revision.content.get("code")
    }
    return {**served, **{code.content_hash: user for code, user in found if code and code.content_hash}}


def _add_components(db: Database, texts: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the texts and the bodies of the components that they name, at any depth; inline components have no name."""
    every = workspaces.list_workspaces(db)
    pending = list(texts)
    known: set[tuple[str, str]] = set()
    while pending:
        user, text = pending.pop()
        yield user, text
        for pair in set(_COMPONENT.findall(text)) - known:
            known.add(pair)
            found = (assets.get_version(db, workspace.id, "components", *pair) for workspace in every)
            pending += [(user, version.body) for version in found if version is not None]


ROUTES = [("POST", "/smalt/v1/prune", prune_home)]
