"""Connections: their secrets are encrypted with a key of the home, and told only to who asks for them."""

from __future__ import annotations

import json

from smalt.service.api.arm.resource_collection import Body, Named
from smalt.service.api.request import Call
from smalt.service.api.router import Handler
from smalt.service.records.resources import ResourceRecord
from smalt.service.secrets.encryption import SEALED, seal, unseal
from smalt.wire.encoding.casing import fold

_SECRET = frozenset({"pat", "sas", "password", "clientsecret", "secretaccesskey", "key", "keys", "refreshtoken"})


class _Connections(Named):
    def routes(self) -> list[tuple[str, str, Handler]]:
        return [*super().routes(), ("POST", "/connections/{name}/listsecrets", self.list_secrets)]

    async def list_secrets(self, call: Call) -> Body:
        """The connection with its secrets."""
        found = self.existing(call)
        shape = self.shape(call, found)
        sealed = found.content["properties"].get(SEALED)
        if sealed:
            secrets = json.loads(unseal(call.service.home, "connections", sealed))
            shape["properties"]["credentials"] = {**(shape["properties"].get("credentials") or {}), **secrets}
        return shape

    def is_listed(self, call: Call, resource: ResourceRecord) -> bool:
        category = call.query("category")
        return not category or fold(category) == fold(str(resource.content["properties"].get("category")))

    def kept(self, call: Call, properties: Body, existed: ResourceRecord | None) -> Body:
        properties = {key: value for key, value in properties.items() if key != SEALED}
        given = properties.get("credentials")
        if not isinstance(given, dict):
            return properties
        secrets = {key: value for key, value in given.items() if fold(key) in _SECRET and value is not None}
        kept = {**properties, "credentials": {key: value for key, value in given.items() if key not in secrets}}
        if secrets:
            kept[SEALED] = seal(call.service.home, "connections", json.dumps(secrets))
        elif existed is not None and SEALED in existed.content["properties"]:
            kept[SEALED] = existed.content["properties"][SEALED]  # a client sends back what it was shown
        return kept

    def shown(self, call: Call, resource: ResourceRecord, properties: Body) -> Body:
        known = {key: value for key, value in properties.items() if key != SEALED}
        return {"metadata": {}, "isSharedToAll": True, **known}


CONNECTIONS = _Connections("connections", "connection", "connection")
