"""Lookup of a workspace's connections, with their secrets, for the steps that open them."""

from __future__ import annotations

import json
from typing import Any

from smalt import wire
from smalt.exceptions import NotFound
from smalt.service.engine.context import EngineContext
from smalt.service.records import resources
from smalt.service.records.workspaces import Workspace
from smalt.service.secrets.encryption import SEALED, decrypt_text

_KIND = "connections"


def find_connection(context: EngineContext, workspace: Workspace, text: str) -> Any:
    """Return the connection that `azureml:NAME`, its ARM id or its bare name means, as an entity with its secrets."""
    name = text.removeprefix("azureml:").rstrip("/").rpartition("/connections/")[2] or text
    found = resources.get_resource(context.db, workspace.id, _KIND, name)
    if found is None:
        known = [one.name for one in resources.list_resources(context.db, workspace.id, _KIND)]
        names = f"; there are {', '.join(known[:10])}" if known else ""
        raise NotFound(
            f"there is no connection '{name}' in workspace '{workspace.name}'{names}; "
            "make one with 'smalt connection create -f FILE' or ml_client.connections.create_or_update"
        )
    properties = dict(found.content["properties"])
    sealed = properties.pop(SEALED, None)
    if sealed:
        secrets = json.loads(decrypt_text(context.home, _KIND, str(sealed)))
        properties["credentials"] = {**(properties.get("credentials") or {}), **secrets}
    return wire.from_rest({"name": found.name, "properties": properties}, "connection", is_answer=True)
