"""Snapshots of code: the server reads the files if it can, else they are sent, each content once."""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING, Any

from smalt.client.connection.http1 import BodyParts
from smalt.client.transfers import file_hashes
from smalt.client.transfers.file_hashes import read_pieces, read_whole
from smalt.client.transfers.progress import TransferProgress
from smalt.exceptions import RefusedError

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

_HEAD = struct.Struct(">32sQ")  # as service/api/native/snapshot_uploads.py reads it
_SMALL = 1 << 20
_REQUEST = 8_000_000


def create_snapshot(session: ClientSession, path: str, includes: tuple[str, ...] = ()) -> str:
    """Return the code id of a folder or file with `includes` added; an empty `path` means the includes alone."""
    route = f"/smalt/v1{session.uploads_id}/snapshots"
    if session.connection.is_local and not includes:
        return str(session.connection.post(route, {"path": path, "ignore": True})["codeId"])
    import tempfile

    with tempfile.TemporaryDirectory(prefix="smalt-") as scratch:
        manifest = SnapshotManifest(scratch)
        if path:
            manifest.add_path(path, "")
        for include in includes:
            manifest.include_path(include, path)
        body = {"manifest": list(manifest.items.values())}
        answer = session.connection.post(route, body)
        name = os.path.basename(path or includes[0])
        _send_blobs(session, name, [(sha, *manifest.sources[sha]) for sha in answer.get("missing") or ()])
        if "codeId" not in answer:
            answer = session.connection.post(route, body)
    return str(answer["codeId"])


def _send_blobs(session: ClientSession, name: str, missing: list[tuple[str, str, int]]) -> None:
    """Send the missing contents: small ones many at once, each large one by itself."""
    progress = TransferProgress(name, len(missing), sum(size for _, _, size in missing), session.show_progress)
    batch = BodyParts()
    count = total = 0

    def flush() -> None:
        nonlocal batch, count, total
        if batch:
            session.connection.request("POST", "/smalt/v1/blobs", batch)
            progress.add_sent(count, total)
        batch, count, total = BodyParts(), 0, 0

    for sha, source, size in missing:
        if size > _SMALL:
            session.connection.request("PUT", f"/smalt/v1/blobs/{sha}", read_pieces(source))
            progress.add_sent(1, size)
            continue
        data = read_whole(source)
        batch += [_HEAD.pack(bytes.fromhex(sha), len(data)), data]
        count, total = count + 1, total + size
        if total > _REQUEST:
            flush()
    flush()
    progress.close()


class SnapshotManifest:
    """The content of a snapshot: `items` by path, and `sources`, the files by their hashes."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self.items: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, tuple[str, int]] = {}

    def add_path(self, path: str, prefix: str) -> None:
        """Add a file or the content of a folder below `prefix`."""
        tree = file_hashes.hash_tree(path, ignore=True)
        for file in tree.files:
            name = prefix + (file.path or os.path.basename(path))
            executable = bool(file.mode & stat.S_IXUSR)
            self.sources[file.sha256] = file.source, file.size
            self.items[name] = {"path": name, "sha256": file.sha256, "size": file.size, "executable": executable}
        for link, target in tree.links.items():
            self.items[prefix + link] = {"path": prefix + link, "link": target}
        for folder in tree.folders:
            self.items[prefix + folder] = {"path": prefix + folder, "folder": True}

    def include_path(self, path: str, code: str) -> None:
        """Add a file or folder under its own name; `x.zip` is the folder `x`, packed.

        Raises Refused if the code has the name.
        """
        name = os.path.basename(path)
        if code and os.path.lexists(os.path.join(code, name)):
            raise RefusedError(
                f"{code} has '{name}' already, so {path} cannot be added to it; correct additional_includes"
            )
        if not os.path.exists(path):
            path = self._pack_folder(path[: -len(".zip")], name)
        self.add_path(path, f"{name}/" if os.path.isdir(path) else "")

    def _pack_folder(self, folder: str, name: str) -> str:
        """Return the path of a zip without times, so that the same content gives the same bytes."""
        import zipfile

        target = os.path.join(self._scratch, name)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in file_hashes.hash_tree(folder, ignore=True).files:
                entry = zipfile.ZipInfo(f"{os.path.basename(folder)}/{file.path}")
                entry.external_attr = file.mode << 16
                archive.writestr(entry, read_whole(file.source), zipfile.ZIP_DEFLATED)
        return target
