"""Workspaces: every other row belongs to one."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from smalt.service.records.database import Database

_COLUMNS = "id, subscription, resource_group, name, folder, body, created_by, created_at"


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


def provide(db: Database, subscription: str, resource_group: str, name: str, principal: str) -> Workspace:
    """The workspace of that name, made if it does not exist; names compare without case."""
    key = "/".join((subscription, resource_group, name)).lower()
    found = db.row(f"SELECT {_COLUMNS} FROM workspaces WHERE key=?", (key,))
    if found:
        return Workspace(*found)
    with db.transaction():
        values = (key, subscription, resource_group, name, _folder(db, name), principal, time.time())
        db.execute(
            "INSERT INTO workspaces (key, subscription, resource_group, name, folder, created_by, created_at)"
            " VALUES (?,?,?,?,?,?,?)",
            values,
        )
    return Workspace(*db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE key=?", (key,))[0])


def by_id(db: Database, id: int) -> Workspace:
    return Workspace(*db.rows(f"SELECT {_COLUMNS} FROM workspaces WHERE id=?", (id,))[0])


def every(db: Database) -> list[Workspace]:
    return [Workspace(*row) for row in db.rows(f"SELECT {_COLUMNS} FROM workspaces ORDER BY id")]


def update(db: Database, id: int, body: str) -> None:
    db.execute("UPDATE workspaces SET body=? WHERE id=?", (body, id))


def _folder(db: Database, name: str) -> str:
    base = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-") or "workspace"
    folder, number = base, 1
    while db.value("SELECT 1 FROM workspaces WHERE folder=?", (folder,)):
        number += 1
        folder = f"{base}-{number}"
    return folder
