"""Blobs: datastores as the containers of a blob store, with block uploads, metadata and flat listings.

A blob is the plain file that jobs read and write. What a file cannot hold (metadata, the client's MD5,
uncommitted blocks) lies beside it, in the workspace's folder `blobs`; it belongs to one content of the file, so
that a job that writes the file again ends it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import NotFound, RefusedError, ValidationException
from smalt.machine.home import Home
from smalt.service.data.datastores.datastores import Datastores
from smalt.service.data.files.copying import copy_tree, make_temporary_name, remove_tree
from smalt.service.data.files.durable_files import NewFile, sync_files
from smalt.service.data.files.path_containment import normalize_relative, resolve_inside
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE
from smalt.service.data.snapshots.snapshots import Snapshots
from smalt.service.data.uploads.blocks import check_md5, open_blocks

SNAPSHOTS = "snapshots"
"""The container of content-addressed trees, for reading only: `snapshots/<hash>/…`."""

UPLOAD = re.compile(r"upload-[0-9a-f]{32}")
"""Containers of one pending upload each."""

_BLOCKS_KEPT = 7 * 86400.0  # as the service: blocks that nobody has listed in a week are gone
_locks: dict[str, threading.Lock] = {}
"""Locks of blobs that are being made from their blocks, which takes a while for large ones."""


class Blob(NamedTuple):
    """A blob, as listed."""

    name: str
    size: int
    modified: float
    etag: str
    metadata: dict[str, str]
    md5: str | None


class BlobExists(RefusedError):
    """The blob exists, and the request says `If-None-Match: *`."""

    code = "BlobAlreadyExists"


class Blobs:
    """The blobs of one workspace. All methods may be called from any thread; paths are decoded."""

    def __init__(self, home: Home, workspace: str, datastores: Datastores, snapshots: Snapshots) -> None:
        self._workspace = workspace
        self._datastores = datastores
        self._snapshots = snapshots
        self._beside = home.path("workspaces", workspace, "blobs")

    def create_upload(self) -> str:
        """Create a container for one upload and return its name."""
        name = f"upload-{secrets.token_hex(16)}"
        self.get_root(name).mkdir(parents=True)
        return name

    def get_root(self, container: str) -> Path:
        """Return the folder of a container: that of the datastore of this name, or of a pending upload."""
        if UPLOAD.fullmatch(container):
            return self._beside / container
        return self._datastores.get_folder(self._workspace, container)

    def get_path(self, container: str, name: str) -> Path:
        """Return the path of the blob's bytes, whether it exists or not; raise Refused if its name leads out of
        the container.
        """
        if container == SNAPSHOTS:
            return self._get_snapshot_file(name)
        return resolve_inside(self.get_root(container), name)

    def get_blob(self, container: str, name: str) -> Blob:
        path = self.get_path(container, name)
        if not name or name.endswith("/") or not os.path.isfile(path):
            raise NotFound(f"there is no blob {name!r} in container {container!r}")
        return self._make_blob(container, name, path)

    def put_blob(
        self, container: str, name: str, blocks: Iterable[bytes], *, only_new: bool = False,
        md5: str | None = None, metadata: dict[str, str] | None = None,
    ) -> Blob:  # fmt: skip
        """Write a blob, whole or not at all; `md5` (base64) is that of the bytes to come."""
        path = self._check_writable(container, name, only_new)
        digest = hashlib.md5(usedforsecurity=False)
        with NewFile(make_temporary_name(path)) as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
            check_md5(digest.digest(), md5)
            self._check_writable(container, name, only_new)
            file.finish(path)
        self._write_facts(container, name, path, metadata or {}, md5)
        return self.get_blob(container, name)

    def copy_blob(
        self, source: tuple[str, str], container: str, name: str, *, only_new: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> Blob:  # fmt: skip
        """Copy another blob, given by container and name; with its metadata unless others are given."""
        path, blob = self._check_writable(container, name, only_new), self.get_blob(*source)
        temporary = make_temporary_name(path)
        try:
            copy_tree(self.get_path(*source), temporary)
            sync_files([os.fspath(temporary)])
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        self._write_facts(container, name, path, metadata or blob.metadata, blob.md5)
        return self.get_blob(container, name)

    def put_block(
        self, container: str, name: str, id: str, size: int, pieces: Iterable[bytes], md5: str | None = None
    ) -> None:
        """Store one uncommitted block of `size` bytes."""
        self._check_writable(container, name, False)
        open_blocks(self._get_blocks_folder(container, name)).put_block(id, size, pieces, md5)

    def list_blocks(self, container: str, name: str) -> dict[str, int]:
        """Return {id: size} of the uncommitted blocks."""
        self._check_writable(container, name, False)
        return open_blocks(self._get_blocks_folder(container, name)).list_sizes()

    def put_block_list(
        self, container: str, name: str, ids: list[str], *, only_new: bool = False,
        md5: str | None = None, metadata: dict[str, str] | None = None,
    ) -> Blob:  # fmt: skip
        """Make the blob from its blocks, in that order. A repeated list, with no block sent since, finds the blob
        made.
        """
        folder, made = self._get_blocks_folder(container, name), _hash_text("\n".join(ids))
        with _locks.setdefault(os.fspath(folder), threading.Lock()):
            if not folder.exists() and self._is_made(container, name, made):
                return self.get_blob(container, name)  # its client did not wait for the first answer
            path = self._check_writable(container, name, only_new)
            parts = open_blocks(folder)
            missing = len(set(ids) - parts.list_sizes().keys())
            if missing:
                raise ValidationException(f"the list names {missing} blocks that were not sent; send them again")
            parts.join_blocks(ids, path)
            self._write_facts(container, name, path, metadata or {}, md5, made)
        _locks.pop(os.fspath(folder), None)
        return self.get_blob(container, name)

    def _is_made(self, container: str, name: str, made: str) -> bool:
        """True if the existing blob was made from the same list of blocks."""
        path, facts = self.get_path(container, name), self._read_facts(container, name)
        there = path.is_file() and f"0x{path.stat().st_mtime_ns:X}" == facts.get("etag")
        return there and facts.get("made") == made

    def set_metadata(self, container: str, name: str, metadata: dict[str, str]) -> Blob:
        """Replace the blob's metadata."""
        blob = self.get_blob(container, name)
        self._check_container(container)
        self._write_facts(container, name, self.get_path(container, name), metadata, blob.md5)
        return self.get_blob(container, name)

    def delete_blob(self, container: str, name: str) -> None:
        path = self._check_writable(container, name, False)
        self.get_blob(container, name)
        os.unlink(path)
        self._get_facts_path(container, name).unlink(missing_ok=True)

    def list_blobs(self, container: str, prefix: str, delimiter: str, after: str) -> Iterator[Blob | str]:
        """Yield the blobs whose names begin with `prefix` and come after `after`, in order.

        With a delimiter, also yield, as texts, the prefixes below which there are more.
        """
        names = (
            self._list_snapshot_names(prefix)
            if container == SNAPSHOTS
            else self._list_names(container, prefix, delimiter)
        )
        last = ""
        for name in names:
            if not name.startswith(prefix):
                continue
            below = name.find("/", len(prefix)) if delimiter else -1
            if below >= 0:
                name = name[: below + 1]
                if name == last or name <= after:
                    continue
                last = name
                yield name
            elif name > after:
                path = self.get_path(container, name)
                if path.is_file():  # not deleted meanwhile
                    yield self._make_blob(container, name, path)

    def remove_abandoned(self) -> None:
        """Remove abandoned blocks and uploads."""
        now = time.time()
        for folder in [*self._beside.glob("blocks/*"), *self._beside.glob("upload-*")]:
            touched = max(path.stat().st_mtime for path in (folder, folder / "index") if path.exists())
            if touched < now - _BLOCKS_KEPT:
                remove_tree(folder)

    def _list_names(self, container: str, prefix: str, delimiter: str) -> Iterator[str]:
        root, start = self.get_root(container), normalize_relative(prefix.rpartition("/")[0])
        if start is not None and os.path.isdir(resolve_inside(root, start)):
            yield from _walk_names(os.fspath(root), f"{start}/" if start else "", prefix, delimiter)

    def _list_snapshot_names(self, prefix: str) -> Iterator[str]:
        hash = prefix.partition("/")[0]
        if self._has_snapshot(hash):
            names = [entry.path for entry in self._snapshots.read_entries(hash) if entry.kind in (FILE, EXECUTABLE)]
            yield from sorted(f"{hash}/{name}" for name in names)

    def _get_snapshot_file(self, name: str) -> Path:
        hash, _, rest = name.partition("/")
        if self._has_snapshot(hash):
            for entry in self._snapshots.read_entries(hash):
                if entry.path == rest and entry.kind in (FILE, EXECUTABLE):
                    return Path(self._snapshots.objects.get_path(entry.content))
        raise NotFound(f"there is no blob {name!r} in container '{SNAPSHOTS}'")

    def _has_snapshot(self, hash: str) -> bool:
        return re.fullmatch(r"[0-9a-f]{64}", hash) is not None and self._snapshots.has(hash)

    def _check_writable(self, container: str, name: str, only_new: bool) -> Path:
        self._check_container(container)
        path = self.get_path(container, name)
        if not name.strip("/") or name.endswith("/") or os.path.isdir(path):
            raise ValidationException(f"{name!r} names a folder of container {container!r}; name a blob")
        if only_new and os.path.exists(path):
            raise BlobExists(f"the blob {name!r} is in container {container!r} already")
        return path

    def _check_container(self, container: str) -> None:
        if container == SNAPSHOTS:
            raise RefusedError(f"the container '{SNAPSHOTS}' is read-only")

    def _make_blob(self, container: str, name: str, path: Path) -> Blob:
        status = path.stat()
        etag = f"0x{status.st_mtime_ns:X}"
        facts = self._read_facts(container, name)
        if facts.get("etag") != etag or facts.get("size") != status.st_size:
            facts = {}
        return Blob(name, status.st_size, status.st_mtime, etag, facts.get("metadata", {}), facts.get("md5"))

    def _read_facts(self, container: str, name: str) -> dict[str, Any]:
        try:
            loaded: dict[str, Any] = json.loads(self._get_facts_path(container, name).read_bytes())
        except (OSError, ValueError):
            return {}
        return loaded

    def _write_facts(
        self, container: str, name: str, path: Path, metadata: dict[str, str], md5: str | None, made: str | None = None
    ) -> None:
        facts = self._get_facts_path(container, name)
        if not metadata and not md5 and not made:
            facts.unlink(missing_ok=True)
            return
        status = path.stat()
        etag = f"0x{status.st_mtime_ns:X}"
        known = {"etag": etag, "size": status.st_size, "metadata": metadata, "md5": md5, "made": made}
        with NewFile(make_temporary_name(facts)) as file:
            file.write(json.dumps(known).encode())
            file.finish(facts)

    def _get_facts_path(self, container: str, name: str) -> Path:
        return self._beside / "facts" / f"{_hash_text(f'{container}/{name}')}.json"

    def _get_blocks_folder(self, container: str, name: str) -> Path:
        return self._beside / "blocks" / _hash_text(f"{container}/{name}")


def _walk_names(root: str, folder: str, prefix: str, delimiter: str) -> Iterator[str]:
    """Yield the files below a folder, in the order of their whole names; with a delimiter one of each folder is
    enough.
    """
    for name in _list_folder(root, folder):
        if not name.endswith("/"):
            yield folder + name
        elif (folder + name).startswith(prefix) or prefix.startswith(folder + name):
            deeper = _walk_names(root, folder + name, prefix, "")
            yield from islice(deeper, 1) if delimiter and (folder + name).startswith(prefix) else deeper


def _list_folder(root: str, folder: str) -> list[str]:
    """Return a folder's own names, folders with "/"; links that lead out of the container are left out."""
    top, names = os.path.realpath(root), []
    with os.scandir(os.path.join(root, folder)) as entries:
        for entry in entries:
            if entry.is_symlink() and not os.path.realpath(entry.path).startswith(top + "/"):
                continue
            if entry.is_dir(follow_symlinks=False):
                names.append(f"{entry.name}/")
            elif entry.is_file() and not (entry.name.startswith(".") and entry.name.endswith(".tmp")):
                names.append(entry.name)
    return sorted(names)


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
