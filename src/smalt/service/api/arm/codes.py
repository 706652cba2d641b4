"""Code: snapshots of folders, each content once."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

from smalt.exceptions import NotFound, RefusedError
from smalt.service.api.arm.asset_collection import AssetCollection, check_asset_name
from smalt.service.api.blob import operations as blob_operations
from smalt.service.api.blob import urls as blob_urls
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_resource_id, get_properties
from smalt.service.api.router import Handler
from smalt.service.data import Snapshot
from smalt.service.data.uploads.blobs import SNAPSHOTS
from smalt.service.records import assets
from smalt.service.registry.workspace_assets import FIRST, register_code


class _CodeCollection(AssetCollection):
    def list_routes(self) -> list[tuple[str, str, Handler]]:
        upload = "/codes/{name}/versions/{version}/startPendingUpload"
        return [*super().list_routes(), ("POST", upload, start_pending_upload)]

    async def list_versions(self, request: ApiRequest) -> dict[str, Any]:
        """List the versions; with `hash`, the code with that content under any name, as clients make up a name each
        time."""
        wanted = request.get_query("hash")
        if not wanted:
            return await super().list_versions(request)
        found = assets.find_code(request.server.db, request.workspace.id, wanted)
        return build_page(request, [found] if found else [], lambda version: self.render_version(request, version))

    async def put_version(self, request: ApiRequest) -> ApiResponse:
        """Store code from a datastore, or just uploaded as blobs, as a snapshot."""
        name, version = request.get_name(), request.get_name("version")
        check_asset_name(name)
        check_asset_name(version, "version")
        properties = get_properties(await request.read_object())
        uri = properties.get("codeUri")
        if not isinstance(uri, str) or not uri.startswith(("azureml://", "https://", "http://")):
            raise RefusedError("code is kept from a codeUri of a datastore (azureml://…); upload it there first")
        known = assets.get_version(request.server.db, request.workspace.id, "codes", name, version)
        if known is None or known.properties.get("codeUri") != uri:
            path = await _find_code_path(request, uri)
            if known is None or path.exists():  # sent again, when the upload was taken already, it is the same code
                snapshot = await asyncio.to_thread(request.server.data.snapshots.add, path, ignore=False)
                kept = (
                    properties
                    if uri.startswith("azureml:")
                    else {**properties, "codeUri": _build_snapshot_uri(snapshot)}
                )
                _put_code_version(request, name, version, kept, snapshot.hash)
                await asyncio.to_thread(blob_operations.finish_upload, request, uri)
        found = assets.find_version(request.server.db, request.workspace.id, "codes", name, version, None)
        return ApiResponse(self.render_version(request, found), 201 if known is None else 200)

    def render_version(self, request: ApiRequest, version: assets.AssetVersion) -> dict[str, Any]:
        """Return the REST body; over TCP the content has the URL of a blob container."""
        shape = super().render_version(request, version)
        if not request.is_local and version.content_hash:
            uri = f"{blob_urls.build_url(request, SNAPSHOTS)}/{version.content_hash}"
            shape["properties"] = {**shape["properties"], "codeUri": uri}
        return shape


CODES = _CodeCollection("codes", "code", content=("codeUri",))


async def start_pending_upload(request: ApiRequest) -> dict[str, Any]:
    """Create an upload container and return its URL with a signed link."""
    uri = blob_urls.build_url(request, container := blob_operations.open_blobs(request).create_upload())
    query = request.server.sign_container(request.workspace, container, request.job)
    credential = {"credentialType": "SAS", "sasUri": f"{uri}?{query}"}
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {"blobUri": uri, "storageAccountArmId": "", "credential": credential},
    }


def register_snapshot(request: ApiRequest, snapshot: Snapshot) -> str:
    """Register a snapshot as code and return its id."""
    register_code(request.server.db, request.workspace, snapshot, request.principal)
    return f"{build_resource_id(request.workspace, 'codes', snapshot.hash)}/versions/{FIRST}"


async def _find_code_path(request: ApiRequest, uri: str) -> Path:
    own = blob_operations.find_local_path(request, uri)
    if own is not None:
        return own
    if not uri.startswith("azureml:"):
        raise NotFound(f"{uri[:200]} is not a blob of this workspace; upload the code with startPendingUpload first")
    return await request.server.data.fetch(request.server.data.resolve(uri, request.workspace))


def _build_snapshot_uri(snapshot: Snapshot) -> str:
    return f"smalt://snapshots/{snapshot.hash}"


def _put_code_version(request: ApiRequest, name: str, version: str, properties: dict[str, Any], hash: str) -> None:
    assets.put_version(
        request.server.db,
        request.workspace.id,
        "codes",
        name,
        version,
        properties,
        request.principal,
        content_hash=hash,
    )
