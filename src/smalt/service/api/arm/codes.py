"""Code: snapshots of folders, each content once."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

from smalt.exceptions import NotFound, Refused
from smalt.service.api.arm.asset_collection import Collection, check_name
from smalt.service.api.blob import operations as blob_operations
from smalt.service.api.blob import urls as blob_urls
from smalt.service.api.pagination import page
from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import properties_of, resource_id
from smalt.service.api.router import Handler
from smalt.service.data import Snapshot
from smalt.service.data.uploads.blobs import SNAPSHOTS
from smalt.service.records import assets
from smalt.service.registry.workspace_assets import FIRST, keep_code


class _Codes(Collection):
    def routes(self) -> list[tuple[str, str, Handler]]:
        upload = "/codes/{name}/versions/{version}/startPendingUpload"
        return [*super().routes(), ("POST", upload, start_pending_upload)]

    async def list_versions(self, call: Call) -> dict[str, Any]:
        """With `hash`, the code of that content whatever its name: clients make up a name each time."""
        wanted = call.query("hash")
        if not wanted:
            return await super().list_versions(call)
        found = assets.find_code(call.service.db, call.workspace.id, wanted)
        return page(call, [found] if found else [], lambda version: self.version(call, version))

    async def put_version(self, call: Call) -> Reply:
        """Code that lies in a datastore, or was just uploaded as blobs, becomes a snapshot."""
        name, version = call.name(), call.name("version")
        check_name(name)
        check_name(version, "version")
        properties = properties_of(await call.object())
        uri = properties.get("codeUri")
        if not isinstance(uri, str) or not uri.startswith(("azureml://", "https://", "http://")):
            raise Refused("code is kept from a codeUri of a datastore (azureml://…); upload it there first")
        known = assets.get_version(call.service.db, call.workspace.id, "codes", name, version)
        if known is None or known.properties.get("codeUri") != uri:
            path = await _path(call, uri)
            if known is None or path.exists():  # sent again, when the upload was taken already, it is the same code
                snapshot = await asyncio.to_thread(call.service.data.snapshots.add, path, ignore=False)
                kept = properties if uri.startswith("azureml:") else {**properties, "codeUri": _snapshot_uri(snapshot)}
                _put(call, name, version, kept, snapshot.hash)
                await asyncio.to_thread(blob_operations.end_upload, call, uri)
        found = assets.find_version(call.service.db, call.workspace.id, "codes", name, version, None)
        return Reply(self.version(call, found), 201 if known is None else 200)

    def version(self, call: Call, version: assets.AssetVersion) -> dict[str, Any]:
        """Over TCP its content has a URL, of blobs for reading."""
        shape = super().version(call, version)
        if not call.is_local and version.content_hash:
            uri = f"{blob_urls.url(call, SNAPSHOTS)}/{version.content_hash}"
            shape["properties"] = {**shape["properties"], "codeUri": uri}
        return shape


CODES = _Codes("codes", "code", content=("codeUri",))


async def start_pending_upload(call: Call) -> dict[str, Any]:
    """A container of its own, and a link that opens it."""
    uri = blob_urls.url(call, container := blob_operations.of(call).new_upload())
    query = call.service.sign(call.workspace, container, call.job)
    credential = {"credentialType": "SAS", "sasUri": f"{uri}?{query}"}
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {"blobUri": uri, "storageAccountArmId": "", "credential": credential},
    }


def keep(call: Call, snapshot: Snapshot) -> str:
    """The id of the code with that content."""
    keep_code(call.service.db, call.workspace, snapshot, call.principal)
    return f"{resource_id(call.workspace, 'codes', snapshot.hash)}/versions/{FIRST}"


async def _path(call: Call, uri: str) -> Path:
    own = blob_operations.local(call, uri)
    if own is not None:
        return own
    if not uri.startswith("azureml:"):
        raise NotFound(f"{uri[:200]} is not a blob of this workspace; upload the code with startPendingUpload first")
    return await call.service.data.fetch(call.service.data.resolve(uri, call.workspace))


def _snapshot_uri(snapshot: Snapshot) -> str:
    return f"smalt://snapshots/{snapshot.hash}"


def _put(call: Call, name: str, version: str, properties: dict[str, Any], hash: str) -> None:
    assets.put_version(
        call.service.db, call.workspace.id, "codes", name, version, properties, call.principal, content_hash=hash
    )
