"""Workspaces: every other row belongs to one."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from smalt.service.records import jobs
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


def find(db: Database, subscription: str, resource_group: str, name: str) -> Workspace | None:
    """Return the workspace of that name, if there is one; names compare without case."""
    found = db.row(f"SELECT {_COLUMNS} FROM workspaces WHERE key=?", (_key(subscription, resource_group, name),))
    return Workspace(*found) if found else None


def provide(db: Database, subscription: str, resource_group: str, name: str, principal: str) -> Workspace:
    """Return the workspace of that name, made if it does not exist."""
    found = find(db, subscription, resource_group, name)
    if found:
        return found
    key = _key(subscription, resource_group, name)
    with db.transaction():
        values = (key, subscription, resource_group, name, _folder(db, name), principal, time.time())
        db.execute(
            "INSERT INTO workspaces (key, subscription, resource_group, name, folder, created_by, created_at)"
            " VALUES (?,?,?,?,?,?,?)",
            values,
        )
    return Workspace(*db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE key=?", (key,))[0])


def delete(db: Database, workspace: Workspace) -> None:
    """Forget a workspace and every row of it.

    Its own row stays under a key that names nothing, so that no later workspace gets its id or its folder.
    """
    own_jobs = "(SELECT id FROM jobs WHERE workspace_id=?)"
    with db.transaction():
        jobs.keep_last_id(db)
        db.execute("UPDATE workspaces SET key=?, body='{}' WHERE id=?", (f"{_DELETED}{workspace.id}", workspace.id))
        for table in ("job_bodies", "job_needs", "usage"):
            db.execute(f"DELETE FROM {table} WHERE job_id IN {own_jobs}", (workspace.id,))
        for table in _tables_of_workspaces(db):
            db.execute(f"DELETE FROM {table} WHERE workspace_id=?", (workspace.id,))


def deleted(db: Database) -> list[Workspace]:
    """Return the workspaces that were deleted, whose folders may still be there."""
    return [Workspace(*row) for row in db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE key GLOB '{_DELETED}*'")]


def _tables_of_workspaces(db: Database) -> list[str]:
    """Return the tables whose rows belong to a workspace; that of jobs is the last, as others are found by it."""
    rows = db.rows(
        "SELECT DISTINCT m.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type='table' AND c.name='workspace_id' ORDER BY m.name='jobs', m.name"
    )
    return [str(name) for (name,) in rows]


def by_id(db: Database, id: int) -> Workspace:
    return Workspace(*db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE id=?", (id,))[0])


def every(db: Database) -> list[Workspace]:
    rows = db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE key NOT GLOB '{_DELETED}*' ORDER BY id")
    return [Workspace(*row) for row in rows]


def job_counts(db: Database) -> dict[int, tuple[int, float]]:
    """Return how many top jobs each workspace has that are not archived, and when the last of them was created."""
    rows = db.rows(
        "SELECT workspace_id, count(*), max(created_at) FROM jobs WHERE parent_id IS NULL AND is_archived=0 GROUP BY 1"
    )
    return {id: (count, last) for id, count, last in rows}


def update(db: Database, id: int, body: str) -> None:
    db.execute("UPDATE workspaces SET body=? WHERE id=?", (body, id))


def _key(*names: str) -> str:
    return "/".join(names).lower()


def _folder(db: Database, name: str) -> str:
    base = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-") or "workspace"
    folder, number = base, 1
    while db.value("SELECT 1 FROM workspaces WHERE folder=?", (folder,)):
        number += 1
        folder = f"{base}-{number}"
    return folder
