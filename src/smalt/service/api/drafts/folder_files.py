"""The files of the setting `studio-folder`.

GET /smalt/v1{WS}/folder/files?path=: {"root", "value": [{"path", "size", "is_dir"}], "nextLink"}: the folders and YAML
    files there.
GET /smalt/v1{WS}/folder/file?path=: the file's bytes; the header `ETag` names its content.
PUT /smalt/v1{WS}/folder/file?path=: writes the body's bytes into the file, whole or not at all, and answers {"etag"}.
    With the header `If-Match` the file must still have the content of that ETag, and with `If-None-Match: *` there must
    be no file yet; else Conflict. Of several that save at once only the first meets its condition. A file that has the
    body's bytes already meets each condition, so that a request whose answer was lost can be sent again.

Nothing outside of the folder is read or written, through links neither; only YAML files are.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.responses import Response

from smalt.exceptions import Conflict, NotFound, RefusedError
from smalt.service.api.drafts.document_folder import get_root
from smalt.service.api.drafts.file_locks import lock_file
from smalt.service.api.errors import BodyTooLarge
from smalt.service.api.pagination import get_window, wrap_page
from smalt.service.api.request import ApiRequest
from smalt.service.data.files.durable_files import write_durably
from smalt.service.data.files.path_containment import resolve_inside

LARGEST = 8_000_000
SUFFIXES = (".yml", ".yaml")


async def list_files(request: ApiRequest) -> dict[str, Any]:
    root, path = get_root(request), request.get_query("path")
    skip, size = get_window(request)

    def list_folder() -> list[dict[str, Any]]:
        folder = resolve_inside(root, path)
        if not folder.is_dir():
            raise NotFound(f"there is no folder '{path[:200]}' below {root}")
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        entries = sorted(filter(_is_shown, os.scandir(folder)), key=lambda entry: (not entry.is_dir(), entry.name))
        return [
            {
                "path": prefix + entry.name,
                "size": 0 if entry.is_dir() else entry.stat().st_size,
                "is_dir": entry.is_dir(),
            }
            for entry in islice(entries, skip, skip + size + 1)
        ]

    found = await asyncio.to_thread(list_folder)
    return {"root": str(root), **wrap_page(request, found[:size], len(found) > size)}


async def get_file(request: ApiRequest) -> Response:
    file = _resolve_file(request)
    content = await asyncio.to_thread(_read_file, file, request.get_query("path"))
    return Response(content, media_type="application/yaml", headers={"etag": make_etag(content)})


async def put_file(request: ApiRequest) -> dict[str, Any]:
    file, content = _resolve_file(request), await read_text_body(request)
    wanted, is_new = request.headers.get("if-match"), request.headers.get("if-none-match") == "*"
    await asyncio.to_thread(write_file, file, content, wanted, is_new)
    return {"etag": make_etag(content)}


def make_etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


async def read_text_body(request: ApiRequest) -> bytes:
    return b"".join(await request.read_parts(LARGEST, "text"))


def _is_shown(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return False
    try:
        return entry.is_dir() or (entry.is_file() and entry.name.lower().endswith(SUFFIXES))
    except OSError:
        return False


def _resolve_file(request: ApiRequest) -> Path:
    path = request.get_query("path")
    if not path.lower().endswith(SUFFIXES):
        raise RefusedError(f"'{path[:200]}' is not a YAML file; its name must end in .yml or .yaml")
    return resolve_inside(get_root(request), path)


def _read_file(file: Path, path: str) -> bytes:
    if not file.is_file():
        raise NotFound(f"there is no file '{path[:200]}' in the folder of the studio")
    if file.stat().st_size > LARGEST:
        raise BodyTooLarge(f"the file '{path[:200]}' is larger than {LARGEST} bytes")
    return file.read_bytes()


def write_file(file: Path, content: bytes, wanted: str | None, is_new: bool) -> None:
    """Write the file; raise Conflict if it has not the ETag `wanted`, or is there although it `is_new`."""
    with lock_file(file):
        _write_locked(file, content, wanted, is_new)


def _write_locked(file: Path, content: bytes, wanted: str | None, is_new: bool) -> None:
    there = file.read_bytes() if file.is_file() else None
    if there == content:
        return
    if is_new and there is not None:
        raise Conflict(f"there is a file '{file.name}' already; choose another name, or open that file")
    if wanted is not None and (there is None or make_etag(there) != wanted):
        what = "was removed" if there is None else "was changed by another program"
        raise Conflict(f"'{file.name}' {what} since it was opened; save under another name, or open it again")
    target = Path(os.path.realpath(file))  # a link within the folder stays a link
    mode = target.stat().st_mode & 0o777 if there is not None else 0o644
    write_durably(target.with_name(f".{target.name}.{secrets.token_hex(4)}"), target, [content], mode)
    target.chmod(mode)  # the server's own files are for its owner only; these are the user's


ROUTES = [
    ("GET", "/folder/files", list_files),
    ("GET", "/folder/file", get_file),
    ("PUT", "/folder/file", put_file),
]
