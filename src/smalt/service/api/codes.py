"""Code: snapshots of folders, each content once."""

from __future__ import annotations

import asyncio
from typing import Any

from smalt.exceptions import Refused
from smalt.service.api.call import Call, Reply
from smalt.service.api.lists import page
from smalt.service.api.router import Handler
from smalt.service.api.shapes import properties_of, resource_id
from smalt.service.api.versioned import Collection, check_name
from smalt.service.data import Snapshot
from smalt.service.records import assets

_FIRST = "1"


class _Codes(Collection):
    def routes(self) -> list[tuple[str, str, Handler]]:
        upload = "/codes/{name}/versions/{version}/startPendingUpload"
        return [*super().routes(), ("POST", upload, start_pending_upload)]

    async def list_versions(self, call: Call) -> dict[str, Any]:
        """With `hash`, the code of that content whatever its name: clients make up a name each time."""
        wanted = call.query("hash")
        if not wanted:
            return await super().list_versions(call)
        found = assets.by_hash(call.service.db, call.workspace.id, "codes", wanted)
        return page(call, [found] if found else [], lambda version: self.version(call, version))

    async def put_version(self, call: Call) -> Reply:
        """Code that lies in a datastore becomes a snapshot."""
        name, version = call.name(), call.name("version")
        check_name(name)
        check_name(version, "version")
        properties = properties_of(await call.object())
        uri = properties.get("codeUri")
        if not isinstance(uri, str) or not uri.startswith("azureml://"):
            raise Refused("code is kept from a codeUri of a datastore (azureml://…); upload it there first")
        known = assets.get(call.service.db, call.workspace.id, "codes", name, version)
        if known is None or known.properties.get("codeUri") != uri:
            location = call.service.data.resolve(uri, call.workspace)
            path = await call.service.data.fetch(location)
            snapshot = await asyncio.to_thread(call.service.data.snapshots.add, path, ignore=False)
            _put(call, name, version, properties, snapshot.hash)
        found = assets.find(call.service.db, call.workspace.id, "codes", name, version, None)
        return Reply(self.version(call, found), 201 if known is None else 200)


CODES = _Codes("codes", "code", content=("codeUri",))


async def start_pending_upload(call: Call) -> None:
    raise Refused("this smalt takes no uploads of code by blob; submit with smalt's own client")


def keep(call: Call, snapshot: Snapshot) -> str:
    """The id of the code with that content; it is named by its hash, so that it is there once."""
    if assets.get(call.service.db, call.workspace.id, "codes", snapshot.hash, _FIRST) is None:
        properties = {
            "codeUri": f"smalt://snapshots/{snapshot.hash}",
            "isAnonymous": True,
            "properties": {"hash_sha256": snapshot.hash},
        }
        _put(call, snapshot.hash, _FIRST, properties, snapshot.hash)
    return f"{resource_id(call.workspace, 'codes', snapshot.hash)}/versions/{_FIRST}"


def _put(call: Call, name: str, version: str, properties: dict[str, Any], hash: str) -> None:
    assets.put(
        call.service.db, call.workspace.id, "codes", name, version, properties, call.principal, content_hash=hash
    )
