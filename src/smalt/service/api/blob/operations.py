"""Azure's blob storage protocol over the datastores: `/<workspace folder>.blob.core.windows.net/<container>/<blob>`.

Covers the operations that the official client and azure-storage-blob use; `x-ms-version` is ignored. The folders are
those that jobs read and write (`service/data/uploads/blobs.py`).
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
from smalt.service.api.auth.job_reads import note_blob_read
from smalt.service.api.blob import copy_sources, urls, xml
from smalt.service.api.native.datastore_files import find_mask
from smalt.service.api.request import ApiRequest
from smalt.service.api.request_body import process_body
from smalt.service.data.files.copying import remove_tree
from smalt.service.data.uploads.blobs import SNAPSHOTS, UPLOAD, Blob, Blobs
from smalt.service.engine.versions.overwrites import copy_aside_before_request

log = logging.getLogger("smalt.api")

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_META = "x-ms-meta-"
_CHUNK = 1 << 20
_MOST_LISTED = 5000
_LARGEST_MD5 = 4 << 20  # as the service: of larger ranges none is given
_LARGEST_LIST = 16 << 20


def open_blobs(request: ApiRequest) -> Blobs:
    data = request.server.data
    return Blobs(request.server.home, request.workspace.folder, data.datastores, data.snapshots)


def find_local_path(request: ApiRequest, uri: str) -> Path | None:
    """Return the path on this machine of a URL of this workspace's blobs; None for any other URL."""
    found = urls.parse_own_url(request, uri)
    return open_blobs(request).get_path(urls.find_datastore(request, found[0]), found[1].strip("/")) if found else None


def finish_upload(request: ApiRequest, uri: str) -> None:
    """Remove the container of a pending upload whose content has been stored."""
    found = urls.parse_own_url(request, uri)
    if found is not None and UPLOAD.fullmatch(found[0]):
        remove_tree(open_blobs(request).get_root(found[0]))


async def handle_request(request: ApiRequest, container: str, name: str) -> Response:
    """Return the answer; errors have the form that storage clients parse."""
    try:
        if request.get_query("restype") == "account":
            return Response(headers={"x-ms-sku-name": "Standard_LRS", "x-ms-account-kind": "StorageV2"})
        return await (_BlobRequest(request, container, name).handle_blob() if container else _handle_account(request))
    except SmaltError as error:
        status, body, _ = errors.render_error(error)
        code = "BlobNotFound" if status == 404 else error.code
        status = 409 if code == "BlobAlreadyExists" else status
        return _build_error_response(status, code, body["error"]["message"], request.method)


async def _handle_account(request: ApiRequest) -> Response:
    """List the containers of an account, the only operation on accounts."""
    if request.method == "GET" and request.get_query("comp") == "list":
        names = urls.list_containers(request)
        text = xml.render_containers([name for name in names if name.startswith(request.get_query("prefix"))])
        return Response(text, media_type="application/xml")
    message = f"{request.method} of a storage account is not possible here, only the list of its containers"
    return _build_error_response(400, "UnsupportedOperation", message, request.method)


