"""Access tokens; only their hashes are kept."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from smalt.service.records import workspaces
from smalt.service.records.database import Database


@dataclass(frozen=True)
class Token:
    id: int
    workspace_id: int | None
    principal: str
    scope: str
    expires_at: float | None


def add_token(
    db: Database,
    token: str,
    principal: str,
    *,
    scope: str = "all",
    expires_at: float | None = None,
    workspace_id: int | None = None,
    created_by: str = "server",
) -> None:
    """Make `token` valid for `scope`; adding it again changes nothing."""
    if workspace_id is not None:
        workspaces.refuse_deleted(db, workspace_id)
    db.execute(
        "INSERT OR IGNORE INTO tokens (workspace_id, hash, principal, scope, expires_at, created_by, created_at)"
        " VALUES (?,?,?,?,?,?,?)",
        (workspace_id, _hash_token(token), principal, scope, expires_at, created_by, time.time()),
    )


def find_token(db: Database, token: str) -> Token | None:
    """Return the principal and scope of a token; None if it is unknown or expired."""
    row = db.row(
        "SELECT id, workspace_id, principal, scope, expires_at FROM tokens"
        " WHERE hash=? AND (expires_at IS NULL OR expires_at>?)",
        (_hash_token(token), time.time()),
    )
    return Token(*row) if row else None


def remove_token(db: Database, token: str) -> None:
    db.execute("DELETE FROM tokens WHERE hash=?", (_hash_token(token),))


def remove_expired(db: Database, scope: str) -> None:
    db.execute("DELETE FROM tokens WHERE scope=? AND expires_at<?", (scope, time.time()))


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
