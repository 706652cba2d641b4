"""Versions of secrets; their values are sealed before they come here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smalt.service.records import workspaces
from smalt.service.records.database import Database

_COLUMNS = "id, workspace_id, name, version, sealed, body, created_at, modified_at, deleted_at"


@dataclass(frozen=True)
class Secret:
    id: int
    workspace_id: int
    name: str
    version: str
    sealed: str
    body: str
    created_at: float
    modified_at: float
    deleted_at: float | None

    @property
    def content(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


def add_secret(
    db: Database, workspace_id: int, name: str, version: str, sealed: str, body: dict[str, Any], principal: str
) -> None:
    now = time.time()
    workspaces.refuse_deleted(db, workspace_id)
    db.execute(
        "INSERT INTO secrets (workspace_id, name, version, sealed, body, created_by, created_at, modified_at)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (workspace_id, name, version, sealed, json.dumps(body), principal, now, now),
    )


def get_secret(
    db: Database, workspace_id: int, name: str, version: str = "", *, deleted: bool = False
) -> Secret | None:
    """Return a version of a secret, the newest if none is named."""
    which = " AND version=?" if version else ""
    row = db.row(
        f"SELECT {_COLUMNS} FROM secrets WHERE workspace_id=? AND name=? AND (deleted_at IS NOT NULL)=?{which}"
        " ORDER BY id DESC LIMIT 1",
        (workspace_id, name, int(deleted), *([version] if version else [])),
    )
    return Secret(*row) if row else None


def list_newest(db: Database, workspace_id: int, *, deleted: bool = False) -> list[Secret]:
    """Return the newest version of each secret, by name."""
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM secrets WHERE id IN (SELECT max(id) FROM secrets WHERE workspace_id=?"
        " AND (deleted_at IS NOT NULL)=? GROUP BY name) ORDER BY name",
        (workspace_id, int(deleted)),
    )
    return [Secret(*row) for row in rows]


def list_versions(db: Database, workspace_id: int, name: str) -> list[Secret]:
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM secrets WHERE workspace_id=? AND name=? AND deleted_at IS NULL ORDER BY id",
        (workspace_id, name),
    )
    return [Secret(*row) for row in rows]


def list_secrets(db: Database, workspace_id: int) -> list[Secret]:
    """Return every version of every secret, deleted ones included."""
    rows = db.rows(f"SELECT {_COLUMNS} FROM secrets WHERE workspace_id=? ORDER BY id", (workspace_id,))
    return [Secret(*row) for row in rows]


def reseal(db: Database, change: Callable[[str], str]) -> int:
    """Replace every value, in all workspaces, by what `change` makes of it; return their number."""
    rows = db.rows("SELECT id, sealed FROM secrets")
    for id, sealed in rows:
        db.execute("UPDATE secrets SET sealed=? WHERE id=?", (change(sealed), id))
    return len(rows)


def has_any(db: Database) -> bool:
    return db.row("SELECT 1 FROM secrets LIMIT 1", ()) is not None


def update_secret(db: Database, id: int, body: dict[str, Any]) -> None:
    db.execute("UPDATE secrets SET body=?, modified_at=? WHERE id=?", (json.dumps(body), time.time(), id))


def mark_deleted(db: Database, workspace_id: int, name: str, when: float | None) -> None:
    """Mark all versions of a secret as deleted; a `when` of None recovers them."""
    db.execute("UPDATE secrets SET deleted_at=? WHERE workspace_id=? AND name=?", (when, workspace_id, name))


def purge(db: Database, workspace_id: int, name: str) -> None:
    db.execute("DELETE FROM secrets WHERE workspace_id=? AND name=? AND deleted_at IS NOT NULL", (workspace_id, name))
