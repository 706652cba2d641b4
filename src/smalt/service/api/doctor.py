"""POST /smalt/v1/doctor: whether the store is sound, and with `repair` it is made so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError, ValidationException
from smalt.service.api.call import Call
from smalt.service.api.prune import wanted_code
from smalt.service.api.service import Service
from smalt.service.data import soundness
from smalt.service.data.soundness import Trouble
from smalt.service.records import assets, workspaces
from smalt.service.records.workspaces import Workspace

_URIS = {"data": "dataUri", "models": "modelUri"}
_UPLOADED = re.compile(r"LocalUpload/(?P<digest>[0-9a-f]{64})/[^/]+/?")

Named = tuple[Workspace, str, str, str]
"""Workspace, kind, `name:version` and URI of an asset."""
Code = tuple[Workspace, str, str]
"""Workspace, name and content id."""


async def examine(call: Call) -> dict[str, Any]:
    """`full` reads the content of everything, too, which takes as long as reading the disk does."""
    body = await call.object()
    repair, full = body.get("repair", False), body.get("full", False)
    if not isinstance(repair, bool) or not isinstance(full, bool):
        raise ValidationException('"repair" and "full" must be true or false')
    service = call.service
    found = [*_records(service)]
    named, codes = _assets(service), _codes(service)
    folders = await asyncio.to_thread(_job_folders, service, _job_names(service))
    found += await asyncio.to_thread(lambda: [*_disk(service, full), *folders, *_lost(service, named, codes, full)])
    return {"sound": not found, "troubles": [await asyncio.to_thread(_told, one, repair) for one in found]}


def _told(trouble: Trouble, repair: bool) -> dict[str, Any]:
    repaired, advice = False, trouble.advice
    if repair and trouble.repair is not None:
        try:
            trouble.repair()
            repaired = True
        except (OSError, SmaltError) as error:
            advice = f"it could not be repaired: {error}"
    told = {"check": trouble.check, "what": trouble.what, "problem": trouble.problem, "advice": advice}
    return {**told, "repairable": trouble.repair is not None, "repaired": repaired}


def _records(service: Service) -> Iterator[Trouble]:
    """The database itself."""
    for (line,) in service.db.rows("PRAGMA quick_check(20)"):
        if line != "ok":
            yield Trouble("records", str(service.db.path), str(line), "restore it from a backup")
    orphans = service.db.value("SELECT count(*) FROM asset_versions WHERE asset_id NOT IN (SELECT id FROM assets)")
    if orphans:
        drop = "DELETE FROM asset_versions WHERE asset_id NOT IN (SELECT id FROM assets)"
        problem = f"{orphans} versions belong to no asset; nothing can name them"
        yield Trouble("records", str(service.db.path), problem, f"remove them with: sqlite3 … '{drop}'")


def _disk(service: Service, full: bool) -> Iterator[Trouble]:
    home, store = service.home, service.data.snapshots
    secret = [path for path in home.root.iterdir() if path.is_file() and not path.name.endswith((".log", ".lock"))]
    yield from soundness.permissions([home.root, *(path for path in secret if _is_private(path))])
    yield from soundness.snapshots(store, full)
    registries = [Path(folder) for folder in service.engine.rooms.registries.folders.values()]
    datastores = [*home.path("workspaces").glob("*/datastores")]
    yield from soundness.left_overs(store, datastores, registries, service.started)
    yield from soundness.fetched(service.data.remote, service.started)
    transfers = [path for path in home.path("cache", "transfers").glob("*") if path.stat().st_mtime < service.started]
    yield from soundness.leftover_folders(transfers, "a copy between workspaces was not finished")


def _is_private(path: Path) -> bool:
    return path.name.startswith(("token", "secret", "smalt.db")) or path.suffix in (".key", ".pem")


def _lost(service: Service, named: list[Named], codes: list[Code], full: bool) -> Iterator[Trouble]:
    """What the records name and the disk has not."""
    for workspace, name, hash in codes:
        if not service.data.snapshots.has(hash):
            problem = f"its snapshot is lost (workspace {workspace.name})"
            yield Trouble("code", name, problem, "submit the job, or register the component, again")
    for workspace, kind, name, uri in named:
        yield from _content(service, workspace, f"{kind} {name}", uri, full)


def _content(service: Service, workspace: Workspace, what: str, uri: str, full: bool) -> Iterator[Trouble]:
    advice = "put it back, or archive this version and register another one"
    try:
        place = service.data.resolve(uri, workspace)
    except SmaltError as error:
        yield Trouble("asset", what, str(error), advice)
        return
    if place.path is None:
        return  # on the network
    if not place.exists:
        yield Trouble("asset", what, f"its content, {uri}, is not there (workspace {workspace.name})", advice)
        return
    match = _UPLOADED.fullmatch(place.relative or "") if full else None
    if match and soundness.content_differs(service.data.snapshots, place.path, match["digest"]):
        problem = f"its content, {place.path}, is not what was registered (workspace {workspace.name})"
        yield Trouble("asset", what, problem, advice)


def _assets(service: Service) -> list[Named]:
    found = []
    for workspace in workspaces.every(service.db):
        for kind, key in _URIS.items():
            for container in assets.containers(service.db, workspace.id, kind, "All"):
                for one in assets.versions(service.db, workspace.id, kind, container.name):
                    uri = one.properties.get(key)
                    if isinstance(uri, str) and uri:
                        found.append((workspace, kind.removesuffix("s"), f"{one.name}:{one.version}", uri))
    return found


def _codes(service: Service) -> list[Code]:
    """Code that something may still run: what jobs that ended left is pruned in time."""
    wanted, found = wanted_code(service), []
    for workspace in workspaces.every(service.db):
        for hash in sorted(wanted):
            code = assets.code_by_hash(service.db, workspace.id, hash)
            if code is not None:
                found.append((workspace, code.name, hash))
    return found


def _job_names(service: Service) -> dict[str, set[str]]:
    return {
        one.folder: {name for (name,) in service.db.rows("SELECT name FROM jobs WHERE workspace_id=?", (one.id,))}
        for one in workspaces.every(service.db)
    }


def _job_folders(service: Service, names: dict[str, set[str]]) -> list[Trouble]:
    """Working folders, older than this server, of jobs that there are no records of; a retry's is NAME.2."""
    found: list[Trouble] = []
    for folder, known in names.items():
        jobs_folder = service.home.path("workspaces", folder, "jobs")
        lost = [
            path
            for path in jobs_folder.glob("[!.]*")
            if path.name.partition(".")[0] not in known and path.lstat().st_mtime < service.started
        ]
        found += soundness.leftover_folders(lost, "there is no such job")
    return found


ROUTES = [("POST", "/smalt/v1/doctor", examine)]
