"""Azure's blob storage protocol over the datastores: `/<workspace folder>.blob.core.windows.net/<container>/<blob>`.

What the official client and azure-storage-blob use of it; `x-ms-version` is not looked at. The folders are the very
ones that jobs read and write (`service/data/blobs.py`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import logging
import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.responses import Response, StreamingResponse

from smalt.exceptions import NotFound, SmaltError, ValidationException
from smalt.service.api import errors
from smalt.service.api.blob import copy_sources, urls, xml
from smalt.service.api.native.datastore_files import mask_of
from smalt.service.api.request import Call
from smalt.service.api.request_body import consumed
from smalt.service.data.files.copying import remove_tree
from smalt.service.data.uploads.blobs import SNAPSHOTS, UPLOAD, Blob, Blobs
from smalt.service.engine.versions.overwrites import keep_before_write

log = logging.getLogger("smalt.api")

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_META = "x-ms-meta-"
_CHUNK = 1 << 20
_MOST_LISTED = 5000
_LARGEST_MD5 = 4 << 20  # as the service: of larger ranges none is given
_LARGEST_LIST = 16 << 20


def of(call: Call) -> Blobs:
    data = call.service.data
    return Blobs(call.service.home, call.workspace.folder, data.datastores, data.snapshots)


def local(call: Call, uri: str) -> Path | None:
    """Where a URL of this workspace's blobs leads on this machine; None for any other."""
    found = urls.own(call, uri)
    return of(call).path(urls.store(call, found[0]), found[1].strip("/")) if found else None


def end_upload(call: Call, uri: str) -> None:
    """The pending upload that the URL is of has been taken: its container goes."""
    found = urls.own(call, uri)
    if found is not None and UPLOAD.fullmatch(found[0]):
        remove_tree(of(call).root(found[0]))


async def serve(call: Call, container: str, name: str) -> Response:
    """The answer; every error as the storage clients read it."""
    try:
        if call.query("restype") == "account":
            return Response(headers={"x-ms-sku-name": "Standard_LRS", "x-ms-account-kind": "StorageV2"})
        return await (_Request(call, container, name).answer() if container else _account(call))
    except SmaltError as error:
        status, body, _ = errors.describe(error)
        code = "BlobNotFound" if status == 404 else error.code
        status = 409 if code == "BlobAlreadyExists" else status
        return _error(status, code, body["error"]["message"], call.method)


async def _account(call: Call) -> Response:
    """Of an account there is the list of its containers."""
    if call.method == "GET" and call.query("comp") == "list":
        names = urls.containers(call)
        text = xml.containers([name for name in names if name.startswith(call.query("prefix"))])
        return Response(text, media_type="application/xml")
    message = f"{call.method} of a storage account is not possible here, only the list of its containers"
    return _error(400, "UnsupportedOperation", message, call.method)


