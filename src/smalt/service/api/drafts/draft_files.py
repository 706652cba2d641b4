"""Drafts: documents that are kept in the workspace until somebody submits, saves or deletes them.

GET    /smalt/v1{WS}/drafts: {"value": [{"name", "folder", "modified", "etag"}], "nextLink", "unreadable": [sentence]},
       the newest first. `unreadable` says of each file that holds no draft what to do.
GET    /smalt/v1{WS}/drafts/{name}: the same with {"text", "positions"}.
PUT    /smalt/v1{WS}/drafts/{name} {"text", "folder", "positions"}: keeps it, whole or not at all, and answers {"etag"}.
       Paths in the text are relative to `folder`, below the setting `studio-folder`, or null. `positions` are the
       places of the drawing's nodes. The ETag is that of all three; `If-Match` and `If-None-Match: *` as for a file.
DELETE /smalt/v1{WS}/drafts/{name}

The text is kept byte for byte. A draft is a file of the home, workspaces/FOLDER/drafts/NAME.json, and goes with its
workspace.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smalt.exceptions import Conflict, NotFound, RefusedError, ValidationException
from smalt.service.api.drafts.file_locks import lock_file
from smalt.service.api.drafts.folder_files import LARGEST, make_etag
from smalt.service.api.errors import BodyTooLarge
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.data.files.durable_files import write_durably

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.()-]{0,99}")
_MOST = 1000


async def list_drafts(request: ApiRequest) -> dict[str, Any]:
    found, unreadable = await asyncio.to_thread(_list_drafts, _get_folder(request))
    return {**build_page(request, found, lambda draft: draft), "unreadable": unreadable}


async def get_draft(request: ApiRequest) -> dict[str, Any]:
    file = _get_file(request)
    draft = await asyncio.to_thread(_read_draft, file)
    if draft is None:
        raise NotFound(f"there is no draft '{file.stem}' in workspace '{request.workspace.name}'")
    return {**_render_draft(file, draft), "text": draft["text"], "positions": draft.get("positions") or {}}


async def put_draft(request: ApiRequest) -> ApiResponse:
    file, body = _get_file(request), await request.read_object()
    text, folder, positions = body.get("text"), body.get("folder"), body.get("positions") or {}
    if not _is_text(text) or not isinstance(folder, str | None) or not isinstance(positions, dict):
        raise ValidationException('"text" and "folder" must be texts, and "positions" an object')
    wanted, is_new = request.headers.get("if-match"), request.headers.get("if-none-match") == "*"
    content = _encode_draft(body)
    if len(content) > LARGEST:
        raise BodyTooLarge(f"the draft is larger than {LARGEST} bytes")
    existed = await asyncio.to_thread(write_draft, file, content, wanted, is_new)
    return ApiResponse({"name": file.stem, "etag": make_etag(content)}, 200 if existed else 201)


async def delete_draft(request: ApiRequest) -> ApiResponse:
    file = _get_file(request)
    try:
        await asyncio.to_thread(_delete_draft, file)
    except FileNotFoundError:
        raise NotFound(f"there is no draft '{file.stem}' in workspace '{request.workspace.name}'") from None
    return ApiResponse(None, 204)


def _get_folder(request: ApiRequest) -> Path:
    return request.server.home.path("workspaces", request.workspace.folder, "drafts")


def _get_file(request: ApiRequest) -> Path:
    name = str(request.path_params["name"])
    if not _NAME.fullmatch(name):
        raise ValidationException(
            f"'{name[:100]}' is no name of a draft; use up to 100 letters, digits, blanks and _ . ( ) -, "
            "and begin with a letter or digit"
        )
    return _get_folder(request) / f"{name}.json"


def _list_drafts(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the drafts without their texts, which may be large, the newest first; and a sentence for each that cannot
    be read."""
    found, unreadable = [], []
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            draft = _read_draft(file)
        except RefusedError as error:
            unreadable.append(str(error))
            continue
        if draft is not None:
            found.append(_render_draft(file, draft))
    return sorted(found, key=lambda draft: -draft["modified"]), unreadable


def _read_draft(file: Path) -> dict[str, Any] | None:
    """Return the draft, or None if there is none; raise Refused if its file holds none."""
    try:
        draft = json.loads(file.read_bytes())
        modified = file.stat().st_mtime
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        draft = None
    if not isinstance(draft, dict) or not _is_text(draft.get("text")):
        raise RefusedError(f"the draft '{file.stem}' cannot be read; delete it, or correct its file {file}")
    return {**draft, "modified": modified}


def _is_text(value: Any) -> bool:
    """Return True for a text that can be sent: JSON may hold halves of characters."""
    try:
        return isinstance(value, str) and value.encode("utf-8", "surrogateescape") is not None
    except UnicodeEncodeError:
        return False


def _delete_draft(file: Path) -> None:
    with lock_file(file):
        file.unlink()


def write_draft(file: Path, content: bytes, wanted: str | None, is_new: bool) -> bool:
    """Write the draft and return True if it existed; raise Conflict if another browser changed it."""
    with lock_file(file):
        return _write_locked(file, content, wanted, is_new)


def _write_locked(file: Path, content: bytes, wanted: str | None, is_new: bool) -> bool:
    try:
        there = _read_draft(file)
    except RefusedError:
        there = {}
    if there is not None and _encode_draft(there) == content:
        return True
    if is_new and there is not None:
        raise Conflict(f"there is a draft '{file.stem}' already; choose another name")
    if wanted is not None and (there is None or make_etag(_encode_draft(there)) != wanted):
        raise Conflict(f"the draft '{file.stem}' was changed elsewhere since it was opened; save it under another name")
    if there is None and file.parent.is_dir() and len(os.listdir(file.parent)) >= _MOST:
        raise Conflict(f"the workspace has {_MOST} drafts already; delete some first")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_durably(file.with_name(f".{file.name}.{os.urandom(4).hex()}"), file, [content], 0o600)
    return there is not None


def _render_draft(file: Path, draft: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": file.stem,
        "folder": draft.get("folder"),
        "modified": draft["modified"],
        "etag": make_etag(_encode_draft(draft)),
    }


def _encode_draft(draft: Mapping[str, Any]) -> bytes:
    """Return the bytes of a draft's file, which are equal for equal texts, folders and places of nodes."""
    kept = {"text": draft.get("text"), "folder": draft.get("folder"), "positions": draft.get("positions") or {}}
    return json.dumps(kept, sort_keys=True).encode()


ROUTES = [
    ("GET", "/drafts", list_drafts),
    ("GET", "/drafts/{name}", get_draft),
    ("PUT", "/drafts/{name}", put_draft),
    ("DELETE", "/drafts/{name}", delete_draft),
]
