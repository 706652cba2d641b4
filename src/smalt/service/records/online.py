"""Online endpoints: keys, the revisions of deployments, and the processes that serve them."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from smalt.service.records.database import Database

CREATING, SUCCEEDED, FAILED = "Creating", "Succeeded", "Failed"
KEY_NAMES = ("Primary", "Secondary")

_REVISION = "id, workspace_id, endpoint, deployment, body, state, error, created_at, ended_at"


@dataclass(frozen=True)
class RevisionRecord:
    """One content of a deployment, complete in itself."""

    id: int
    workspace_id: int
    endpoint: str
    deployment: str
    body: str
    state: str
    error: str | None
    created_at: float
    ended_at: float | None

    @property
    def content(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


@dataclass(frozen=True)
class ReplicaRecord:
    id: int
    revision_id: int
    address: str
    folder: str


def add_revision(db: Database, workspace_id: int, endpoint: str, deployment: str, body: dict[str, Any]) -> int:
    """Add the revision that is to serve next and return its id."""
    cursor = db.execute(
        "INSERT INTO online_revisions (workspace_id, endpoint, deployment, body, state, created_at)"
        " VALUES (?,?,?,?,?,?)",
        (workspace_id, endpoint, deployment, json.dumps(body), CREATING, time.time()),
    )
    return int(cursor.lastrowid or 0)


def get_revision(db: Database, id: int) -> RevisionRecord | None:
    row = db.row(f"SELECT {_REVISION} FROM online_revisions WHERE id=?", (id,))
    return RevisionRecord(*row) if row else None


def list_revisions(db: Database) -> list[RevisionRecord]:
    """Return every revision, oldest first."""
    return [RevisionRecord(*row) for row in db.rows(f"SELECT {_REVISION} FROM online_revisions ORDER BY id")]


def find_newest_revision(db: Database, workspace_id: int, endpoint: str, deployment: str) -> RevisionRecord | None:
    row = db.row(
        f"SELECT {_REVISION} FROM online_revisions WHERE workspace_id=? AND endpoint=? AND deployment=?"
        " ORDER BY id DESC LIMIT 1",
        (workspace_id, endpoint, deployment),
    )
    return RevisionRecord(*row) if row else None


def set_environment(db: Database, id: int, declared_hash: str) -> None:
    db.execute("UPDATE online_revisions SET environment=? WHERE id=?", (declared_hash, id))


def list_environments(db: Database) -> set[str]:
    """Return the declared hashes of the environments of all revisions."""
    rows = db.rows("SELECT DISTINCT environment FROM online_revisions WHERE environment IS NOT NULL")
    return {str(declared_hash) for (declared_hash,) in rows}


def end_revision(db: Database, id: int, state: str, error: str | None) -> None:
    db.execute("UPDATE online_revisions SET state=?, error=?, ended_at=? WHERE id=?", (state, error, time.time(), id))


def remove_older_revisions(db: Database, revision: RevisionRecord) -> None:
    """Remove the revisions that one has replaced."""
    db.execute(
        "DELETE FROM online_revisions WHERE workspace_id=? AND endpoint=? AND deployment=? AND id<?"
        " AND id NOT IN (SELECT revision_id FROM online_replicas)",
        (revision.workspace_id, revision.endpoint, revision.deployment, revision.id),
    )


def remove_deployment(db: Database, workspace_id: int, endpoint: str, deployment: str) -> None:
    """Remove a deployment's revisions; the processes must be known to be stopped, or be stopped later by their ids."""
    db.execute(
        "DELETE FROM online_replicas WHERE revision_id IN (SELECT id FROM online_revisions"
        " WHERE workspace_id=? AND endpoint=? AND deployment=?)",
        (workspace_id, endpoint, deployment),
    )
    db.execute(
        "DELETE FROM online_revisions WHERE workspace_id=? AND endpoint=? AND deployment=?",
        (workspace_id, endpoint, deployment),
    )


def add_replica(db: Database, revision_id: int, folder: str, address: str) -> int:
    """Add a process and return its id; `{id}` in the folder and the address stands for it."""
    with db.transaction():
        cursor = db.execute(
            "INSERT INTO online_replicas (revision_id, address, folder, created_at) VALUES (?,?,?,?)",
            (revision_id, "", "", time.time()),
        )
        id = int(cursor.lastrowid or 0)
        db.execute(
            "UPDATE online_replicas SET address=?, folder=? WHERE id=?",
            (address.format(id=id), folder.format(id=id), id),
        )
    return id


def list_replicas(db: Database) -> list[ReplicaRecord]:
    return [ReplicaRecord(*row) for row in db.rows("SELECT id, revision_id, address, folder FROM online_replicas")]


def remove_replica(db: Database, id: int) -> None:
    db.execute("DELETE FROM online_replicas WHERE id=?", (id,))


def get_salts(db: Database, workspace_id: int, endpoint: str) -> dict[str, str]:
    """Return what the endpoint's keys are made of, by name; made when they are first asked for."""
    found = dict(
        db.rows("SELECT name, salt FROM online_keys WHERE workspace_id=? AND endpoint=?", (workspace_id, endpoint))
    )
    for name in KEY_NAMES:
        if name not in found:
            found[name] = put_salt(db, workspace_id, endpoint, name)
    return found


def put_salt(db: Database, workspace_id: int, endpoint: str, name: str) -> str:
    """Replace one of the endpoint's keys; return what the new one is made of."""
    salt = secrets.token_hex(16)
    db.execute(
        "INSERT INTO online_keys (workspace_id, endpoint, name, salt) VALUES (?,?,?,?)"
        " ON CONFLICT DO UPDATE SET salt=excluded.salt",
        (workspace_id, endpoint, name, salt),
    )
    return salt


def remove_keys(db: Database, workspace_id: int, endpoint: str) -> None:
    db.execute("DELETE FROM online_keys WHERE workspace_id=? AND endpoint=?", (workspace_id, endpoint))
