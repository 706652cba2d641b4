"""`az keyvault …` on the vaults of the home: each workspace has one, named like its folder.

A vault name that no workspace's vault has means the vault of the workspace in effect.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.az.storage import AzCall

if TYPE_CHECKING:
    from smalt.client import MLClient

Row = dict[str, Any]


def set_secret(client: MLClient, call: AzCall) -> Row:
    name, value = _get_name(call), call.get_option("--value")
    file = call.get_option("-f", "--file")
    if value is None and file is None:
        raise click.UsageError("'az keyvault secret set' needs --value or --file")
    if value is None:
        with open(str(file), encoding="utf-8") as opened:
            value = opened.read()
    tags = dict(pair.partition("=")[::2] for pair in call.options.get("--tags", []))
    store = _get_secrets(client, call)
    store.set(name, value, tags=tags)
    return _format_secret(store, name, value)


def show_secret(client: MLClient, call: AzCall) -> Row:
    store, name = _get_secrets(client, call), _get_name(call)
    found = store.get(name, _get_version(call), include_value=True)
    return _format_secret(store, name, found["value"], found)


def list_secrets(client: MLClient, call: AzCall) -> list[Row]:
    store = _get_secrets(client, call)
    return [_format_secret(store, one["name"], None, one) for one in store.list()]


def delete_secret(client: MLClient, call: AzCall) -> Row:
    """Delete a secret permanently; there is nothing to purge or recover afterwards."""
    store, name = _get_secrets(client, call), _get_name(call)
    found = _format_secret(store, name, None, store.get(name))
    store.delete(name)
    return found


def show_vault(client: MLClient, call: AzCall) -> Row:
    id = str(_find_vault_client(client, call).workspaces.get().key_vault)
    return {
        "id": id,
        "name": posixpath.basename(id),
        "location": "local",
        "properties": {"vaultUri": _build_url(client, id)},
    }


ANSWERS: dict[str, Callable[[MLClient, AzCall], Any]] = {
    "keyvault create": show_vault,
    "keyvault list": lambda client, call: [show_vault(client, call)],
    "keyvault show": show_vault,
    "keyvault secret delete": delete_secret,
    "keyvault secret list": list_secrets,
    "keyvault secret set": set_secret,
    "keyvault secret show": show_secret,
}


def _get_name(call: AzCall) -> str:
    id = call.get_option("--id")
    return id.partition("/secrets/")[2].partition("/")[0] if id else call.get_required("-n", "--name")


def _get_version(call: AzCall) -> str:
    id = call.get_option("--id")
    return id.partition("/secrets/")[2].partition("/")[2] if id else call.get_option("-v", "--version") or ""


def _get_secrets(client: MLClient, call: AzCall) -> Any:
    from smalt.client.collections.secrets import SecretOperations

    return SecretOperations(_find_vault_client(client, call))


def _find_vault_client(client: MLClient, call: AzCall) -> Any:
    """Return the client of the workspace whose vault the command line names; else the client itself."""
    from smalt.client import MLClient
    from smalt.wire.encoding.ids import parse_id

    id = call.get_option("--id")
    wanted = id.partition("://")[2].partition(".")[0] if id else call.get_option("--vault-name")
    for one in client.workspaces.list(scope="home"):
        found = parse_id(str(one.id))
        if found is not None and str(one.key_vault).rpartition("/")[2].lower() == str(wanted).lower():
            return MLClient(None, *found[:3], _makes_workspaces=False)
    return client


def _build_url(client: MLClient, id: str) -> str:
    return f"{client.connection.post('/smalt/v1/tls')['url']}/vaults/{posixpath.basename(id)}"


def _format_secret(store: Any, name: str, value: str | None, found: Row | None = None) -> Row:
    about = found or store.get(name)
    id = f"https://smalt.vault.azure.net/secrets/{name}/{about.get('version', '')}".rstrip("/")
    shown = {"id": id, "name": name, "attributes": {"enabled": about["enabled"]}, "tags": about["tags"] or None}
    return {**shown, "value": value} if value is not None else shown
