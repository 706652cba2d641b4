"""Code for the server: read there when it reads the same files as this process, else sent, each content once."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.exceptions import NotFound
from smalt.ignore import Ignore, walk

if TYPE_CHECKING:
    from smalt.client.client import MLClient

_PIECE = 1 << 20


def snapshot(client: MLClient, path: str, includes: tuple[str, ...] = ()) -> str:
    """The code id of a folder or file, with the files and folders `includes` (relative to it) added to it."""
    route = f"/smalt/v1{client.uploads_id}/snapshots"
    if client.connection.local and not includes:
        return str(client.connection.post(route, {"path": path, "ignore": True})["codeId"])
    manifest = Manifest()
    manifest.add(path, "")
    for include in includes:
        manifest.include(os.path.normpath(os.path.join(path, include)))
    body = {"manifest": list(manifest.items.values())}
    answer = client.connection.post(route, body)
    for sha in answer.get("missing") or ():
        client.connection.request("PUT", f"/smalt/v1/blobs/{sha}", pieces(manifest.sources[sha]))
    if "codeId" not in answer:
        answer = client.connection.post(route, body)
    return str(answer["codeId"])


class Manifest:
    """What is to be sent: `items` by path, and in `sources` where each content is."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, str] = {}

    def add(self, path: str, prefix: str) -> None:
        """A folder's content, or a file, below `prefix`."""
        if not os.path.isdir(path):
            self._add_file(path, prefix + os.path.basename(path))
            return
        for folder in walk(path, Ignore.of(path)):
            inside = prefix + folder.prefix
            for name, _ in folder.files:
                self._add_file(os.path.join(path, folder.prefix + name), inside + name)
            for name, target in folder.links:
                self.items[inside + name] = {"path": inside + name, "link": target}
            if folder.empty and inside:
                self.items[inside[:-1]] = {"path": inside[:-1], "folder": True}

    def include(self, path: str) -> None:
        """A file or folder under its own name."""
        if not os.path.exists(path):
            raise NotFound(f"there is no file or folder {path}; correct additional_includes")
        self.add(path, f"{os.path.basename(path)}/" if os.path.isdir(path) else "")

    def _add_file(self, path: str, name: str) -> None:
        digest, size = hashlib.sha256(), 0
        for piece in pieces(path):
            digest.update(piece)
            size += len(piece)
        executable = bool(os.stat(path).st_mode & stat.S_IXUSR)
        sha = digest.hexdigest()
        self.sources[sha] = path
        self.items[name] = {"path": name, "sha256": sha, "size": size, "executable": executable}


def pieces(path: str) -> Iterator[bytes]:
    """A file's bytes, a piece at a time."""
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}; allow it, or correct the path") from None
