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
class Version:
    """One version; `body` is JSON, the REST properties."""

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
class Container:
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


def put(
    db: Database,
    workspace_id: int,
    kind: str,
    name: str,
    version: str,
    properties: dict[str, Any],
    principal: str,
    content_hash: str | None = None,
) -> None:
    """Create or replace one version, and its container where absent."""
    now = time.time()
    anonymous = int(bool(properties.get("isAnonymous")))
    archived = int(bool(properties.get("isArchived")))
    with db.transaction():
        asset_id = _container_id(db, workspace_id, kind, name, anonymous, principal, now)
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


def get(db: Database, workspace_id: int, kind: str, name: str, version: str) -> Version | None:
    row = db.row(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind=? AND a.name=? AND v.version=?",
        (workspace_id, kind, name, version),
    )
    return Version(*row) if row else None


def with_content(db: Database, workspace_id: int, kinds: tuple[str, ...]) -> list[Version]:
    """Every version of the kinds, archived ones too."""
    marks = ",".join("?" * len(kinds))
    rows = db.rows(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind IN ({marks})", (workspace_id, *kinds)
    )
    return [Version(*row) for row in rows]


def state_of_contents(db: Database) -> tuple[Any, ...]:
    """Return what differs when a version was made or changed, but for `move`, or a datastore was."""
    return (db.contents_changed,)


def last_changes(db: Database) -> tuple[Any, Any]:
    """Return the number, highest id and last change of all versions, and those of all datastores; reads every row."""
    return (
        db.row("SELECT count(*), max(id), max(modified_at) FROM asset_versions"),
        db.row("SELECT count(*), max(id), max(modified_at) FROM resources WHERE kind='datastores'"),
    )


def move(db: Database, version: Version, properties: dict[str, Any]) -> None:
    """Note that the same content of a version is at another place."""
    with db.transaction():
        db.execute("UPDATE asset_versions SET body=? WHERE id=?", (json.dumps(properties), version.id))


def latest(db: Database, workspace_id: int, kind: str, name: str) -> Version | None:
    """The version made last among those not archived; none of an asset that is archived as a whole."""
    row = db.row(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind=? AND a.name=? AND v.is_archived=0"
        " AND a.is_archived=0 ORDER BY v.created_at DESC, v.id DESC LIMIT 1",
        (workspace_id, kind, name),
    )
    return Version(*row) if row else None


def labelled(db: Database, workspace_id: int, kind: str, name: str, label: str) -> Version | None:
    """The version that has the label; besides `latest`, which all have, models have MLflow's aliases."""
    if label in ("latest", "default"):
        return latest(db, workspace_id, kind, name)
    if kind != "models":
        return None
    return next((one for one in _by_change(db, workspace_id, kind, name) if label in aliases(one.properties)), None)


def staged(db: Database, workspace_id: int, name: str, stage: str) -> Version | None:
    """The newest version of a model that is in one of MLflow's stages."""
    found = versions(db, workspace_id, "models", name)
    return next((one for one in found if str(one.properties.get("stage") or "None") == stage), None)


def meant(
    db: Database, workspace_id: int, kind: str, name: str, *, label: str | None = None, stage: str | None = None
) -> Version | None:
    """The version that a reference without one means now."""
    if stage:
        return staged(db, workspace_id, name, stage)
    return labelled(db, workspace_id, kind, name, label or "latest")


def aliases(properties: dict[str, Any]) -> list[str]:
    """The aliases of a model's version: its property `aliases`, separated by commas."""
    text = (properties.get("properties") or {}).get(ALIASES) or ""
    return [alias for alias in (part.strip() for part in str(text).split(",")) if alias]


def _by_change(db: Database, workspace_id: int, kind: str, name: str) -> list[Version]:
    """Those not archived, last changed first: of two that claim an alias the later has it."""
    found = versions(db, workspace_id, kind, name)
    return sorted(found, key=lambda one: (one.modified_at, one.id), reverse=True)


def find(db: Database, workspace_id: int, kind: str, name: str, version: str | None, label: str | None) -> Version:
    """The version that `name:version`, `name@label` or a bare name means; NotFound names what there is."""
    found = get(db, workspace_id, kind, name, version) if version else None
    if version is None:
        found = labelled(db, workspace_id, kind, name, label or "latest")
    if found:
        return found
    noun = {"codes": "code", "data": "data asset"}.get(kind, kind.removesuffix("s"))
    there = [v.version for v in versions(db, workspace_id, kind, name, "All")][:5]
    wanted = f"{name}:{version}" if version else f"{name}@{label or 'latest'}"
    whole = container(db, workspace_id, kind, name)
    if version is None and whole is not None and whole.is_archived:
        raise NotFound(
            f"there is no {noun} '{wanted}' in this workspace, as {noun} '{name}' is archived; restore it with "
            f"'smalt {noun.split()[0]} restore --name {name}', or name a version: {', '.join(there)}"
        )
    hint = f"; {its_versions(there)}" if there else f"; create it with 'smalt {noun.split()[0]} create'"
    raise NotFound(f"there is no {noun} '{wanted}' in this workspace{hint}")