class _BlobRequest:
    def __init__(self, request: ApiRequest, container: str, name: str) -> None:
        self._request = request
        self._name = name
        self._container = container
        self._store = urls.find_datastore(request, container)
        self._blobs = open_blobs(request)

    async def handle_blob(self) -> Response:
        request, comp = self._request, self._request.get_query("comp")
        if not self._name:
            return await self._handle_container(comp)
        if request.method in ("GET", "HEAD") and comp == "blocklist":
            return await self._list_blocks()
        unmet = await self._check_conditions()
        if unmet is not None:
            return unmet
        if request.method in ("GET", "HEAD"):
            blob = await asyncio.to_thread(self._blobs.get_blob, self._store, self._name)
            return _build_properties_response(blob) if comp == "metadata" else await self._read_blob(blob)
        if request.method == "DELETE" or (request.method == "PUT" and comp in ("", "blocklist")):
            await self._keep_registered_versions()
        if request.method == "DELETE":
            await asyncio.to_thread(self._blobs.delete_blob, self._store, self._name)
            return Response(status_code=202)
        if request.method == "PUT" and comp in _PUTS:
            response: Response = await _PUTS[comp](self)
            return response
        message = f"{request.method} with comp={comp!r} is not possible here"
        return _build_error_response(400, "UnsupportedOperation", message, request.method)

    async def _keep_registered_versions(self) -> None:
        """Copy registered content aside before a blob of it is overwritten or deleted."""
        if self._store == SNAPSHOTS or not self._name.strip("/"):
            return
        path = self._blobs.get_path(self._store, self._name)
        if not (self._is_only_new() and path.exists()):
            await copy_aside_before_request(
                self._request.server.engine.context, self._request.workspace, path, log.info
            )

    async def _handle_container(self, comp: str) -> Response:
        request = self._request
        if request.method == "GET" and comp == "list":
            self._note_read()
            return await self._list_blobs()
        if request.method not in ("GET", "HEAD", "PUT") or (request.method == "PUT" and comp):
            message = f"{request.method} of a container is not possible here: containers are datastores"
            return _build_error_response(400, "UnsupportedOperation", message, request.method)
        root = self._blobs.get_root(self._store) if self._store != SNAPSHOTS else None
        if UPLOAD.fullmatch(self._container) and root is not None and not root.is_dir():
            raise NotFound(f"there is no container '{self._container}'")
        if request.method == "PUT":
            return _build_error_response(
                409, "ContainerAlreadyExists", f"the container '{self._container}' exists", request.method
            )
        return Response(headers={"etag": '"0x1"', "last-modified": formatdate(0, usegmt=True)})

    async def _list_blobs(self) -> Response:
        request = self._request
        prefix, delimiter = request.get_query("prefix"), request.get_query("delimiter")
        most = min(max(1, request.get_number("maxresults", _MOST_LISTED)), _MOST_LISTED)
        after = _decode_marker(request.get_query("marker"))

        def listed() -> list[Blob | str]:
            return list(islice(self._blobs.list_blobs(self._store, prefix, delimiter, after), most + 1))

        items = await asyncio.to_thread(listed)
        marker = _encode_marker(_get_item_name(items[most - 1])) if len(items) > most else ""
        text = xml.render_listing(
            self._container, items[:most], prefix=prefix, delimiter=delimiter, most=most, marker=marker,
            with_metadata="metadata" in request.get_query("include"),
        )  # fmt: skip
        return Response(text, media_type="application/xml")

    async def _check_conditions(self) -> Response | None:
        """Return the error answer if If-Match or If-None-Match, with an ETag, forbids the operation."""
        headers = self._request.headers
        match, none = headers.get("if-match"), headers.get("if-none-match", "*")
        if match is None and none == "*":
            return None
        try:
            etag = f'"{(await asyncio.to_thread(self._blobs.get_blob, self._store, self._name)).etag}"'
        except NotFound:
            etag = ""
        if none == etag and self._request.method in ("GET", "HEAD"):
            return Response(status_code=304, headers={"etag": etag})
        if none == etag or (match is not None and match not in ((etag, "*") if etag else ())):
            return _build_error_response(
                412,
                "ConditionNotMet",
                "the blob does not meet the condition of the request",
                self._request.method,
            )
        return None

    async def _read_blob(self, blob: Blob) -> Response:
        headers = _build_headers(blob)
        given = self._request.headers.get("x-ms-range") or self._request.headers.get("range")
        first, last, status = 0, blob.size - 1, 200
        if given:
            found = _RANGE.fullmatch(given.strip())
            if found is None or int(found[1]) >= blob.size:
                return _build_error_response(
                    416, "InvalidRange", f"the blob has {blob.size} bytes", self._request.method
                )
            first, status = int(found[1]), 206
            last = min(int(found[2] or last), last)
            headers["content-range"] = f"bytes {first}-{last}/{blob.size}"
            if headers.pop("content-md5", None) and blob.md5:
                headers["x-ms-blob-content-md5"] = blob.md5
        headers["content-length"] = str(last - first + 1)
        if self._request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        self._note_read()
        path = self._blobs.get_path(self._store, blob.name)
        if mask := find_mask(self._request, self._store, blob.name):
            headers.pop("content-md5", None)
            return StreamingResponse(mask.read_pieces(path, first, last - first + 1), status, headers)
        if self._request.headers.get("x-ms-range-get-content-md5") == "true" and last - first < _LARGEST_MD5:
            headers["content-md5"] = await asyncio.to_thread(_compute_md5, path, first, last - first + 1)
        return StreamingResponse(_read_range(path, first, last - first + 1), status, headers)

    def _note_read(self) -> None:
        """Record that a job which has a link reads or lists the datastore."""
        request = self._request
        query = request.scope["query_string"].decode("latin-1")
        if "sig=" in query:
            note_blob_read(request.server.db, request.server.find_link_job(query), self._store)

    async def _put_blob(self) -> Response:
        kind = self._request.headers.get("x-ms-blob-type", "BlockBlob")
        if kind != "BlockBlob":
            return _build_error_response(
                400, "UnsupportedBlobType", f"blobs of type {kind} are not supported here, only BlockBlob", "PUT"
            )
        if "x-ms-copy-source" in self._request.headers:
            return await self._copy_blob()
        md5 = self._read_md5_header("x-ms-blob-content-md5") or self._read_md5_header("content-md5")
        blob = await process_body(
            self._request,
            lambda blocks: self._blobs.put_blob(
                self._store, self._name, blocks, only_new=self._is_only_new(), md5=md5, metadata=self._get_metadata()
            ),
        )
        return _build_written_response(blob)

    async def _copy_blob(self) -> Response:
        """Copy at once; Copy Blob answers as if it might continue, Put Blob From URL does not."""
        source = copy_sources.find_source(self._request)
        blob = await asyncio.to_thread(
            self._blobs.copy_blob,
            source,
            self._store,
            self._name,
            only_new=self._is_only_new(),
            metadata=self._get_metadata(),
        )
        if "x-ms-blob-type" in self._request.headers:
            return _build_written_response(blob)
        copied = _build_written_response(blob, 202)
        copied.headers.update({"x-ms-copy-id": blob.etag, "x-ms-copy-status": "success"})
        return copied

    async def _put_block(self) -> Response:
        id, md5 = self._request.get_query("blockid"), self._read_md5_header("content-md5")
        if not id or len(id) > 200:
            raise ValidationException("'blockid' must be a text of at most 200 characters")
        if "x-ms-copy-source" in self._request.headers:
            source = copy_sources.find_source(self._request)
            blob = await asyncio.to_thread(self._blobs.get_blob, *source)
            first, last = copy_sources.parse_range(self._request, blob.size)
            pieces = copy_sources.read_pieces(self._blobs.get_path(*source), first, last)
            await asyncio.to_thread(self._blobs.put_block, self._store, self._name, id, last - first + 1, pieces, md5)
            return Response(status_code=201)
        size = self._request.headers.get("content-length", "")
        if not size.isdecimal() or len(size) > 15:
            raise ValidationException("send the length of the block in the header 'Content-Length'")
        await process_body(
            self._request, lambda pieces: self._blobs.put_block(self._store, self._name, id, int(size), pieces, md5)
        )
        return Response(status_code=201)

    async def _put_block_list(self) -> Response:
        parts, size = [], 0
        async for part in self._request.read_chunks():
            size += len(part)
            if size > _LARGEST_LIST:
                raise errors.BodyTooLarge(f"the block list is larger than {_LARGEST_LIST} bytes")
            parts.append(part)
        ids = xml.parse_block_ids(b"".join(parts))
        blob = await asyncio.to_thread(
            self._blobs.put_block_list, self._store, self._name, ids, only_new=self._is_only_new(),
            md5=self._read_md5_header("x-ms-blob-content-md5"), metadata=self._get_metadata(),
        )  # fmt: skip
        return _build_written_response(blob)

    async def _list_blocks(self) -> Response:
        """List the uncommitted blocks, for clients that resume an upload; blocks of a committed blob are not
        recorded."""
        sizes = await asyncio.to_thread(self._blobs.list_blocks, self._store, self._name)
        wanted = self._request.get_query("blocklisttype", "committed") != "committed"
        if not sizes or not wanted:
            await asyncio.to_thread(self._blobs.get_blob, self._store, self._name)
        return Response(xml.render_blocks(sizes if wanted else {}), media_type="application/xml")

    async def _put_metadata(self) -> Response:
        blob = await asyncio.to_thread(self._blobs.set_metadata, self._store, self._name, self._get_metadata())
        return _build_written_response(blob, 200)

    async def _put_properties(self) -> Response:
        """Accept content types and tiers, which a file does not have."""
        return _build_written_response(await asyncio.to_thread(self._blobs.get_blob, self._store, self._name), 200)

    def _is_only_new(self) -> bool:
        return self._request.headers.get("if-none-match") == "*"

    def _get_metadata(self) -> dict[str, str]:
        return {name[len(_META) :]: value for name, value in self._request.headers.items() if name.startswith(_META)}

    def _read_md5_header(self, header: str) -> str | None:
        text = self._request.headers.get(header)
        if text is None:
            return None
        try:
            if len(base64.b64decode(text, validate=True)) == 16:
                return text
        except (binascii.Error, ValueError):
            pass
        raise ValidationException(f"the header '{header}' is not an MD5 in base64")


