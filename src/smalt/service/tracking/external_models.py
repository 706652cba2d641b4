"""Registered models whose files lie outside MLflow's artifacts: its clients read them at `models/NAME/VERSION/…`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, JSONResponse, Response

from smalt.exceptions import NotFound, RefusedError
from smalt.machine.home import Home
from smalt.service.data import DataAccess
from smalt.service.data.files.path_containment import resolve_inside
from smalt.service.records import assets
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.model_sync import EXTERNAL_FOLDER


class ExternalModels:
    """Answers requests for the files of such models."""

    def __init__(self, home: Home, db: Database, data: DataAccess) -> None:
        self._workspaces = home.path("workspaces")
        self._db = db
        self._data = data

    async def list_files(self, workspace: Workspace, path: str) -> Response:
        """Answer a request for the list of the artifact folder `path`; a model that is one file is a folder with it."""
        root, below = await self._find_files(workspace, path.strip("/").split("/"))
        items = await asyncio.to_thread(_list_items, root, below)
        return JSONResponse({"files": items})

    async def get_file(self, workspace: Workspace, segments: Sequence[str]) -> Response:
        root, below = await self._find_files(workspace, segments)
        found = root if root.is_file() and below == root.name else resolve_inside(root, below)
        if not found.is_file():
            raise NotFound(f"there is no file {'/'.join(segments)[:300]}")
        return FileResponse(found, headers={"content-security-policy": "sandbox"})

    async def _find_files(self, workspace: Workspace, segments: Sequence[str]) -> tuple[Path, str]:
        """Return the path of the model's files on this machine, and the requested path below it."""
        if len(segments) < 3 or segments[0] != EXTERNAL_FOLDER:
            raise NotFound(f"there is no artifact {'/'.join(segments)[:300]}")
        name, version = segments[1], segments[2]
        found = assets.find_version(self._db, workspace.id, "models", name, version, None)
        uri = str(found.properties.get("modelUri") or "")
        if not uri:
            raise RefusedError(f"model '{name}:{version}' has no files")
        location = self._data.resolve(uri, workspace)
        if location.path is not None and self._is_of_another(location.path, workspace):
            raise RefusedError(f"the files of model '{name}:{version}' are another workspace's; ask for them there")
        return await self._data.fetch(location), "/".join(segments[3:])

    def _is_of_another(self, path: Path, workspace: Workspace) -> bool:
        """True if the path is another workspace's: a token is valid for one workspace, whatever a model's path
        names."""
        top, real = os.path.realpath(self._workspaces), os.path.realpath(path)
        return real.startswith(f"{top}/") and not real.startswith(f"{top}/{workspace.folder}/")


def _list_items(root: Path, below: str) -> list[dict[str, Any]]:
    if root.is_file():
        return [] if below else [{"path": root.name, "is_dir": False, "file_size": root.stat().st_size}]
    folder = resolve_inside(root, below)
    if not folder.is_dir():
        return []
    found = []
    for entry in sorted(folder.iterdir()):
        size = {} if entry.is_dir() else {"file_size": entry.stat().st_size}
        found.append({"path": entry.name, "is_dir": entry.is_dir(), **size})
    return found
