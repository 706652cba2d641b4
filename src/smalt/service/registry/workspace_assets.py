"""A workspace's assets and data as the registry's reader and writer use them, from any thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from smalt.exceptions import NotFound
from smalt.machine.home import Home
from smalt.service.data import DataAccess, Snapshot
from smalt.service.records import assets
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding import ids

Result = TypeVar("Result")
Properties = dict[str, Any]

FIRST = "1"


def _call_directly(question: Callable[..., Result], *arguments: Any) -> Result:
    return question(*arguments)


class WorkspaceAssets:
    """Looks up and registers assets of workspaces. Call it from any thread; `ask` runs a function on the records'
    thread."""

    def __init__(self, home: Home, db: Database, data: DataAccess, ask: Callable[..., Any] = _call_directly) -> None:
        self._home = home
        self.data = data
        self._db = db
        self._ask = ask

    def get_scratch_folder(self) -> Path:
        """Return a folder for temporary files on the disk of the stores."""
        folder = self._home.path("cache", "transfers")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def find_version(
        self, workspace: Workspace, kind: str, name: str, version: str | None, label: str | None
    ) -> assets.AssetVersion:
        found: assets.AssetVersion = self._ask(assets.find_version, self._db, workspace.id, kind, name, version, label)
        return found

    def put_anonymous(self, workspace: Workspace, kind: str, name: str, version: str, properties: Properties) -> str:
        """Register an asset without a name of its own and return its id."""
        body = {**properties, "isAnonymous": True}
        self._ask(_put_if_missing, self._db, workspace, kind, name, version, body, workspace.created_by)
        return ids.build_asset_id(_get_workspace_id(workspace), kind, name, version)

    def register_code(self, workspace: Workspace, snapshot: Snapshot) -> str:
        """Register a snapshot as code and return its id."""
        self._ask(register_code, self._db, workspace, snapshot, workspace.created_by)
        return ids.build_asset_id(_get_workspace_id(workspace), "codes", snapshot.hash, FIRST)

    def find_code_hash(self, workspace: Workspace, name: str, version: str | None) -> str:
        found = self.find_version(workspace, "codes", name, version, None)
        if found.content_hash is None:
            raise NotFound(f"code '{name}' was never uploaded; register the component again")
        return found.content_hash


def register_code(db: Database, workspace: Workspace, snapshot: Snapshot, principal: str) -> None:
    """Register a snapshot as code, named by the hash of its content so that equal code is stored once."""
    properties = {
        "codeUri": f"smalt://snapshots/{snapshot.hash}",
        "isAnonymous": True,
        "properties": {"hash_sha256": snapshot.hash},
    }
    _put_if_missing(db, workspace, "codes", snapshot.hash, FIRST, properties, principal, snapshot.hash)


def _put_if_missing(
    db: Database,
    workspace: Workspace,
    kind: str,
    name: str,
    version: str,
    properties: Properties,
    principal: str,
    hash: str | None = None,
) -> None:
    if assets.get_version(db, workspace.id, kind, name, version) is None:
        assets.put_version(db, workspace.id, kind, name, version, properties, principal, content_hash=hash)


def _get_workspace_id(workspace: Workspace) -> str:
    return ids.build_workspace_id(workspace.subscription, workspace.resource_group, workspace.name)
