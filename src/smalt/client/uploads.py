"""Local data into a datastore, by HTTP."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from smalt.client.snapshots import pieces
from smalt.exceptions import NotFound
from smalt.ignore import walk

if TYPE_CHECKING:
    from smalt.client.client import MLClient

DEFAULT_DATASTORE = "workspaceblobstore"


def upload(client: MLClient, path: str, datastore: str | None = None) -> str:
    """Upload a file or folder under the hash of its content, as far as it is not there; gives its URI."""
    store = datastore or DEFAULT_DATASTORE
    base, digest = _base(client, store), hashlib.sha256()
    found = files(path)
    for name, source in found.items():
        digest.update(f"{name}\0{_sha256(source)}\0".encode())
    target = f"LocalUpload/{digest.hexdigest()}/{os.path.basename(path)}"
    present = _present(client, base, os.path.dirname(target))
    for name, source in found.items():
        place = f"{target}/{name}" if name else target
        if present.get(place) != os.path.getsize(source):
            client.connection.request("PUT", f"{base}/files/{place}", pieces(source))
    return f"azureml://datastores/{store}/paths/{target}"


def put(client: MLClient, path: str, datastore: str, target: str) -> list[str]:
    """Upload a file as `target`, or what a folder holds below it; the paths in the datastore."""
    base = _base(client, datastore)
    places = []
    for name, source in files(path).items():
        place = "/".join(part for part in (target, name) if part)
        client.connection.request("PUT", f"{base}/files/{place}", pieces(source))
        places.append(place)
    return places


def files(path: str) -> dict[str, str]:
    """The files of a folder by their paths in it, in order; of a file itself under ""."""
    if not os.path.exists(path):
        raise NotFound(f"there is no file or folder {path}; correct the path")
    if not os.path.isdir(path):
        return {"": path}
    found = {
        folder.prefix + name: os.path.join(path, folder.prefix + name)
        for folder in walk(path, None)
        for name, _ in folder.files
    }
    return dict(sorted(found.items()))


def _base(client: MLClient, datastore: str) -> str:
    return f"/smalt/v1{client.uploads_id}/datastores/{datastore}"


def _present(client: MLClient, base: str, folder: str) -> dict[str, int]:
    """The files of a folder of the datastore, with their sizes; a file is there whole or not at all."""
    try:
        found = client.connection.pages(f"{base}/list", path=folder, recursive=True)
        return {item["path"]: item["size"] for item in found if not item.get("is_dir")}
    except NotFound:
        return {}


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    for piece in pieces(path):
        digest.update(piece)
    return digest.hexdigest()
