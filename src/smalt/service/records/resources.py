"""Named resources without versions: computes, datastores, schedules, endpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smalt.service.records import workspaces
from smalt.service.records.database import Database

_COLUMNS = "id, kind, name, body, created_by, created_at, modified_at"


@dataclass(frozen=True)
class ResourceRecord:
    id: int
    kind: str
    name: str
    body: str
    created_by: str
    created_at: float
    modified_at: float

    @property
    def content(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


def put_resource(db: Database, workspace_id: int, kind: str, name: str, body: dict[str, Any], principal: str) -> None:
    now = time.time()
    workspaces.refuse_deleted(db, workspace_id)
    _count_change(db, kind)
    db.execute(
        "INSERT INTO resources (workspace_id, kind, name, body, created_by, created_at, modified_at)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT (workspace_id, kind, name)"
        " DO UPDATE SET body=excluded.body, modified_at=excluded.modified_at",
        (workspace_id, kind, name, json.dumps(body), principal, now, now),
    )


def get_resource(db: Database, workspace_id: int, kind: str, name: str) -> ResourceRecord | None:
    """Return a resource by its name, which compares without case, as in the service."""
    row = db.row(
        f"SELECT {_COLUMNS} FROM resources WHERE workspace_id=? AND kind=? AND name=? COLLATE NOCASE",
        (workspace_id, kind, name),
    )
    return ResourceRecord(*row) if row else None


def find_by_id(db: Database, id: int) -> tuple[int, ResourceRecord] | None:
    """Return a resource with the id of its workspace."""
    row = db.row(f"SELECT workspace_id, {_COLUMNS} FROM resources WHERE id=?", (id,))
    return (int(row[0]), ResourceRecord(*row[1:])) if row else None


def list_resources(db: Database, workspace_id: int, kind: str) -> list[ResourceRecord]:
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM resources WHERE workspace_id=? AND kind=? ORDER BY name",
        (workspace_id, kind),
    )
    return [ResourceRecord(*row) for row in rows]


def list_deployments(db: Database, workspace_id: int, endpoints: str) -> list[ResourceRecord]:
    """Return the deployments of all endpoints of a kind, the oldest first."""
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM resources WHERE workspace_id=? AND kind LIKE ? ORDER BY created_at, id",
        (workspace_id, f"{endpoints}/%/deployments"),
    )
    return [ResourceRecord(*row) for row in rows]


def remove_resource(db: Database, workspace_id: int, kind: str, name: str) -> bool:
    """Remove a resource; return False if there was none."""
    _count_change(db, kind)
    gone = db.execute(
        "DELETE FROM resources WHERE workspace_id=? AND kind=? AND name=? COLLATE NOCASE",
        (workspace_id, kind, name),
    )
    return gone.rowcount > 0


def _count_change(db: Database, kind: str) -> None:
    if kind == "datastores":
        db.contents_changed += 1


def update_property(db: Database, kind: str, name: str, change: Callable[[str], str]) -> int:
    """Change a property of all resources of the kind that have it, in all workspaces; return their number."""
    count = 0
    for id, text in db.rows("SELECT id, body FROM resources WHERE kind=?", (kind,)):
        body = json.loads(text)
        if name in (body.get("properties") or {}):
            body["properties"][name] = change(str(body["properties"][name]))
            db.execute("UPDATE resources SET body=? WHERE id=?", (json.dumps(body), id))
            count += 1
    return count
