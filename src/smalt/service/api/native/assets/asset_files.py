"""The files of data and models.

GET /smalt/v1{WS}/{kind}/{name}/versions/{version}/list: {"value": [{"path", "size", "is_dir"}], "nextLink"} of what is
    at `?path=` below it; `kind` is data or models. Data that is one file has "path" "" and the file's "name".
GET /smalt/v1{WS}/{kind}/{name}/versions/{version}/file: the file at `?path=`, or the data itself if it is one file;
    `Range` is understood.

Of a remote datastore only what is asked for is listed or fetched; a file of the web is fetched when it is first asked
for.
"""

from __future__ import annotations

import asyncio
import mimetypes
from itertools import islice
from typing import Any

from starlette.responses import FileResponse, Response

from smalt.exceptions import NotFound, RefusedError
from smalt.service.api.arm.asset_collection import AssetCollection
from smalt.service.api.arm.data import DATA
from smalt.service.api.arm.models import MODELS
from smalt.service.api.native.datastore_files import SANDBOX
from smalt.service.api.native.served_files import list_folder, send_file
from smalt.service.api.pagination import get_window, wrap_page
from smalt.service.api.request import ApiRequest
from smalt.service.api.router import Handler
from smalt.service.data.uris.locations import Location


def _make_routes(collection: AssetCollection) -> list[tuple[str, str, Handler]]:
    async def list_files(request: ApiRequest) -> dict[str, Any]:
        location = locate_version(request, collection)
        if location.store is not None:
            return await _list_remote(request, location)
        return await list_folder(request, await request.server.data.fetch(location))

    async def get_file(request: ApiRequest) -> Response:
        location = locate_version(request, collection)
        if location.store is not None:
            return await _send_remote(request, location)
        return await send_file(request, await request.server.data.fetch(location))

    one = f"/{collection.segment}/{{name}}/versions/{{version}}"
    return [("GET", f"{one}/list", list_files), ("GET", f"{one}/file", get_file)]


def locate_version(request: ApiRequest, collection: AssetCollection) -> Location:
    version = collection.find_version(request, request.get_name("version"), None)
    uri = version.properties.get(collection.uri)
    if not isinstance(uri, str) or not uri:
        raise RefusedError(f"{collection.kind} '{version.name}:{version.version}' has no files")
    location = request.server.data.resolve(uri, request.workspace)
    if location.path is not None and not location.exists:
        raise NotFound(f"{uri} is not there; it may have been removed since it was registered")
    return location


async def _list_remote(request: ApiRequest, location: Location) -> dict[str, Any]:
    """Return a page of what a cloud has at `?path=` of the version, without fetching it."""
    store, base = location.store, (location.relative or "").strip("/")
    assert store is not None
    path, (skip, size) = request.get_query("path").strip("/"), get_window(request)
    _refuse_outside(path)
    place = "/".join(filter(None, (base, path)))
    listed = await asyncio.to_thread(lambda: list(islice(store.list_files(place, recursive=False), skip + size + 1)))
    rows = listed[skip:]
    value = [_describe_remote(row[0], base, row[1], row[2]) for row in rows[:size]]
    return wrap_page(request, value, len(rows) > size)


async def _send_remote(request: ApiRequest, location: Location) -> FileResponse:
    store, path = location.store, request.get_query("path").strip("/")
    assert store is not None
    _refuse_outside(path)
    place = "/".join(filter(None, ((location.relative or "").strip("/"), path)))
    found = await asyncio.to_thread(request.server.data.remote.fetch_tree, store, place)
    if not found.is_file():
        raise NotFound(f"there is no file at '{path[:200]}' in this data")
    kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    return FileResponse(found, media_type=kind, headers={"content-security-policy": SANDBOX})


def _describe_remote(place: str, base: str, size: int, is_dir: bool) -> dict[str, Any]:
    path = place[len(base) :].strip("/")
    found = {"path": path, "size": size, "is_dir": is_dir}
    return found if path else {**found, "name": place.rpartition("/")[2]}


def _refuse_outside(path: str) -> None:
    if ".." in path.split("/"):
        raise RefusedError(f"path '{path[:200]}' leads out of the data")


ROUTES = [*_make_routes(DATA), *_make_routes(MODELS)]