class _Request:
    def __init__(self, call: Call, container: str, name: str) -> None:
        self._call = call
        self._name = name
        self._container = container
        self._store = urls.store(call, container)
        self._blobs = of(call)

    async def answer(self) -> Response:
        call, comp = self._call, self._call.query("comp")
        if not self._name:
            return await self._container_answer(comp)
        if call.method in ("GET", "HEAD") and comp == "blocklist":
            return await self._list_blocks()
        unmet = await self._unmet()
        if unmet is not None:
            return unmet
        if call.method in ("GET", "HEAD"):
            blob = await asyncio.to_thread(self._blobs.get, self._store, self._name)
            return _properties(blob) if comp == "metadata" else await self._read(blob)
        if call.method == "DELETE" or (call.method == "PUT" and comp in ("", "blocklist")):
            await self._keep_versions()
        if call.method == "DELETE":
            await asyncio.to_thread(self._blobs.delete, self._store, self._name)
            return Response(status_code=202)
        if call.method == "PUT" and comp in _PUTS:
            response: Response = await _PUTS[comp](self)
            return response
        message = f"{call.method} with comp={comp!r} is not possible here"
        return _error(400, "UnsupportedOperation", message, call.method)

    async def _keep_versions(self) -> None:
        """Give what is registered there a place of its own before a blob of it is written over or deleted."""
        if self._store == SNAPSHOTS or not self._name.strip("/"):
            return
        path = self._blobs.path(self._store, self._name)
        if not (self._only_new() and path.exists()):
            await keep_before_write(self._call.service.engine.rooms, self._call.workspace, path, log.info)

    async def _container_answer(self, comp: str) -> Response:
        call = self._call
        if call.method == "GET" and comp == "list":
            return await self._list()
        if call.method not in ("GET", "HEAD", "PUT") or (call.method == "PUT" and comp):
            message = f"{call.method} of a container is not possible here: containers are datastores"
            return _error(400, "UnsupportedOperation", message, call.method)
        root = self._blobs.root(self._store) if self._store != SNAPSHOTS else None
        if UPLOAD.fullmatch(self._container) and root is not None and not root.is_dir():
            raise NotFound(f"there is no container '{self._container}'")
        if call.method == "PUT":
            return _error(409, "ContainerAlreadyExists", f"the container '{self._container}' exists", call.method)
        return Response(headers={"etag": '"0x1"', "last-modified": formatdate(0, usegmt=True)})

    async def _list(self) -> Response:
        call = self._call
        prefix, delimiter = call.query("prefix"), call.query("delimiter")
        most = min(max(1, call.number("maxresults", _MOST_LISTED)), _MOST_LISTED)
        after = _unmark(call.query("marker"))

        def listed() -> list[Blob | str]:
            return list(islice(self._blobs.list(self._store, prefix, delimiter, after), most + 1))

        items = await asyncio.to_thread(listed)
        marker = _mark(_name(items[most - 1])) if len(items) > most else ""
        text = xml.listing(
            self._container, items[:most], prefix=prefix, delimiter=delimiter, most=most, marker=marker,
            with_metadata="metadata" in call.query("include"),
        )  # fmt: skip
        return Response(text, media_type="application/xml")

    async def _unmet(self) -> Response | None:
        """The answer where If-Match or If-None-Match, with an ETag, forbids the operation."""
        headers = self._call.headers
        match, none = headers.get("if-match"), headers.get("if-none-match", "*")
        if match is None and none == "*":
            return None
        try:
            etag = f'"{(await asyncio.to_thread(self._blobs.get, self._store, self._name)).etag}"'
        except NotFound:
            etag = ""
        if none == etag and self._call.method in ("GET", "HEAD"):
            return Response(status_code=304, headers={"etag": etag})
        if none == etag or (match is not None and match not in ((etag, "*") if etag else ())):
            return _error(412, "ConditionNotMet", "the blob is another than the request is for", self._call.method)
        return None

    async def _read(self, blob: Blob) -> Response:
        headers = _headers(blob)
        given = self._call.headers.get("x-ms-range") or self._call.headers.get("range")
        first, last, status = 0, blob.size - 1, 200
        if given:
            found = _RANGE.fullmatch(given.strip())
            if found is None or int(found[1]) >= blob.size:
                return _error(416, "InvalidRange", f"the blob has {blob.size} bytes", self._call.method)
            first, status = int(found[1]), 206
            last = min(int(found[2] or last), last)
            headers["content-range"] = f"bytes {first}-{last}/{blob.size}"
            if headers.pop("content-md5", None) and blob.md5:
                headers["x-ms-blob-content-md5"] = blob.md5
        headers["content-length"] = str(last - first + 1)
        if self._call.method == "HEAD":
            return Response(status_code=status, headers=headers)
        path = self._blobs.path(self._store, blob.name)
        if mask := mask_of(self._call, self._store, blob.name):
            headers.pop("content-md5", None)
            return StreamingResponse(mask.pieces(path, first, last - first + 1), status, headers)
        if self._call.headers.get("x-ms-range-get-content-md5") == "true" and last - first < _LARGEST_MD5:
            headers["content-md5"] = await asyncio.to_thread(_md5, path, first, last - first + 1)
        return StreamingResponse(_part(path, first, last - first + 1), status, headers)

    async def _put(self) -> Response:
        kind = self._call.headers.get("x-ms-blob-type", "BlockBlob")
        if kind != "BlockBlob":
            return _error(400, "UnsupportedBlobType", f"a {kind} is not possible here, only a BlockBlob", "PUT")
        if "x-ms-copy-source" in self._call.headers:
            return await self._copy()
        md5 = self._md5("x-ms-blob-content-md5") or self._md5("content-md5")
        blob = await consumed(
            self._call,
            lambda blocks: self._blobs.put(
                self._store, self._name, blocks, only_new=self._only_new(), md5=md5, metadata=self._metadata()
            ),
        )
        return _written(blob)

    async def _copy(self) -> Response:
        """It is over at once; Copy Blob answers as for one that might not be, Put Blob From URL does not."""
        source = copy_sources.source(self._call)
        blob = await asyncio.to_thread(
            self._blobs.copy, source, self._store, self._name, only_new=self._only_new(), metadata=self._metadata()
        )
        if "x-ms-blob-type" in self._call.headers:
            return _written(blob)
        copied = _written(blob, 202)
        copied.headers.update({"x-ms-copy-id": blob.etag, "x-ms-copy-status": "success"})
        return copied

    async def _put_block(self) -> Response:
        id, md5 = self._call.query("blockid"), self._md5("content-md5")
        if not id or len(id) > 200:
            raise ValidationException("'blockid' must be a text of at most 200 characters")
        if "x-ms-copy-source" in self._call.headers:
            source = copy_sources.source(self._call)
            blob = await asyncio.to_thread(self._blobs.get, *source)
            first, last = copy_sources.part(self._call, blob.size)
            pieces = copy_sources.pieces(self._blobs.path(*source), first, last)
            await asyncio.to_thread(self._blobs.put_block, self._store, self._name, id, last - first + 1, pieces, md5)
            return Response(status_code=201)
        size = self._call.headers.get("content-length", "")
        if not size.isdecimal() or len(size) > 15:
            raise ValidationException("say how long the block is, by the header 'Content-Length'")
        await consumed(
            self._call, lambda pieces: self._blobs.put_block(self._store, self._name, id, int(size), pieces, md5)
        )
        return Response(status_code=201)

    async def _put_block_list(self) -> Response:
        parts, size = [], 0
        async for part in self._call.chunks():
            size += len(part)
            if size > _LARGEST_LIST:
                raise errors.TooLarge(f"the block list is larger than {_LARGEST_LIST} bytes")
            parts.append(part)
        ids = xml.block_ids(b"".join(parts))
        blob = await asyncio.to_thread(
            self._blobs.put_block_list, self._store, self._name, ids, only_new=self._only_new(),
            md5=self._md5("x-ms-blob-content-md5"), metadata=self._metadata(),
        )  # fmt: skip
        return _written(blob)

    async def _list_blocks(self) -> Response:
        """What was sent and not listed yet, for who goes on with an upload; what a blob was made of is not kept."""
        sizes = await asyncio.to_thread(self._blobs.blocks, self._store, self._name)
        wanted = self._call.query("blocklisttype", "committed") != "committed"
        if not sizes or not wanted:
            await asyncio.to_thread(self._blobs.get, self._store, self._name)
        return Response(xml.blocks(sizes if wanted else {}), media_type="application/xml")

    async def _put_metadata(self) -> Response:
        blob = await asyncio.to_thread(self._blobs.set_metadata, self._store, self._name, self._metadata())
        return _written(blob, 200)

    async def _put_properties(self) -> Response:
        """Content types and tiers are accepted; a file has none."""
        return _written(await asyncio.to_thread(self._blobs.get, self._store, self._name), 200)

    def _only_new(self) -> bool:
        return self._call.headers.get("if-none-match") == "*"

    def _metadata(self) -> dict[str, str]:
        return {name[len(_META) :]: value for name, value in self._call.headers.items() if name.startswith(_META)}

    def _md5(self, header: str) -> str | None:
        text = self._call.headers.get(header)
        if text is None:
            return None
        try:
            if len(base64.b64decode(text, validate=True)) == 16:
                return text
        except (binascii.Error, ValueError):
            pass
        raise ValidationException(f"the header '{header}' is not an MD5 in base64")


