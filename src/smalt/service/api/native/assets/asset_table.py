"""Tables of versioned assets, searched, sorted and paged by the server, however many there are.

GET /smalt/v1{WS}/{kind}: {"total": number that match, "types": {type: assets of the view}, "assets": [{"name",
    "version": the newest that is not archived, "versions": how many there are, "type", "description", "tags", "owner",
    "created", "modified", "archived"}]}; `kind` is data, models, components or environments. Times are seconds since
    1970. `search=` words, each of which occurs in the name, description or tags; `type=` and `owner=`, each as often
    as needed; `view=active` (the default), `archived` or `all`; `sort=` one of name, created, modified, type, owner,
    versions, with `-` before it for descending order (`-modified` is the default); `skip=`, `limit=` (100, at most
    1000). Of environments those that every workspace has follow, with the type "built-in".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from smalt.entities.schema.problems import join_words
from smalt.exceptions import ValidationException
from smalt.service.api.arm.environments import list_builtin
from smalt.service.api.native.table_query import get_search_text, get_values
from smalt.service.api.request import ApiRequest
from smalt.service.records.asset_lists import SORTS, AssetRow, AssetSearch, count_types, list_names, search_assets

_KINDS = ("data", "models", "components", "environments")
_VIEWS = ("active", "archived", "all")
_PAGE = 100
_LARGEST_PAGE = 1000
_BUILT_IN = "built-in"


def _make_lister(kind: str) -> Callable[[ApiRequest], Awaitable[dict[str, Any]]]:
    async def list_assets(request: ApiRequest) -> dict[str, Any]:
        search, key, descending = _parse_search(request)
        skip = request.get_number("skip", 0)
        limit = max(1, min(request.get_number("limit", _PAGE), _LARGEST_PAGE))

        def read_page() -> tuple[int, list[AssetRow], dict[str, int]]:
            with request.server.db.open_reader() as db:
                total, rows = search_assets(
                    db, request.workspace.id, kind, search, key, descending=descending, skip=skip, limit=limit
                )
                return total, rows, count_types(db, request.workspace.id, kind, search.view)

        total, rows, types = await asyncio.to_thread(read_page)
        shown = [_render_row(row) for row in rows]
        if kind == "environments":
            given = _list_builtin_rows(request, search._replace(types=()))
            types = {**types, **({_BUILT_IN: len(given)} if given else {})}
            matching = [row for row in given if not search.types or _BUILT_IN in search.types]
            first = max(0, skip - total)
            shown += matching[first : first + limit - len(shown)]
            total += len(matching)
        return {"total": total, "types": types, "assets": shown}

    return list_assets


def _parse_search(request: ApiRequest) -> tuple[AssetSearch, str, bool]:
    """Return the search of a request, the key to sort by, and whether in descending order."""
    sort, view = request.get_query("sort", "-modified"), request.get_query("view", _VIEWS[0])
    key = sort.removeprefix("-")
    if key not in SORTS:
        raise ValidationException(f"'sort' must be one of {join_words(SORTS, 'and')}, not '{key[:100]}'")
    if view not in _VIEWS:
        raise ValidationException(f"'view' must be {join_words(_VIEWS, 'or')}, not '{view[:100]}'")
    types, owners = get_values(request, "type"), get_values(request, "owner")
    search = AssetSearch(get_search_text(request), types, owners, view)
    return search, key, sort.startswith("-")


def _render_row(row: AssetRow) -> dict[str, Any]:
    shape = row._asdict()
    return {**shape, "archived": shape.pop("is_archived")}


def _list_builtin_rows(request: ApiRequest, search: AssetSearch) -> list[dict[str, Any]]:
    """Return the built-in environments whose names have all words of the search."""
    if search.view == "archived" or search.owners:
        return []
    words, own = search.text.lower().split(), list_names(request.server.db, request.workspace.id, "environments")
    return [
        {
            **{"name": one.name, "version": one.latest_version, "versions": 1, "type": _BUILT_IN, "description": None},
            **{"tags": {}, "owner": "smalt", "created": one.created_at, "modified": one.created_at, "archived": False},
        }
        for one in list_builtin(request)
        if one.name.lower() not in own and all(word in one.name.lower() for word in words)
    ]


ROUTES = [("GET", f"/{kind}", _make_lister(kind)) for kind in _KINDS]
