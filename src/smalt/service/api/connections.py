"""Connections: their secrets are encrypted with a key of the home, and told only to who asks for them."""

from __future__ import annotations

import base64
import json
from typing import Any

from smalt.service.api.call import Call
from smalt.service.api.named import Body, Named
from smalt.service.api.router import Handler
from smalt.service.records.resources import Resource
from smalt.wire.casing import fold

_SECRET = frozenset({"pat", "sas", "password", "clientsecret", "secretaccesskey", "key", "keys", "refreshtoken"})
_SEALED = "sealed"


class _Connections(Named):
    def routes(self) -> list[tuple[str, str, Handler]]:
        return [*super().routes(), ("POST", "/connections/{name}/listsecrets", self.list_secrets)]

    async def list_secrets(self, call: Call) -> Body:
        """The connection with its secrets."""
        found = self.existing(call)
        shape = self.shape(call, found)
        sealed = found.content["properties"].get(_SEALED)
        if sealed:
            secrets = json.loads(_cipher(call).decrypt(sealed.encode()))
            shape["properties"]["credentials"] = {**(shape["properties"].get("credentials") or {}), **secrets}
        return shape

    def is_listed(self, call: Call, resource: Resource) -> bool:
        category = call.query("category")
        return not category or fold(category) == fold(str(resource.content["properties"].get("category")))

    def kept(self, call: Call, properties: Body, existed: Resource | None) -> Body:
        given = properties.get("credentials")
        if not isinstance(given, dict):
            return properties
        secrets = {key: value for key, value in given.items() if fold(key) in _SECRET and value is not None}
        kept = {**properties, "credentials": {key: value for key, value in given.items() if key not in secrets}}
        if secrets:
            kept[_SEALED] = _cipher(call).encrypt(json.dumps(secrets).encode()).decode()
        elif existed is not None and _SEALED in existed.content["properties"]:
            kept[_SEALED] = existed.content["properties"][_SEALED]  # a client sends back what it was shown
        return kept

    def shown(self, call: Call, resource: Resource, properties: Body) -> Body:
        known = {key: value for key, value in properties.items() if key != _SEALED}
        return {"metadata": {}, "isSharedToAll": True, **known}


def _cipher(call: Call) -> Any:
    from cryptography.fernet import Fernet  # slow to load, and rarely needed

    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(call.service.home.secret("connections").decode())))


CONNECTIONS = _Connections("connections", "connection", "connection")
