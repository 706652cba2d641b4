"""`az storage …` on the workspace's datastores, which are the containers of its only storage account.

Scripts may give the account's name, key and connection string; there is only one account.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from smalt.client import MLClient

Row = dict[str, Any]


class AzCall(NamedTuple):
    """A parsed command line of `az`."""

    words: list[str]
    """The positional words."""
    options: dict[str, list[str]]
    """By long or short name; an option without a value has none."""

    def get_option(self, *names: str) -> str | None:
        return next((values[0] for name in names if (values := self.options.get(name))), None)

    def has_flag(self, name: str) -> bool:
        values = self.options.get(name)
        return values is not None and values[:1] not in (["false"], ["False"])

    def get_required(self, *names: str) -> str:
        value = self.get_option(*names)
        if value is None:
            raise click.UsageError(f"'az {' '.join(self.words)}' needs {names[-1]}")
        return value


def upload_blob(client: MLClient, call: AzCall) -> Row:
    store, file = _get_container_datastore(client, call), call.get_required("-f", "--file")
    name = call.get_option("-n", "--name") or os.path.basename(file)
    _upload_file(client, store, file, name, call.has_flag("--overwrite"))
    return {"name": name}


def upload_batch(client: MLClient, call: AzCall) -> list[Row]:
    store, folder = _split_place(client, call.get_required("-d", "--destination"))
    source, patterns = call.get_required("-s", "--source"), call.options.get("--pattern", [])
    folder = posixpath.join(folder, call.get_option("--destination-path") or "")
    if not os.path.isdir(source):
        raise click.UsageError(f"there is no folder {source} to upload")
    sent = []
    for place, _, files in sorted(os.walk(source)):
        for file in sorted(os.path.join(place, name) for name in files):
            name = os.path.relpath(file, source).replace(os.sep, "/")
            if _is_wanted(name, patterns):
                _upload_file(client, store, file, posixpath.join(folder, name), call.has_flag("--overwrite"))
                sent.append({"Blob": posixpath.join(folder, name)})
    return sent


def download_blob(client: MLClient, call: AzCall) -> Row:
    store, name = _get_container_datastore(client, call), call.get_required("-n", "--name")
    _download_file(client, store, name, call.get_required("-f", "--file"))
    return {"name": name}


def download_batch(client: MLClient, call: AzCall) -> list[str]:
    store, folder = _split_place(client, call.get_required("-s", "--source"))
    target, patterns = call.get_required("-d", "--destination"), call.options.get("--pattern", [])
    names = [name for name in _list_sizes(client, store, folder) if _is_wanted(name, patterns)]
    for name in names:
        _download_file(client, store, name, os.path.join(target, name))
    return names


def list_blobs(client: MLClient, call: AzCall) -> list[Row]:
    prefix = call.get_option("--prefix") or ""
    sizes = _list_sizes(client, _get_container_datastore(client, call), posixpath.dirname(prefix))
    found = {name: size for name, size in sizes.items() if name.startswith(prefix)}
    return [{"name": name, "properties": {"contentLength": size}} for name, size in found.items()]


def has_blob(client: MLClient, call: AzCall) -> Row:
    return {"exists": _has_file(client, _get_container_datastore(client, call), call.get_required("-n", "--name"))}


def upload_file(client: MLClient, call: AzCall) -> Row:
    store, path = _get_file_system_datastore(client, call), call.get_required("-p", "--path")
    _upload_file(client, store, call.get_required("-s", "--source"), path, call.has_flag("--overwrite"))
    return {"name": path}


def download_file(client: MLClient, call: AzCall) -> Row:
    store, path = _get_file_system_datastore(client, call), call.get_required("-p", "--path")
    target = call.get_option("-d", "--destination") or "."
    _download_file(
        client, store, path, os.path.join(target, posixpath.basename(path)) if os.path.isdir(target) else target
    )
    return {"name": path}


def list_files(client: MLClient, call: AzCall) -> list[Row]:
    sizes = _list_sizes(client, _get_file_system_datastore(client, call), call.get_option("--path") or "")
    return [{"name": name, "contentLength": size, "isDirectory": False} for name, size in sizes.items()]


def has_file(client: MLClient, call: AzCall) -> Row:
    return {"exists": _has_file(client, _get_file_system_datastore(client, call), call.get_required("-p", "--path"))}


def list_containers(client: MLClient, call: AzCall) -> list[Row]:
    return [{"name": name} for name in _find_containers(client)]


def has_container(client: MLClient, call: AzCall) -> Row:
    return {"exists": call.get_required("-n", "--name") in _find_containers(client)}


def create_container(client: MLClient, call: AzCall) -> Row:
    """Create a container: a folder of this machine and a datastore of its name; an existing one stays.

    The account is recorded, so that a datastore with this account and container means the folder, not a cloud's
    container.
    """
    name = call.get_required("-n", "--name")
    if name in _find_containers(client):
        return {"created": False}
    if not client.connection.is_local:
        raise click.UsageError(
            f"container '{name}' can only be created on the server's machine; for a cloud container: "
            "smalt datastore create --file FILE"
        )
    from smalt.entities.workspaces.datastore import LocalPathDatastore
    from smalt.machine.home import Home

    folder = Home.find().path("workspaces", get_account_name(client), "containers", name)
    folder.mkdir(parents=True, exist_ok=True)
    account = call.get_option("--account-name")
    noted = {"smalt.account": account} if account else {}
    client.datastores.create_or_update(LocalPathDatastore(name=name, path=str(folder), properties=noted))
    click.echo(f"container '{name}' is the datastore '{name}' of this machine, {folder}", err=True)
    return {"created": True}


def get_account_name(client: MLClient) -> str:
    return posixpath.basename(str(client.workspaces.get_keys()["userStorageResourceId"]))


def list_keys(client: MLClient, call: AzCall) -> list[Row]:
    return [{"keyName": "key1", "permissions": "FULL", "value": client.workspaces.get_keys()["userStorageKey"]}]


def show_account(client: MLClient, call: AzCall) -> Row:
    """Return the only account, under any name, with its TLS address: clients send keys and tokens over nothing else."""
    id = client.workspaces.get_keys()["userStorageResourceId"]
    name = posixpath.basename(id)
    url = f"{client.connection.post('/smalt/v1/tls')['url']}/{name}.blob.core.windows.net/"
    return {"id": id, "name": name, "primaryEndpoints": {"blob": url}}


def show_connection_string(client: MLClient, call: AzCall) -> Row:
    found, key = show_account(client, call), list_keys(client, call)[0]["value"]
    parts = {
        "DefaultEndpointsProtocol": "https", "AccountName": found["name"], "AccountKey": key,
        "BlobEndpoint": found["primaryEndpoints"]["blob"].rstrip("/"),
    }  # fmt: skip
    return {"connectionString": ";".join(f"{name}={value}" for name, value in parts.items())}


ANSWERS: dict[str, Callable[[MLClient, AzCall], Any]] = {
    "storage blob upload": upload_blob,
    "storage blob upload-batch": upload_batch,
    "storage blob download": download_blob,
    "storage blob download-batch": download_batch,
    "storage blob list": list_blobs,
    "storage blob exists": has_blob,
    "storage account create": show_account,
    "storage account keys list": list_keys,
    "storage account show": show_account,
    "storage account list": lambda client, call: [show_account(client, call)],
    "storage account show-connection-string": show_connection_string,
    "storage container list": list_containers,
    "storage container exists": has_container,
    "storage container create": create_container,
    "storage fs create": create_container,
    "storage fs exists": has_container,
    "storage fs file download": download_file,
    "storage fs file exists": has_file,
    "storage fs file list": list_files,
    "storage fs file upload": upload_file,
    "storage fs list": list_containers,
}


def _get_container_datastore(client: MLClient, call: AzCall) -> str:
    return _find_datastore(client, call.get_required("-c", "--container-name"))


def _get_file_system_datastore(client: MLClient, call: AzCall) -> str:
    return _find_datastore(client, call.get_required("-f", "--file-system"))


def _split_place(client: MLClient, place: str) -> tuple[str, str]:
    container, _, folder = place.strip("/").partition("/")
    return _find_datastore(client, container), folder


def _find_datastore(client: MLClient, container: str) -> str:
    known = _find_containers(client)
    if container not in known:
        raise click.UsageError(
            f"there is no container '{container}' in this workspace, only {', '.join(known)}; "
            f"to create it: 'az storage container create --name {container}', or 'smalt datastore create'"
        )
    return known[container]


def _find_containers(client: MLClient) -> dict[str, str]:
    """Return the datastores by the names of their containers; one created here precedes a cloud's."""
    names = ("container_name", "filesystem", "file_share_name", "name")
    found = [
        (next(name for key in names if (name := getattr(one, key, None))), one.name) for one in client.datastores.list()
    ]
    return dict(sorted(found, key=lambda pair: pair[0] == pair[1]))


def _list_sizes(client: MLClient, store: str, folder: str) -> dict[str, int]:
    """Return the sizes of the blobs below a folder, by path; {} if there is no such folder."""
    from smalt.exceptions import NotFound

    try:
        found = list(client.datastores.ls(store, folder, recursive=True))
    except NotFound:
        return {}
    return {one["path"]: one["size"] for one in found if not one.get("is_dir")}


def _has_file(client: MLClient, store: str, name: str) -> bool:
    return name in _list_sizes(client, store, posixpath.dirname(name))


def _upload_file(client: MLClient, store: str, file: str, name: str, overwrite: bool) -> None:
    if not os.path.isfile(file):
        raise click.UsageError(f"there is no file {file} to upload")
    if not overwrite and _has_file(client, store, name):
        raise click.ClickException(f"the blob '{name}' already exists; add --overwrite")
    client.datastores.upload(store, file, name)


def _download_file(client: MLClient, store: str, name: str, file: str) -> None:
    import shutil
    import tempfile

    folder = os.path.dirname(os.path.abspath(file))
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        client.datastores.download(store, name, beside)
        shutil.move(os.path.join(beside, posixpath.basename(name)), file)


def _is_wanted(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
