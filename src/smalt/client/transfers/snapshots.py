"""Code for the server: read there when it reads the same files as this process, else sent, each content once."""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING, Any

from smalt.client.connection.http1 import Parts
from smalt.client.transfers import file_hashes
from smalt.client.transfers.file_hashes import pieces, whole
from smalt.client.transfers.progress import Progress
from smalt.exceptions import Refused

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

_HEAD = struct.Struct(">32sQ")  # as service/api/native/snapshot_uploads.py reads it
_SMALL = 1 << 20
_REQUEST = 8_000_000


def snapshot(session: ClientSession, path: str, includes: tuple[str, ...] = ()) -> str:
    """The code id of a folder or file, or of nothing (""), with the files and folders `includes` added to it."""
    route = f"/smalt/v1{session.uploads_id}/snapshots"
    if session.connection.local and not includes:
        return str(session.connection.post(route, {"path": path, "ignore": True})["codeId"])
    import tempfile

    with tempfile.TemporaryDirectory(prefix="smalt-") as scratch:
        manifest = Manifest(scratch)
        if path:
            manifest.add(path, "")
        for include in includes:
            manifest.include(include, path)
        body = {"manifest": list(manifest.items.values())}
        answer = session.connection.post(route, body)
        name = os.path.basename(path or includes[0])
        _send(session, name, [(sha, *manifest.sources[sha]) for sha in answer.get("missing") or ()])
        if "codeId" not in answer:
            answer = session.connection.post(route, body)
    return str(answer["codeId"])


def _send(session: ClientSession, name: str, missing: list[tuple[str, str, int]]) -> None:
    """Small contents many at once, each large one by itself."""
    progress = Progress(name, len(missing), sum(size for _, _, size in missing), session.show_progress)
    batch = Parts()
    count = total = 0

    def flush() -> None:
        nonlocal batch, count, total
        if batch:
            session.connection.request("POST", "/smalt/v1/blobs", batch)
            progress.add(count, total)
        batch, count, total = Parts(), 0, 0

    for sha, source, size in missing:
        if size > _SMALL:
            session.connection.request("PUT", f"/smalt/v1/blobs/{sha}", pieces(source))
            progress.add(1, size)
            continue
        data = whole(source)
        batch += [_HEAD.pack(bytes.fromhex(sha), len(data)), data]
        count, total = count + 1, total + size
        if total > _REQUEST:
            flush()
    flush()
    progress.close()


class Manifest:
    """What is to be sent: `items` by path, and in `sources` where each content is."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self.items: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, tuple[str, int]] = {}

    def add(self, path: str, prefix: str) -> None:
        """A folder's content, or a file, below `prefix`."""
        tree = file_hashes.of(path, ignore=True)
        for file in tree.files:
            name = prefix + (file.path or os.path.basename(path))
            executable = bool(file.mode & stat.S_IXUSR)
            self.sources[file.sha256] = file.source, file.size
            self.items[name] = {"path": name, "sha256": file.sha256, "size": file.size, "executable": executable}
        for link, target in tree.links.items():
            self.items[prefix + link] = {"path": prefix + link, "link": target}
        for folder in tree.folders:
            self.items[prefix + folder] = {"path": prefix + folder, "folder": True}

    def include(self, path: str, code: str) -> None:
        """A file or folder under its own name, which the code must not have; `x.zip` is the folder `x`, packed."""
        name = os.path.basename(path)
        if code and os.path.lexists(os.path.join(code, name)):
            raise Refused(f"{code} has '{name}' already, so {path} cannot be added to it; correct additional_includes")
        if not os.path.exists(path):
            path = self._packed(path[: -len(".zip")], name)
        self.add(path, f"{name}/" if os.path.isdir(path) else "")

    def _packed(self, folder: str, name: str) -> str:
        """The same bytes for the same content: without times."""
        import zipfile

        target = os.path.join(self._scratch, name)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in file_hashes.of(folder, ignore=True).files:
                entry = zipfile.ZipInfo(f"{os.path.basename(folder)}/{file.path}")
                entry.external_attr = file.mode << 16
                archive.writestr(entry, whole(file.source), zipfile.ZIP_DEFLATED)
        return target
