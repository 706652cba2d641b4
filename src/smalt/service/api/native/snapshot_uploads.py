"""POST /smalt/v1{WS}/snapshots, PUT /smalt/v1/blobs/{sha256}: upload of code."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Iterator
from typing import Any

from smalt.exceptions import RefusedError, ValidationException
from smalt.service.api.arm import codes
from smalt.service.api.errors import BodyTooLarge
from smalt.service.api.request import ApiRequest
from smalt.service.api.request_body import process_body

_HEAD = struct.Struct(">32sQ")
_LARGEST = 64_000_000


async def add_snapshot(request: ApiRequest) -> dict[str, Any]:
    """Store a snapshot of a path that both sides see, or of a manifest whose contents are sent one by one."""
    body = await request.read_object()
    snapshots = request.server.data.snapshots
    manifest = body.get("manifest")
    if manifest is None:
        taken = await asyncio.to_thread(snapshots.add, _get_path(request, body), ignore=body.get("ignore") is not False)
    elif not isinstance(manifest, list):
        raise ValidationException('"manifest" must be a list of {"path", "sha256", "size"}')
    else:
        missing = await asyncio.to_thread(snapshots.find_missing, manifest)
        if missing:
            return {"missing": missing}
        taken = await asyncio.to_thread(snapshots.add_manifest, manifest)
    return {
        "codeId": codes.register_snapshot(request, taken),
        "hash": taken.hash,
        "files": taken.files,
        "bytes": taken.bytes,
    }


async def put_blob(request: ApiRequest) -> dict[str, Any]:
    snapshots, sha = request.server.data.snapshots, request.get_name("sha256")
    return {"size": await process_body(request, lambda blocks: snapshots.put_blob(sha, blocks))}


async def put_blobs(request: ApiRequest) -> dict[str, Any]:
    """Store many blobs, each preceded by its sha256 and length, and make them durable together."""
    parts, size = [], 0
    async for part in request.read_chunks():
        size += len(part)
        if size > _LARGEST:
            raise BodyTooLarge(f"the body is larger than {_LARGEST} bytes; send fewer blobs at once")
        parts.append(part)
    blobs = list(_split_blobs(b"".join(parts)))
    await asyncio.to_thread(request.server.data.snapshots.put_blobs, blobs)
    return {"blobs": len(blobs)}


def _split_blobs(body: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(body):
        if at + _HEAD.size > len(body):
            raise ValidationException("the body ends within the head of a blob")
        sha, size = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if at + size > len(body):
            raise ValidationException("the body ends within a blob")
        yield sha.hex(), body[at : at + size]
        at += size


def _get_path(request: ApiRequest, body: dict[str, Any]) -> str:
    path = body.get("path")
    if not isinstance(path, str) or not os.path.isabs(path):
        raise ValidationException('"path" must be an absolute path of this machine')
    if not request.is_local:
        raise RefusedError("a path of the server's machine can be named over its Unix socket only; send a manifest")
    return path


ROUTES = [("POST", "/snapshots", add_snapshot)]
GLOBAL_ROUTES = [("PUT", "/smalt/v1/blobs/{sha256}", put_blob), ("POST", "/smalt/v1/blobs", put_blobs)]
