"""Versioned assets: components, environments, data, models, codes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smalt.exceptions import NotFound
from smalt.service.records import workspaces
from smalt.service.records.database import Database

_VERSION = (
    "v.id, a.kind, a.name, v.version, v.body, v.content_hash, v.is_archived, a.is_anonymous, v.created_by,"
    " v.created_at, v.modified_at"
)
_JOIN = "asset_versions v JOIN assets a ON a.id=v.asset_id"
ALIASES = "aliases"
_VIEWS = {"ActiveOnly": (0,), "ArchivedOnly": (1,), "All": (0, 1)}


@dataclass(frozen=True)
class AssetVersion:
    """A version of an asset; `body` is its REST properties as JSON."""

    id: int
    kind: str
    name: str
    version: str
    body: str
    content_hash: str | None
    is_archived: int
    is_anonymous: int
    created_by: str
    created_at: float
    modified_at: float

    @property
    def properties(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


@dataclass(frozen=True)
class AssetContainer:
    """An asset as a whole, which holds its versions."""

    id: int
    kind: str
    name: str
    body: str
    is_archived: int
    is_anonymous: int
    created_by: str
    created_at: float
    latest_version: str | None
    next_version: str


def put_version(
    db: Database,
    workspace_id: int,
    kind: str,
    name: str,
    version: str,
    properties: dict[str, Any],
    principal: str,
    content_hash: str | None = None,
) -> None:
    """Create or replace a version, and its container if it does not exist."""
    now = time.time()
    anonymous = int(bool(properties.get("isAnonymous")))
    archived = int(bool(properties.get("isArchived")))
    with db.transaction():
        asset_id = _ensure_container(db, workspace_id, kind, name, anonymous, principal, now)
        db.contents_changed += 1
        db.execute(
            "INSERT INTO asset_versions (workspace_id, asset_id, version, body, content_hash, is_archived,"
            " created_by, created_at, modified_at) VALUES (?,?,?,?,?,?,?,?,?)"
            " ON CONFLICT (asset_id, version) DO UPDATE SET body=excluded.body, is_archived=excluded.is_archived,"
            " content_hash=coalesce(excluded.content_hash, content_hash), modified_at=excluded.modified_at",
            (
                workspace_id,
                asset_id,
                version,
                json.dumps(properties),
                content_hash,
                archived,
                principal,
                now,
                now,
            ),
        )


def get_version(db: Database, workspace_id: int, kind: str, name: str, version: str) -> AssetVersion | None:
    row = db.row(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind=? AND a.name=? AND v.version=?",
        (workspace_id, kind, name, version),
    )
    return AssetVersion(*row) if row else None


def list_versions_of_kinds(db: Database, workspace_id: int, kinds: tuple[str, ...]) -> list[AssetVersion]:
    """Return every version of the kinds, archived ones included."""
    marks = ",".join("?" * len(kinds))
    rows = db.rows(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind IN ({marks})", (workspace_id, *kinds)
    )
    return [AssetVersion(*row) for row in rows]


def get_contents_state(db: Database) -> tuple[Any, ...]:
    """Return a value that changes whenever a version is created or changed (except by `move_version`), or a
    datastore is.
    """
    return (db.contents_changed,)


def read_last_changes(db: Database) -> tuple[Any, Any]:
    """Return (count, highest id, last change) of all versions, and the same of all datastores; reads every row."""
    return (
        db.row("SELECT count(*), max(id), max(modified_at) FROM asset_versions"),
        db.row("SELECT count(*), max(id), max(modified_at) FROM resources WHERE kind='datastores'"),
    )


def move_version(db: Database, version: AssetVersion, properties: dict[str, Any]) -> None:
    """Record the new location of a version whose content was moved."""
    with db.transaction():
        db.execute("UPDATE asset_versions SET body=? WHERE id=?", (json.dumps(properties), version.id))


def find_latest(db: Database, workspace_id: int, kind: str, name: str) -> AssetVersion | None:
    """Return the newest version that is not archived; None if there is none, or the asset as a whole is archived."""
    row = db.row(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind=? AND a.name=? AND v.is_archived=0"
        " AND a.is_archived=0 ORDER BY v.created_at DESC, v.id DESC LIMIT 1",
        (workspace_id, kind, name),
    )
    return AssetVersion(*row) if row else None


def find_labelled(db: Database, workspace_id: int, kind: str, name: str, label: str) -> AssetVersion | None:
    """Return the version with a label: `latest`, which every asset has, or one of MLflow's aliases of a model."""
    if label in ("latest", "default"):
        return find_latest(db, workspace_id, kind, name)
    if kind != "models":
        return None
    return next(
        (one for one in _list_by_change(db, workspace_id, kind, name) if label in list_aliases(one.properties)), None
    )


