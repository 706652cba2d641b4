"""Code as one file to download."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
import tempfile
from collections.abc import Callable

from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from smalt.exceptions import NotFound
from smalt.service.api.arm.codes import CODES
from smalt.service.api.request import ApiRequest


async def get_code_archive(request: ApiRequest) -> FileResponse:
    """Return a tar of the snapshot, with names as they were below the folder, or that of the single file."""
    code = CODES.find_version(request, request.get_name("version"), None)
    if not code.content_hash:
        raise NotFound(f"code '{code.name}' has no snapshot; submit the job that names it again")
    return await build_archive(lambda folder: request.server.data.snapshots.write_to(str(code.content_hash), folder))


async def build_archive(fill: Callable[[str], object]) -> FileResponse:
    """Return a tar of the content that `fill` writes into a folder."""
    folder = tempfile.mkdtemp(prefix="smalt-archive-")
    made = f"{folder}/content.tar"

    def pack() -> None:
        fill(f"{folder}/content")
        with tarfile.open(made, "w") as archive:
            archive.add(f"{folder}/content", arcname=".")

    try:
        await asyncio.to_thread(pack)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    gone = BackgroundTask(asyncio.to_thread, shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(made, media_type="application/x-tar", background=gone)


ROUTES = [("GET", "/codes/{name}/versions/{version}/archive", get_code_archive)]