_PUTS: dict[str, Any] = {
    "": _BlobRequest._put_blob,
    "block": _BlobRequest._put_block,
    "blocklist": _BlobRequest._put_block_list,
    "metadata": _BlobRequest._put_metadata,
    "properties": _BlobRequest._put_properties,
    "tier": _BlobRequest._put_properties,
}


async def _read_range(path: Path, first: int, count: int) -> AsyncIterator[bytes]:
    with open(path, "rb") as file:
        file.seek(first)
        while count > 0:
            chunk = await asyncio.to_thread(file.read, min(_CHUNK, count))
            if not chunk:
                return
            count -= len(chunk)
            yield chunk


def _compute_md5(path: Path, first: int, count: int) -> str:
    with open(path, "rb") as file:
        file.seek(first)
        digest = hashlib.md5(file.read(count), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _build_headers(blob: Blob) -> dict[str, str]:
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


def _build_properties_response(blob: Blob) -> Response:
    return Response(headers=_build_headers(blob))


def _build_written_response(blob: Blob, status: int = 201) -> Response:
    kept = _build_headers(blob)
    return Response(status_code=status, headers={name: kept[name] for name in ("etag", "last-modified")})


def _build_error_response(status: int, code: str, message: str, method: str) -> Response:
    text = "" if method == "HEAD" else xml.render_error(code, message)
    return Response(text, status, {"x-ms-error-code": code}, media_type="application/xml")


def _get_item_name(item: Blob | str) -> str:
    return item if isinstance(item, str) else item.name


def _encode_marker(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode("utf-8", "surrogateescape")).decode()


def _decode_marker(marker: str) -> str:
    try:
        return base64.urlsafe_b64decode(marker).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        raise ValidationException("'marker' is not one that this server gave") from None