def bodies(db: Database, since: tuple[Any, ...] | None = None) -> list[tuple[int, int, float, str]]:
    """Return (id, workspace, when it was changed, properties as JSON) of every version in the home, archived or not.

    With `since`, the first part of earlier `last_changes`, only those that are new or were changed since then.
    """
    _, last, moment = since or (0, 0, 0.0)
    rows = db.rows(
        "SELECT id, workspace_id, modified_at, body FROM asset_versions WHERE id>? OR modified_at>=?",
        (last or 0, moment or 0.0),
    )
    return [(id, workspace_id, modified_at, body) for id, workspace_id, modified_at, body in rows]


def naming(db: Database, text: str, besides: int) -> list[tuple[int, str]]:
    """Return (id, properties as JSON) of the versions of all workspaces but one that may have the text in them."""
    rows = db.rows(
        "SELECT id, body FROM asset_versions WHERE workspace_id<>? AND body LIKE ? ORDER BY id", (besides, f"%{text}%")
    )
    return [(id, body) for id, body in rows]


def describe(db: Database, id: int) -> str:
    """Return what a sentence calls a version that is in another workspace."""
    [(kind, name, version, workspace)] = db.rows(
        f"SELECT a.kind, a.name, v.version, w.name FROM {_JOIN} JOIN workspaces w ON w.id=v.workspace_id WHERE v.id=?",
        (id,),
    )
    return f"{kind.removesuffix('s')} '{name}:{version}' of workspace '{workspace}'"


def code_by_hash(db: Database, workspace_id: int, hash: str) -> Version | None:
    """Code by the id of its content, or by the hash that the client who uploaded it made of it."""
    row = db.row(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE v.workspace_id=? AND a.kind='codes'"
        " AND (v.content_hash=? OR json_extract(v.body, '$.properties.hash_sha256')=?) LIMIT 1",
        (workspace_id, hash, hash),
    )
    return Version(*row) if row else None


def states(db: Database, workspace_id: int, kind: str) -> list[tuple[Any, ...]]:
    """What differs when any asset of the kind does."""
    return db.rows(
        "SELECT a.name, a.body, a.is_archived, v.version, v.modified_at, v.is_archived,"
        " json_extract(v.body, '$.modelUri') FROM assets a"
        " LEFT JOIN asset_versions v ON v.asset_id=a.id WHERE a.workspace_id=? AND a.kind=? AND a.is_anonymous=0"
        " ORDER BY a.id, v.id",
        (workspace_id, kind),
    )


def versions(db: Database, workspace_id: int, kind: str, name: str, view: str = "ActiveOnly") -> list[Version]:
    """Newest first. An asset that is archived as a whole has archived versions only."""
    archived = _VIEWS.get(view, (0,))
    rows = db.rows(
        f"SELECT {_VERSION} FROM {_JOIN} WHERE a.workspace_id=? AND a.kind=? AND a.name=?"
        f" AND max(v.is_archived, a.is_archived) IN ({','.join('?' * len(archived))})"
        " ORDER BY v.created_at DESC, v.id DESC",
        (workspace_id, kind, name, *archived),
    )
    return [Version(*row) for row in rows]


def containers(db: Database, workspace_id: int, kind: str, view: str = "ActiveOnly") -> list[Container]:
    """By name; anonymous ones are left out."""
    archived = _VIEWS.get(view, (0,))
    rows = db.rows(
        "SELECT name FROM assets WHERE workspace_id=? AND kind=? AND is_anonymous=0"
        f" AND is_archived IN ({','.join('?' * len(archived))}) ORDER BY name",
        (workspace_id, kind, *archived),
    )
    found = (container(db, workspace_id, kind, name) for (name,) in rows)
    return [one for one in found if one]


def container(db: Database, workspace_id: int, kind: str, name: str) -> Container | None:
    row = db.row(
        "SELECT id, kind, name, body, is_archived, is_anonymous, created_by, created_at FROM assets"
        " WHERE workspace_id=? AND kind=? AND name=?",
        (workspace_id, kind, name),
    )
    if row is None:
        return None
    newest = latest(db, workspace_id, kind, name)
    values = (*row, newest.version if newest else None, _next_version(db, int(row[0])))
    return Container(*values)


def put_container(
    db: Database, workspace_id: int, kind: str, name: str, properties: dict[str, Any], principal: str
) -> None:
    """Archive, restore or describe the container."""
    with db.transaction():
        id = _container_id(db, workspace_id, kind, name, 0, principal, time.time())
        archived = int(bool(properties.get("isArchived")))
        db.execute("UPDATE assets SET body=?, is_archived=? WHERE id=?", (json.dumps(properties), archived, id))


def _container_id(
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


def its_versions(versions: Sequence[str]) -> str:
    """Return what a sentence says of the versions that there are."""
    return f"its only version is {versions[0]}" if len(versions) == 1 else f"its versions are {', '.join(versions)}"
