"""Workspaces; every other row belongs to one."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from smalt.exceptions import NotFound
from smalt.service.records.database import Database

_COLUMNS = "id, subscription, resource_group, name, folder, body, created_by, created_at"
_DELETED = "deleted:"
"""Begins the key of a deleted workspace; no name has a colon."""


@dataclass(frozen=True)
class Workspace:
    id: int
    subscription: str
    resource_group: str
    name: str
    folder: str
    body: str
    created_by: str
    created_at: float


def find_workspace(db: Database, subscription: str, resource_group: str, name: str) -> Workspace | None:
    """Return the workspace of that name, if there is one; names compare without case."""
    found = db.row(f"SELECT {_COLUMNS} FROM workspaces WHERE key=?", (_make_key(subscription, resource_group, name),))
    return Workspace(*found) if found else None


def ensure_workspace(db: Database, subscription: str, resource_group: str, name: str, principal: str) -> Workspace:
    """Return the workspace of that name, created if it does not exist."""
    found = find_workspace(db, subscription, resource_group, name)
    if found:
        return found
    key = _make_key(subscription, resource_group, name)
    with db.transaction():
        values = (key, subscription, resource_group, name, _choose_folder(db, name), principal, time.time())
        db.execute(
            "INSERT INTO workspaces (key, subscription, resource_group, name, folder, created_by, created_at)"
            " VALUES (?,?,?,?,?,?,?)",
            values,
        )
    return Workspace(*db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE key=?", (key,))[0])


def mark_deleted(db: Database, workspace: Workspace) -> None:
    """Keep the row under a key that names nothing, so that no later workspace gets its id or its folder."""
    db.contents_changed += 1
    db.execute("UPDATE workspaces SET key=?, body='{}' WHERE id=?", (f"{_DELETED}{workspace.id}", workspace.id))


def refuse_deleted(db: Database, id: int) -> None:
    """Raise NotFound if a workspace was deleted while a request for it was under way; call before a row of it is
    added.
    """
    name = db.value(f"SELECT name FROM workspaces WHERE id=? AND key GLOB '{_DELETED}*'", (id,))
    if name is not None:
        raise NotFound(f"workspace '{name}' was deleted meanwhile, and nothing was stored; create it and try again")


def list_deleted(db: Database) -> list[Workspace]:
    """Return the workspaces that were deleted, whose folders may still be there."""
    return [Workspace(*row) for row in db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE key GLOB '{_DELETED}*'")]


def list_deleted_with_rows(db: Database) -> list[Workspace]:
    """Return the deleted workspaces to which an earlier smalt added rows after they were deleted."""
    holds = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE workspace_id=w.id)"
        for table in ("jobs", "assets", "resources", "secrets")
    )
    rows = db.rows(f"SELECT {_COLUMNS} FROM workspaces w WHERE key GLOB '{_DELETED}*' AND ({holds})")
    return [Workspace(*row) for row in rows]


def get_workspace(db: Database, id: int) -> Workspace:
    return Workspace(*db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE id=?", (id,))[0])


def list_workspaces(db: Database) -> list[Workspace]:
    rows = db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE key NOT GLOB '{_DELETED}*' ORDER BY id")
    return [Workspace(*row) for row in rows]


def count_jobs(db: Database) -> dict[int, tuple[int, float]]:
    """Return {workspace id: (number of top jobs that are not archived, creation time of the last of them)}."""
    rows = db.rows(
        "SELECT workspace_id, count(*), max(created_at) FROM jobs WHERE parent_id IS NULL AND is_archived=0 GROUP BY 1"
    )
    return {id: (count, last) for id, count, last in rows}


def update_workspace(db: Database, id: int, body: str) -> None:
    db.execute("UPDATE workspaces SET body=? WHERE id=?", (body, id))


def _make_key(*names: str) -> str:
    return "/".join(names).lower()


def _choose_folder(db: Database, name: str) -> str:
    base = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-") or "workspace"
    folder, number = base, 1
    while db.value("SELECT 1 FROM workspaces WHERE folder=?", (folder,)):
        number += 1
        folder = f"{base}-{number}"
    return folder
