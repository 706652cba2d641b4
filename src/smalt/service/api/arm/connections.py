"""Connections: their secrets are encrypted with a key of the home; only `listsecrets` returns them."""

from __future__ import annotations

import json

from smalt.service.api.arm.resource_collection import Body, ResourceCollection
from smalt.service.api.request import ApiRequest
from smalt.service.api.router import Handler
from smalt.service.records.resources import ResourceRecord
from smalt.service.secrets.encryption import SEALED, decrypt_text, encrypt_text
from smalt.wire.encoding.casing import fold_case

_SECRET = frozenset({"pat", "sas", "password", "clientsecret", "secretaccesskey", "key", "keys", "refreshtoken"})


class _ConnectionCollection(ResourceCollection):
    def list_routes(self) -> list[tuple[str, str, Handler]]:
        return [*super().list_routes(), ("POST", "/connections/{name}/listsecrets", self.list_secrets)]

    async def list_secrets(self, request: ApiRequest) -> Body:
        """Return the connection with its secrets."""
        found = self.find_resource(request)
        shape = self.render_resource(request, found)
        sealed = found.content["properties"].get(SEALED)
        if sealed:
            secrets = json.loads(decrypt_text(request.server.home, "connections", sealed))
            shape["properties"]["credentials"] = {**(shape["properties"].get("credentials") or {}), **secrets}
        return shape

    def is_listed(self, request: ApiRequest, resource: ResourceRecord) -> bool:
        category = request.get_query("category")
        return not category or fold_case(category) == fold_case(str(resource.content["properties"].get("category")))

    def prepare_properties(self, request: ApiRequest, properties: Body, existed: ResourceRecord | None) -> Body:
        properties = {key: value for key, value in properties.items() if key != SEALED}
        given = properties.get("credentials")
        if not isinstance(given, dict):
            return properties
        secrets = {key: value for key, value in given.items() if fold_case(key) in _SECRET and value is not None}
        kept = {**properties, "credentials": {key: value for key, value in given.items() if key not in secrets}}
        if secrets:
            kept[SEALED] = encrypt_text(request.server.home, "connections", json.dumps(secrets))
        elif existed is not None and SEALED in existed.content["properties"]:
            kept[SEALED] = existed.content["properties"][SEALED]  # a client sends back what it was shown
        return kept

    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        known = {key: value for key, value in properties.items() if key != SEALED}
        return {"metadata": {}, "isSharedToAll": True, **known}


CONNECTIONS = _ConnectionCollection("connections", "connection", "connection")
