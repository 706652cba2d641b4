"""POST /smalt/v1/doctor: check that the home is sound; with `repair`, mend what can be mended."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError, Unavailable, ValidationException
from smalt.service.api.native.prune import find_wanted_code
from smalt.service.api.native.status import get_disk
from smalt.service.api.request import ApiRequest
from smalt.service.api.server_context import ServerContext
from smalt.service.data import integrity as soundness
from smalt.service.data.integrity import IntegrityProblem
from smalt.service.engine.versions.integrity import is_changed
from smalt.service.records import assets, workspaces
from smalt.service.records.database import Database
from smalt.service.records.database_errors import explain_full_disk, find_full_folder
from smalt.service.records.workspaces import Workspace

_URIS = {"data": "dataUri", "models": "modelUri"}


async def check_home(request: ApiRequest) -> dict[str, Any]:
    """Check the home; `full` also reads all content, which takes as long as reading the disk."""
    body = await request.read_object()
    repair, full = body.get("repair", False), body.get("full", False)
    if not isinstance(repair, bool) or not isinstance(full, bool):
        raise ValidationException('"repair" and "full" must be true or false')
    found = await asyncio.to_thread(_find_troubles, request.server, full)
    found += await request.server.engine.context.environments.find_problems(full, request.server.started)
    disk = get_disk(request.server.home.root)
    if disk["full"]:
        advice = "free some space; smalt prune --older-than 0s frees what ended jobs left"
        found.append(IntegrityProblem("disk", str(request.server.home.root), "it is full", advice))
    return {
        "sound": not found,
        "disk": disk,
        "troubles": [await asyncio.to_thread(_render_trouble, one, repair) for one in found],
    }


def _render_trouble(trouble: IntegrityProblem, repair: bool) -> dict[str, Any]:
    repaired, advice = False, trouble.advice
    if repair and trouble.repair is not None:
        try:
            trouble.repair()
            repaired = True
        except (OSError, SmaltError) as error:
            advice = f"it could not be repaired: {error}"
    told = {"check": trouble.check, "what": trouble.what, "problem": trouble.problem, "advice": advice}
    return {**told, "repairable": trouble.repair is not None, "repaired": repaired}


def _find_troubles(service: ServerContext, full: bool) -> list[IntegrityProblem]:
    """Run the checks on a thread, with its own database connection, so that the server keeps answering."""
    with service.db.open_reader() as db:
        try:
            found = [*_check_records(db), *_check_job_folders(service, db)]
            return [*found, *_check_disk(service, full), *_check_code(service, db), *_check_assets(service, db, full)]
        except sqlite3.DatabaseError as error:
            folder = find_full_folder(db.path, error)
            if folder is not None:
                raise Unavailable(f"the records cannot be checked: {explain_full_disk(folder)}") from None
            return [_make_damaged(db, str(error))]


def _check_records(db: Database) -> Iterator[IntegrityProblem]:
    """Check the database itself."""
    said = dict.fromkeys(str(line) for (line,) in db.rows("PRAGMA quick_check(100000)"))
    for line in [line for line in said if line != "ok" and not _is_false_alarm(db, line)][:20]:
        yield _make_damaged(db, line)


def _is_false_alarm(db: Database, line: str) -> bool:
    """True for a problem that SQLite 3.40 reports wrongly.

    It sees NULLs in tables without row ids whose key orders their columns differently.
    """
    match = re.fullmatch(r"NULL value in (\w+)\.(\w+)", line)
    return match is not None and not db.value(f"SELECT count(*) FROM {match[1]} WHERE {match[2]} IS NULL")


def _make_damaged(db: Database, said: str) -> IntegrityProblem:
    return IntegrityProblem(
        "records", str(db.path), f"it is damaged: {said}", "stop the server and restore it from a backup"
    )


def _check_disk(service: ServerContext, full: bool) -> Iterator[IntegrityProblem]:
    home, store = service.home, service.data.snapshots
    since = min(service.started, home.path("server.json").stat().st_mtime)  # by the clock of the disk's own machine
    yield from soundness.check_permissions([home.root, *(path for path in home.root.iterdir() if _is_private(path))])
    yield from soundness.check_snapshots(store, full)
    datastores = [*home.path("workspaces").glob("*/datastores/*")]
    yield from soundness.check_left_overs(store, home.path("cache"), datastores, since)
    yield from soundness.check_fetched(service.data.remote)
    for name, folder in service.engine.context.registries.own_folders.items():
        if Path(folder).is_dir():
            yield from soundness.check_registry(Path(folder))
        else:
            advice = f"mount it, or forget the registry: smalt registry delete --name {name}"
            yield IntegrityProblem("registry", name, f"its folder {folder} is not there", advice)


def _is_private(path: Path) -> bool:
    return path.name.startswith(("token", "secret", "smalt.db")) or path.suffix in (".key", ".pem")


def _check_job_folders(service: ServerContext, db: Database) -> Iterator[IntegrityProblem]:
    """Find working folders, older than this server, of jobs without records; a retry's folder is NAME.2.

    After a backup was restored they may be all that is left of those jobs.
    """
    for workspace in workspaces.list_workspaces(db):
        known = {name for (name,) in db.rows("SELECT name FROM jobs WHERE workspace_id=?", (workspace.id,))}
        jobs = service.home.path("workspaces", workspace.folder, "jobs")
        lost = [
            path
            for path in sorted(jobs.glob("[!.]*"))
            if path.name.partition(".")[0] not in known and path.lstat().st_mtime < service.started
        ]
        if lost:
            problem = f"it has the folders of {len(lost)} jobs that are not in the records, {lost[0].name} for one"
            yield IntegrityProblem(
                "job folder", str(jobs), problem, "keep what you want of them, and remove them: smalt prune"
            )


def _check_code(service: ServerContext, db: Database) -> Iterator[IntegrityProblem]:
    """Check that the code of components and unfinished jobs is stored; code of ended jobs is pruned in time."""
    for hash, user in sorted(find_wanted_code(db).items()):
        if not service.data.snapshots.has(hash):
            again = "register it again" if user.startswith("component") else "cancel it and submit it again"
            yield IntegrityProblem("code", user, f"its code, snapshot {hash[:12]}, is not in the store", again)


def _check_assets(service: ServerContext, db: Database, full: bool) -> Iterator[IntegrityProblem]:
    """Find data and models whose content is missing or, if `full`, changed."""
    for workspace in workspaces.list_workspaces(db):
        for kind, key in _URIS.items():
            for container in assets.list_containers(db, workspace.id, kind, "All"):
                for one in assets.list_versions(db, workspace.id, kind, container.name):
                    uri = one.properties.get(key)
                    what = f"{kind.removesuffix('s')} {one.name}:{one.version} of workspace {workspace.name}"
                    problem = _find_content_problem(service, db, workspace, uri, full) if isinstance(uri, str) else None
                    if problem:
                        advice = "put it back, or archive this version and register another one"
                        yield IntegrityProblem("asset", what, problem, advice)


def _find_content_problem(
    service: ServerContext, db: Database, workspace: Workspace, uri: str, full: bool
) -> str | None:
    try:
        place = service.data.resolve(uri, workspace)
    except SmaltError as error:
        return str(error)
    if place.path is None:
        return None  # on the network
    if not place.exists:
        return f"its content, {uri}, is not there"
    if full and is_changed(db, service.engine.context.root, str(place.path)):
        return f"its content, {place.path}, is not what was registered"
    return None


ROUTES = [("POST", "/smalt/v1/doctor", check_home)]