_PUTS: dict[str, Any] = {
    "": _Request._put,
    "block": _Request._put_block,
    "blocklist": _Request._put_block_list,
    "metadata": _Request._put_metadata,
    "properties": _Request._put_properties,
    "tier": _Request._put_properties,
}


async def _part(path: Path, first: int, count: int) -> AsyncIterator[bytes]:
    with open(path, "rb") as file:
        file.seek(first)
        while count > 0:
            chunk = await asyncio.to_thread(file.read, min(_CHUNK, count))
            if not chunk:
                return
            count -= len(chunk)
            yield chunk


def _md5(path: Path, first: int, count: int) -> str:
    with open(path, "rb") as file:
        file.seek(first)
        digest = hashlib.md5(file.read(count), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _headers(blob: Blob) -> dict[str, str]:
    headers = {
        "etag": f'"{blob.etag}"',
        "last-modified": formatdate(blob.modified, usegmt=True),
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": formatdate(blob.modified, usegmt=True),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "accept-ranges": "bytes",
        "content-type": "application/octet-stream",
        **{f"{_META}{name}": value for name, value in blob.metadata.items()},
    }
    return {**headers, "content-md5": blob.md5} if blob.md5 else headers


def _properties(blob: Blob) -> Response:
    return Response(headers=_headers(blob))


def _written(blob: Blob, status: int = 201) -> Response:
    kept = _headers(blob)
    return Response(status_code=status, headers={name: kept[name] for name in ("etag", "last-modified")})


def _error(status: int, code: str, message: str, method: str) -> Response:
    text = "" if method == "HEAD" else xml.error(code, message)
    return Response(text, status, {"x-ms-error-code": code}, media_type="application/xml")


def _name(item: Blob | str) -> str:
    return item if isinstance(item, str) else item.name


def _mark(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode("utf-8", "surrogateescape")).decode()


def _unmark(marker: str) -> str:
    try:
        return base64.urlsafe_b64decode(marker).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        raise ValidationException("'marker' is none that this server gave") from None
