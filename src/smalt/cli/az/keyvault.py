"""`az keyvault …` on the vaults of the home: each workspace has one, which is called like its folder.

Whatever vault a script names, it is that of the workspace in effect, unless another workspace's is called so.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

import click

from smalt.cli.az.storage import Call

Row = dict[str, Any]


def set_secret(client: Any, call: Call) -> Row:
    name, value = _name(call), call.option("--value")
    file = call.option("-f", "--file")
    if value is None and file is None:
        raise click.UsageError("'az keyvault secret set' needs --value or --file")
    if value is None:
        with open(str(file), encoding="utf-8") as opened:
            value = opened.read()
    tags = dict(pair.partition("=")[::2] for pair in call.options.get("--tags", []))
    store = _secrets(client, call)
    store.set(name, value, tags=tags)
    return _shown(store, name, value)


def show(client: Any, call: Call) -> Row:
    store, name = _secrets(client, call), _name(call)
    found = store.get(name, _version(call), include_value=True)
    return _shown(store, name, found["value"], found)


def every(client: Any, call: Call) -> list[Row]:
    store = _secrets(client, call)
    return [_shown(store, one["name"], None, one) for one in store.list()]


def delete(client: Any, call: Call) -> Row:
    """Delete for good: there is nothing to purge or to recover after it."""
    store, name = _secrets(client, call), _name(call)
    found = _shown(store, name, None, store.get(name))
    store.delete(name)
    return found


def vault(client: Any, call: Call) -> Row:
    id = str(_workspace(client, call).workspaces.get().key_vault)
    return {"id": id, "name": posixpath.basename(id), "location": "local", "properties": {"vaultUri": _url(client, id)}}


ANSWERS: dict[str, Callable[[Any, Call], Any]] = {
    "keyvault create": vault,
    "keyvault list": lambda client, call: [vault(client, call)],
    "keyvault show": vault,
    "keyvault secret delete": delete,
    "keyvault secret list": every,
    "keyvault secret set": set_secret,
    "keyvault secret show": show,
}


def _name(call: Call) -> str:
    id = call.option("--id")
    return id.partition("/secrets/")[2].partition("/")[0] if id else call.needed("-n", "--name")


def _version(call: Call) -> str:
    id = call.option("--id")
    return id.partition("/secrets/")[2].partition("/")[2] if id else call.option("-v", "--version") or ""


def _secrets(client: Any, call: Call) -> Any:
    from smalt.client.collections.secrets import SecretOperations

    return SecretOperations(_workspace(client, call))


def _workspace(client: Any, call: Call) -> Any:
    """Return the client of the workspace whose vault is called as the command line says; else the client itself."""
    from smalt.client import MLClient
    from smalt.wire.encoding.ids import parse_id

    id = call.option("--id")
    wanted = id.partition("://")[2].partition(".")[0] if id else call.option("--vault-name")
    for one in client.workspaces.list(scope="home"):
        found = parse_id(str(one.id))
        if found is not None and str(one.key_vault).rpartition("/")[2].lower() == str(wanted).lower():
            return MLClient(None, *found[:3], _makes_workspaces=False)
    return client


def _url(client: Any, id: str) -> str:
    return f"{client.connection.post('/smalt/v1/tls')['url']}/vaults/{posixpath.basename(id)}"


def _shown(store: Any, name: str, value: str | None, found: Row | None = None) -> Row:
    about = found or store.get(name)
    id = f"https://smalt.vault.azure.net/secrets/{name}/{about.get('version', '')}".rstrip("/")
    shown = {"id": id, "name": name, "attributes": {"enabled": about["enabled"]}, "tags": about["tags"] or None}
    return {**shown, "value": value} if value is not None else shown
