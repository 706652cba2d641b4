"""The files of a code that a component or a deployment names.

GET /smalt/v1{WS}/codes/{name}/versions/{version}/files: {"hash", "bytes", "files": [{"path", "kind", "size", "hash"}]},
    as a job's snapshot has them.
GET /smalt/v1{WS}/codes/{name}/versions/{version}/file?path=PATH: one of them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import FileResponse

from smalt.exceptions import NotFound
from smalt.service.api.arm.codes import CODES
from smalt.service.api.job_details.code_files import send_code_file
from smalt.service.api.job_details.job_code import render_file
from smalt.service.api.request import ApiRequest


async def list_code_files(request: ApiRequest) -> dict[str, Any]:
    code = _get_hash(request)
    entries = await asyncio.to_thread(request.server.data.snapshots.read_entries, code)
    return {
        "hash": code,
        "bytes": sum(entry.size for entry in entries),
        "files": [render_file(entry) for entry in entries],
    }


async def get_version_file(request: ApiRequest) -> FileResponse:
    return await send_code_file(request, _get_hash(request), request.get_query("path"))


def _get_hash(request: ApiRequest) -> str:
    code = CODES.find_version(request, request.get_name("version"), None)
    if not code.content_hash:
        raise NotFound(f"code '{code.name}' has no snapshot yet; it gets one when a job runs it")
    return code.content_hash


ROUTES = [
    ("GET", "/codes/{name}/versions/{version}/files", list_code_files),
    ("GET", "/codes/{name}/versions/{version}/file", get_version_file),
]
