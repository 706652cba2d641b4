"""Folders and files of this machine that pages and programs look through."""

from __future__ import annotations

import asyncio
import mimetypes
import os
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from smalt.exceptions import NotFound
from smalt.service.api.native.datastore_files import SANDBOX
from smalt.service.api.pagination import get_window, wrap_page
from smalt.service.api.request import ApiRequest
from smalt.service.data.files.path_containment import resolve_inside


async def list_folder(request: ApiRequest, root: Path) -> dict[str, Any]:
    """Return a page of what is at `?path=` in a folder, folders first, or the file that `root` is, with its name."""
    path = request.get_query("path")
    skip, size = get_window(request)

    def list_entries() -> list[dict[str, Any]]:
        place = resolve_inside(root, path) if root.is_dir() else root
        if place.is_file():
            found = {"path": path, "size": place.stat().st_size, "is_dir": False}
            return [found if root.is_dir() else {**found, "path": "", "name": place.name}]
        if not place.is_dir():
            raise NotFound(f"there is nothing at '{path[:200]}' in this data")
        entries = sorted(os.scandir(place), key=lambda entry: (not entry.is_dir(), entry.name))
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        return [
            {"path": prefix + entry.name, "size": 0 if entry.is_dir() else _get_size(entry), "is_dir": entry.is_dir()}
            for entry in islice(entries, skip, skip + size + 1)
        ]

    found = await asyncio.to_thread(list_entries)
    return wrap_page(request, found[:size], len(found) > size)


async def send_file(request: ApiRequest, root: Path) -> FileResponse:
    """Return the file at `?path=` in a folder, or the file that `root` is; `Range` is understood."""
    path = request.get_query("path")
    place = await asyncio.to_thread(lambda: resolve_inside(root, path) if root.is_dir() and path else root)
    if not place.is_file():
        raise NotFound(f"there is no file at '{path[:200]}' in this data")
    kind = mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    return FileResponse(place, media_type=kind, headers={"content-security-policy": SANDBOX})


def _get_size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a broken link
        return 0
