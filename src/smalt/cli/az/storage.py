"""`az storage …` on the datastores of the workspace, which are the containers of its one storage account.

The account's name, its key and a connection string may be given, as scripts do; there is one account only.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
from collections.abc import Callable
from typing import Any, NamedTuple

import click

Row = dict[str, Any]


class Call(NamedTuple):
    """One command line of `az`."""

    words: list[str]
    """What is not an option."""
    options: dict[str, list[str]]
    """By long or short name; an option without a value has none."""

    def option(self, *names: str) -> str | None:
        return next((values[0] for name in names if (values := self.options.get(name))), None)

    def flag(self, name: str) -> bool:
        values = self.options.get(name)
        return values is not None and values[:1] not in (["false"], ["False"])

    def needed(self, *names: str) -> str:
        value = self.option(*names)
        if value is None:
            raise click.UsageError(f"'az {' '.join(self.words)}' needs {names[-1]}")
        return value


def upload(client: Any, call: Call) -> Row:
    store, file = _store(client, call), call.needed("-f", "--file")
    name = call.option("-n", "--name") or os.path.basename(file)
    _send(client, store, file, name, call.flag("--overwrite"))
    return {"name": name}


def upload_batch(client: Any, call: Call) -> list[Row]:
    store, folder = _store_and_folder(client, call.needed("-d", "--destination"))
    source, patterns = call.needed("-s", "--source"), call.options.get("--pattern", [])
    folder = posixpath.join(folder, call.option("--destination-path") or "")
    if not os.path.isdir(source):
        raise click.UsageError(f"there is no folder {source} to upload")
    sent = []
    for place, _, files in sorted(os.walk(source)):
        for file in sorted(os.path.join(place, name) for name in files):
            name = os.path.relpath(file, source).replace(os.sep, "/")
            if _is_wanted(name, patterns):
                _send(client, store, file, posixpath.join(folder, name), call.flag("--overwrite"))
                sent.append({"Blob": posixpath.join(folder, name)})
    return sent


def download(client: Any, call: Call) -> Row:
    store, name = _store(client, call), call.needed("-n", "--name")
    _fetch(client, store, name, call.needed("-f", "--file"))
    return {"name": name}


def download_batch(client: Any, call: Call) -> list[str]:
    store, folder = _store_and_folder(client, call.needed("-s", "--source"))
    target, patterns = call.needed("-d", "--destination"), call.options.get("--pattern", [])
    names = [name for name in _sizes(client, store, folder) if _is_wanted(name, patterns)]
    for name in names:
        _fetch(client, store, name, os.path.join(target, name))
    return names


def every(client: Any, call: Call) -> list[Row]:
    prefix = call.option("--prefix") or ""
    sizes = _sizes(client, _store(client, call), posixpath.dirname(prefix))
    found = {name: size for name, size in sizes.items() if name.startswith(prefix)}
    return [{"name": name, "properties": {"contentLength": size}} for name, size in found.items()]


def exists(client: Any, call: Call) -> Row:
    return {"exists": _is_there(client, _store(client, call), call.needed("-n", "--name"))}


def upload_file(client: Any, call: Call) -> Row:
    store, path = _file_system(client, call), call.needed("-p", "--path")
    _send(client, store, call.needed("-s", "--source"), path, call.flag("--overwrite"))
    return {"name": path}


def download_file(client: Any, call: Call) -> Row:
    store, path = _file_system(client, call), call.needed("-p", "--path")
    target = call.option("-d", "--destination") or "."
    _fetch(client, store, path, os.path.join(target, posixpath.basename(path)) if os.path.isdir(target) else target)
    return {"name": path}


def files(client: Any, call: Call) -> list[Row]:
    sizes = _sizes(client, _file_system(client, call), call.option("--path") or "")
    return [{"name": name, "contentLength": size, "isDirectory": False} for name, size in sizes.items()]


def has_file(client: Any, call: Call) -> Row:
    return {"exists": _is_there(client, _file_system(client, call), call.needed("-p", "--path"))}


def containers(client: Any, call: Call) -> list[Row]:
    return [{"name": name} for name in _containers(client)]


def has_container(client: Any, call: Call) -> Row:
    return {"exists": call.needed("-n", "--name") in _containers(client)}


def create_container(client: Any, call: Call) -> Row:
    """Make a container, which is a folder of this machine and a datastore of its name; one that is there stays.

    The account is noted: a datastore that names it and the container is the folder, and not a container of a cloud.
    """
    name = call.needed("-n", "--name")
    if name in _containers(client):
        return {"created": False}
    if not client.connection.local:
        raise click.UsageError(
            f"container '{name}' can be made on the server's machine only, or be a cloud's: "
            "smalt datastore create --file FILE"
        )
    from smalt.entities.workspaces.datastore import LocalPathDatastore
    from smalt.machine.home import Home

    folder = Home.find().path("workspaces", account_name(client), "containers", name)
    folder.mkdir(parents=True, exist_ok=True)
    account = call.option("--account-name")
    noted = {"smalt.account": account} if account else {}
    client.datastores.create_or_update(LocalPathDatastore(name=name, path=str(folder), properties=noted))
    click.echo(f"container '{name}' is the datastore '{name}' of this machine, {folder}", err=True)
    return {"created": True}


def account_name(client: Any) -> str:
    return posixpath.basename(str(client.workspaces.get_keys()["userStorageResourceId"]))


def keys(client: Any, call: Call) -> list[Row]:
    return [{"keyName": "key1", "permissions": "FULL", "value": client.workspaces.get_keys()["userStorageKey"]}]


def account(client: Any, call: Call) -> Row:
    """The one that there is, whatever it is called, by TLS: over nothing else clients send keys and tokens."""
    id = client.workspaces.get_keys()["userStorageResourceId"]
    name = posixpath.basename(id)
    url = f"{client.connection.post('/smalt/v1/tls')['url']}/{name}.blob.core.windows.net/"
    return {"id": id, "name": name, "primaryEndpoints": {"blob": url}}


def connection_string(client: Any, call: Call) -> Row:
    found, key = account(client, call), keys(client, call)[0]["value"]
    parts = {
        "DefaultEndpointsProtocol": "https", "AccountName": found["name"], "AccountKey": key,
        "BlobEndpoint": found["primaryEndpoints"]["blob"].rstrip("/"),
    }  # fmt: skip
    return {"connectionString": ";".join(f"{name}={value}" for name, value in parts.items())}


ANSWERS: dict[str, Callable[[Any, Call], Any]] = {
    "storage blob upload": upload,
    "storage blob upload-batch": upload_batch,
    "storage blob download": download,
    "storage blob download-batch": download_batch,
    "storage blob list": every,
    "storage blob exists": exists,
    "storage account create": account,
    "storage account keys list": keys,
    "storage account show": account,
    "storage account list": lambda client, call: [account(client, call)],
    "storage account show-connection-string": connection_string,
    "storage container list": containers,
    "storage container exists": has_container,
    "storage container create": create_container,
    "storage fs create": create_container,
    "storage fs exists": has_container,
    "storage fs file download": download_file,
    "storage fs file exists": has_file,
    "storage fs file list": files,
    "storage fs file upload": upload_file,
    "storage fs list": containers,
}


def _store(client: Any, call: Call) -> str:
    return _datastore(client, call.needed("-c", "--container-name"))


def _file_system(client: Any, call: Call) -> str:
    return _datastore(client, call.needed("-f", "--file-system"))


def _store_and_folder(client: Any, place: str) -> tuple[str, str]:
    container, _, folder = place.strip("/").partition("/")
    return _datastore(client, container), folder


def _datastore(client: Any, container: str) -> str:
    known = _containers(client)
    if container not in known:
        raise click.UsageError(
            f"there is no container '{container}' in this workspace, only {', '.join(known)}; "
            f"another is made by 'az storage container create --name {container}', or 'smalt datastore create'"
        )
    return known[container]


def _containers(client: Any) -> dict[str, str]:
    """Return the datastores by the names of their containers; one made here goes before one of a cloud."""
    names = ("container_name", "filesystem", "file_share_name", "name")
    found = [
        (next(name for key in names if (name := getattr(one, key, None))), one.name) for one in client.datastores.list()
    ]
    return dict(sorted(found, key=lambda pair: pair[0] == pair[1]))


def _sizes(client: Any, store: str, folder: str) -> dict[str, int]:
    """The blobs below a folder, which need not be there."""
    from smalt.exceptions import NotFound

    try:
        found = list(client.datastores.ls(store, folder, recursive=True))
    except NotFound:
        return {}
    return {one["path"]: one["size"] for one in found if not one.get("is_dir")}


def _is_there(client: Any, store: str, name: str) -> bool:
    return name in _sizes(client, store, posixpath.dirname(name))


def _send(client: Any, store: str, file: str, name: str, overwrite: bool) -> None:
    if not os.path.isfile(file):
        raise click.UsageError(f"there is no file {file} to upload")
    if not overwrite and _is_there(client, store, name):
        raise click.ClickException(f"the blob '{name}' is there already; add --overwrite")
    client.datastores.upload(store, file, name)


def _fetch(client: Any, store: str, name: str, file: str) -> None:
    import shutil
    import tempfile

    folder = os.path.dirname(os.path.abspath(file))
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        client.datastores.download(store, name, beside)
        shutil.move(os.path.join(beside, posixpath.basename(name)), file)


def _is_wanted(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