def find_staged(db: Database, workspace_id: int, name: str, stage: str) -> AssetVersion | None:
    """Return the newest version of a model in one of MLflow's stages."""
    found = list_versions(db, workspace_id, "models", name)
    return next((one for one in found if str(one.properties.get("stage") or "None") == stage), None)


def resolve_version(
    db: Database, workspace_id: int, kind: str, name: str, *, label: str | None = None, stage: str | None = None
) -> AssetVersion | None:
    """Return the version that a reference without a version resolves to now."""
    if stage:
        return find_staged(db, workspace_id, name, stage)
    return find_labelled(db, workspace_id, kind, name, label or "latest")


def list_aliases(properties: dict[str, Any]) -> list[str]:
    """Return the aliases of a model version: its property `aliases`, separated by commas."""
    text = (properties.get("properties") or {}).get(ALIASES) or ""
    return [alias for alias in (part.strip() for part in str(text).split(",")) if alias]


def _list_by_change(db: Database, workspace_id: int, kind: str, name: str) -> list[AssetVersion]:
    """Return the versions that are not archived, last changed first: the later of two that claim an alias has it."""
    found = list_versions(db, workspace_id, kind, name)
    return sorted(found, key=lambda one: (one.modified_at, one.id), reverse=True)


def find_version(
    db: Database, workspace_id: int, kind: str, name: str, version: str | None, label: str | None
) -> AssetVersion:
    """Return the version that `name:version`, `name@label` or a bare name refers to; NotFound lists the existing
    ones.
    """
    found = get_version(db, workspace_id, kind, name, version) if version else None
    if version is None:
        found = find_labelled(db, workspace_id, kind, name, label or "latest")
    if found:
        return found
    noun = {"codes": "code", "data": "data asset"}.get(kind, kind.removesuffix("s"))
    there = [v.version for v in list_versions(db, workspace_id, kind, name, "All")][:5]
    wanted = f"{name}:{version}" if version else f"{name}@{label or 'latest'}"
    whole = find_container(db, workspace_id, kind, name)
    if version is None and whole is not None and whole.is_archived:
        raise NotFound(
            f"there is no {noun} '{wanted}' in this workspace, as {noun} '{name}' is archived; restore it with "
            f"'smalt {noun.split()[0]} restore --name {name}', or name a version: {', '.join(there)}"
        )
    hint = f"; {describe_versions(there)}" if there else f"; create it with 'smalt {noun.split()[0]} create'"
    raise NotFound(f"there is no {noun} '{wanted}' in this workspace{hint}")


def list_bodies(db: Database, since: tuple[Any, ...] | None = None) -> list[tuple[int, int, float, str]]:
    """Return (id, workspace, time of last change, properties as JSON) of every version in the home, archived or
    not.

    With `since`, the first part of earlier `read_last_changes`, return only those created or changed since
    then.
    """
    _, last, moment = since or (0, 0, 0.0)
    rows = db.rows(
        "SELECT id, workspace_id, modified_at, body FROM asset_versions WHERE id>? OR modified_at>=?",
        (last or 0, moment or 0.0),
    )
    return [(id, workspace_id, modified_at, body) for id, workspace_id, modified_at, body in rows]


def find_bodies_containing(db: Database, text: str, besides: int) -> list[tuple[int, str]]:
    """Return (id, properties as JSON) of the versions, of all workspaces but one, whose properties contain a text."""
    rows = db.rows(
        "SELECT id, body FROM asset_versions WHERE workspace_id<>? AND body LIKE ? ORDER BY id", (besides, f"%{text}%")
    )
    return [(id, body) for id, body in rows]


def describe_version(db: Database, id: int) -> str:
    """Return the words by which an error sentence names a version of another workspace."""
    [(kind, name, version, workspace)] = db.rows(
        f"SELECT a.kind, a.name, v.version, w.name FROM {_JOIN} JOIN workspaces w ON w.id=v.workspace_id WHERE v.id=?",
        (id,),
    )
    return f"{kind.removesuffix('s')} '{name}:{version}' of workspace '{workspace}'"


