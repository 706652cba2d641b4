"""Tables of versioned assets: searched, sorted and paged by the database.

A search looks at every asset of its kind, so call it with a reader's connection, beside the event loop.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from smalt.service.records.database import Database

SORTS = {
    "name": "a.name COLLATE NOCASE",
    "created": "a.created_at",
    "modified": "coalesce(l.modified_at, a.created_at)",
    "type": "shown_type",
    "owner": "coalesce(l.created_by, a.created_by)",
    "versions": "versions",
}
"""Keys by which assets are sorted, and their SQL."""
_HIDDEN = "max(a.is_archived, coalesce(l.is_archived, 0))"
_VIEWS = {"active": f"{_HIDDEN}=0", "archived": f"{_HIDDEN}=1"}
_TYPES = {"data": "$.dataType", "models": "$.modelType", "components": "$.componentSpec.type"}
_DESCRIPTION = "coalesce(json_extract(l.body,'$.description'), json_extract(l.body,'$.componentSpec.description'))"
_NEWEST = (
    "SELECT v.id FROM asset_versions v WHERE v.asset_id=a.id ORDER BY v.is_archived, v.created_at DESC, v.id DESC"
    " LIMIT 1"
)


class AssetSearch(NamedTuple):
    """A search among the assets of one kind; an empty field matches all."""

    text: str = ""
    """Words, each of which occurs in the name, description or tags."""
    types: Sequence[str] = ()
    owners: Sequence[str] = ()
    view: str = "active"
    """"active", "archived" or "all"; an asset of archived versions only is archived."""


class AssetRow(NamedTuple):
    """An asset with its newest version, which is one that is not archived if there is any."""

    name: str
    version: str | None
    versions: int
    type: str | None
    description: str | None
    tags: dict[str, Any]
    owner: str
    created: float
    modified: float
    is_archived: bool


def search_assets(
    db: Database,
    workspace_id: int,
    kind: str,
    search: AssetSearch,
    sort: str,
    *,
    descending: bool,
    skip: int,
    limit: int,
) -> tuple[int, list[AssetRow]]:
    """Return the number of assets that match, and a page of them."""
    source = f"assets a LEFT JOIN asset_versions l ON l.id=({_NEWEST})"
    where, values = _build_condition(workspace_id, kind, search)
    total = int(db.value(f"SELECT count(*) FROM {source} WHERE {where}", values))
    order = f"{SORTS[sort]} {'DESC' if descending else 'ASC'} NULLS LAST, a.id DESC"
    rows = db.rows(
        f"SELECT a.name, l.version, (SELECT count(*) FROM asset_versions n WHERE n.asset_id=a.id) AS versions,"
        f" {_build_type(kind)} AS shown_type, {_DESCRIPTION}, coalesce(json_extract(l.body,'$.tags'),'{{}}'),"
        f" coalesce(l.created_by, a.created_by), a.created_at, coalesce(l.modified_at, a.created_at), {_HIDDEN}"
        f" FROM {source} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
        (*values, limit, skip),
    )
    return total, [AssetRow._make((*row[:5], json.loads(row[5]), *row[6:9], bool(row[9]))) for row in rows]


def list_names(db: Database, workspace_id: int, kind: str) -> set[str]:
    """Return the names of all assets of a kind, in lower case."""
    rows = db.rows("SELECT name FROM assets WHERE workspace_id=? AND kind=?", (workspace_id, kind))
    return {str(name).lower() for (name,) in rows}


def count_types(db: Database, workspace_id: int, kind: str, view: str) -> dict[str, int]:
    """Count the assets of a kind by type."""
    where, values = _build_condition(workspace_id, kind, AssetSearch(view=view))
    rows = db.rows(
        f"SELECT {_build_type(kind)} AS shown_type, count(*) FROM assets a"
        f" LEFT JOIN asset_versions l ON l.id=({_NEWEST}) WHERE {where} GROUP BY shown_type ORDER BY 2 DESC, 1",
        values,
    )
    return {str(type): count for type, count in rows if type is not None}


def _build_type(kind: str) -> str:
    if kind == "environments":
        return (
            "CASE WHEN json_extract(l.body,'$.build') IS NOT NULL THEN 'build'"
            " WHEN json_extract(l.body,'$.condaFile') IS NOT NULL THEN 'conda'"
            " WHEN json_extract(l.body,'$.image') IS NOT NULL THEN 'image' END"
        )
    return f"json_extract(l.body,'{_TYPES[kind]}')"


def _build_condition(workspace_id: int, kind: str, search: AssetSearch) -> tuple[str, list[Any]]:
    terms: list[tuple[str, list[Any]]] = [("a.workspace_id=? AND a.kind=? AND a.is_anonymous=0", [workspace_id, kind])]
    if search.view in _VIEWS:
        terms.append((_VIEWS[search.view], []))
    for word in search.text.split():
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        fields = ("a.name", f"coalesce({_DESCRIPTION},'')", "coalesce(json_extract(l.body,'$.tags'),'')")
        terms.append((" OR ".join(f"{field} LIKE ? ESCAPE '\\'" for field in fields), [pattern] * len(fields)))
    for column, chosen in ((_build_type(kind), search.types), ("coalesce(l.created_by, a.created_by)", search.owners)):
        if chosen:
            terms.append((f"{column} IN ({','.join('?' * len(chosen))})", list(chosen)))
    return " AND ".join(f"({term})" for term, _ in terms), [value for _, given in terms for value in given]