def find_code(db: Database, workspace_id: int, hash: str) -> AssetVersion | None:
    """Return code by its content id, or by the hash that the uploading client gave it."""
    row = db.row(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE v.workspace_id=? AND a.kind='codes'"
        " AND (v.content_hash=? OR json_extract(v.body, '$.properties.hash_sha256')=?) LIMIT 1",
        (workspace_id, hash, hash),
    )
    return AssetVersion(*row) if row else None


def list_states(db: Database, workspace_id: int, kind: str) -> list[tuple[Any, ...]]:
    """Return rows that differ whenever any asset of the kind differs."""
    return db.rows(
        "SELECT a.name, a.body, a.is_archived, v.version, v.modified_at, v.is_archived,"
        " json_extract(v.body, '$.modelUri') FROM assets a"
        " LEFT JOIN asset_versions v ON v.asset_id=a.id WHERE a.workspace_id=? AND a.kind=? AND a.is_anonymous=0"
        " ORDER BY a.id, v.id",
        (workspace_id, kind),
    )


def list_versions(
    db: Database, workspace_id: int, kind: str, name: str, view: str = "ActiveOnly"
) -> list[AssetVersion]:
    """Return the versions, newest first. An asset that is archived as a whole has archived versions only."""
    archived = _VIEWS.get(view, (0,))
    rows = db.rows(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind=? AND a.name=?"
        f" AND max(v.is_archived, a.is_archived) IN ({','.join('?' * len(archived))})"
        " ORDER BY v.created_at DESC, v.id DESC",
        (workspace_id, kind, name, *archived),
    )
    return [AssetVersion(*row) for row in rows]


def list_containers(db: Database, workspace_id: int, kind: str, view: str = "ActiveOnly") -> list[AssetContainer]:
    """Return the assets that are not anonymous, by name."""
    archived = _VIEWS.get(view, (0,))
    rows = db.rows(
        "SELECT name FROM assets WHERE workspace_id=? AND kind=? AND is_anonymous=0"
        f" AND is_archived IN ({','.join('?' * len(archived))}) ORDER BY name",
        (workspace_id, kind, *archived),
    )
    found = (find_container(db, workspace_id, kind, name) for (name,) in rows)
    return [one for one in found if one]


def find_container(db: Database, workspace_id: int, kind: str, name: str) -> AssetContainer | None:
    row = db.row(
        "SELECT id, kind, name, body, is_archived, is_anonymous, created_by, created_at FROM assets"
        " WHERE workspace_id=? AND kind=? AND name=?",
        (workspace_id, kind, name),
    )
    if row is None:
        return None
    newest = find_latest(db, workspace_id, kind, name)
    values = (*row, newest.version if newest else None, _next_version(db, int(row[0])))
    return AssetContainer(*values)


def put_container(
    db: Database, workspace_id: int, kind: str, name: str, properties: dict[str, Any], principal: str
) -> None:
    """Archive, restore or describe an asset as a whole."""
    with db.transaction():
        id = _ensure_container(db, workspace_id, kind, name, 0, principal, time.time())
        archived = int(bool(properties.get("isArchived")))
        db.execute("UPDATE assets SET body=?, is_archived=? WHERE id=?", (json.dumps(properties), archived, id))


def _ensure_container(
    db: Database, workspace_id: int, kind: str, name: str, anonymous: int, principal: str, now: float
) -> int:
    key = (workspace_id, kind, name)
    found = db.value("SELECT id FROM assets WHERE workspace_id=? AND kind=? AND name=?", key)
    if found is not None:
        return int(found)
    workspaces.refuse_deleted(db, workspace_id)
    return db.insert(
        "INSERT INTO assets (workspace_id, kind, name, is_anonymous, created_by, created_at) VALUES (?,?,?,?,?,?)",
        (*key, anonymous, principal, now),
    )


def _next_version(db: Database, asset_id: int) -> str:
    numbers = [
        int(v) for (v,) in db.rows("SELECT version FROM asset_versions WHERE asset_id=?", (asset_id,)) if v.isdecimal()
    ]
    return str(max(numbers, default=0) + 1)


def describe_versions(versions: Sequence[str]) -> str:
    """Return the words by which an error sentence lists the existing versions."""
    return f"its only version is {versions[0]}" if len(versions) == 1 else f"its versions are {', '.join(versions)}"


def has_code(db: Database, workspace_id: int, content_hash: str) -> bool:
    """True if the workspace has a version of a code with this content."""
    found = db.row(
        "SELECT 1 FROM asset_versions v JOIN assets a ON a.id=v.asset_id WHERE v.workspace_id=? AND v.content_hash=?"
        " AND a.kind='codes'",
        (workspace_id, content_hash),
    )
    return found is not None
