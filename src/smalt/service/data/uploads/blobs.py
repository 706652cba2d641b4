"""Datastores as the containers of a blob store: block uploads, metadata, flat listings.

A blob is the plain file that jobs read and write. What a file cannot hold (metadata, an MD5 that the client gave,
blocks that wait for their list) lies beside, in the workspace's folder `blobs`; it is of one content of the file, so
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

from smalt.exceptions import NotFound, Refused, ValidationException
from smalt.machine.home import Home
from smalt.service.data.datastores.datastores import Datastores
from smalt.service.data.files.copying import copy_tree, remove_tree, temporary_beside
from smalt.service.data.files.durable_files import NewFile, sync_files
from smalt.service.data.files.path_containment import contained, inside
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE
from smalt.service.data.snapshots.snapshots import Snapshots
from smalt.service.data.uploads.blocks import check, waiting

SNAPSHOTS = "snapshots"
"""The container of content-addressed trees, for reading only: `snapshots/<hash>/…`."""

UPLOAD = re.compile(r"upload-[0-9a-f]{32}")
"""Containers of one pending upload each."""

_BLOCKS_KEPT = 7 * 86400.0  # as the service: blocks that nobody has listed in a week are gone
_locks: dict[str, threading.Lock] = {}
"""Of blobs that are being made of their blocks, which takes a while for large ones."""


class Blob(NamedTuple):
    name: str
    size: int
    modified: float
    etag: str
    metadata: dict[str, str]
    md5: str | None


class Exists(Refused):
    """`If-None-Match: *`, and the blob is there."""

    code = "BlobAlreadyExists"


class Blobs:
    """Of one workspace. All methods may be called from any thread; paths are decoded."""

    def __init__(self, home: Home, workspace: str, datastores: Datastores, snapshots: Snapshots) -> None:
        self._workspace = workspace
        self._datastores = datastores
        self._snapshots = snapshots
        self._beside = home.path("workspaces", workspace, "blobs")

    def new_upload(self) -> str:
        """The name of a fresh container for one upload."""
        name = f"upload-{secrets.token_hex(16)}"
        self.root(name).mkdir(parents=True)
        return name

    def root(self, container: str) -> Path:
        """The folder of a container: that of the datastore called so, or of a pending upload."""
        if UPLOAD.fullmatch(container):
            return self._beside / container
        return self._datastores.folder(self._workspace, container)

    def path(self, container: str, name: str) -> Path:
        """Where the blob's bytes are, there or not; refused when its name leads out of the container."""
        if container == SNAPSHOTS:
            return self._content(name)
        return contained(self.root(container), name)

    def get(self, container: str, name: str) -> Blob:
        path = self.path(container, name)
        if not name or name.endswith("/") or not os.path.isfile(path):
            raise NotFound(f"there is no blob {name!r} in container {container!r}")
        return self._blob(container, name, path)

    def put(
        self, container: str, name: str, blocks: Iterable[bytes], *, only_new: bool = False,
        md5: str | None = None, metadata: dict[str, str] | None = None,
    ) -> Blob:  # fmt: skip
        """Write a blob, whole or not at all; `md5` (base64) is of the bytes that are to come."""
        path = self._writable(container, name, only_new)
        digest = hashlib.md5(usedforsecurity=False)
        with NewFile(temporary_beside(path)) as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
            check(digest.digest(), md5)
            self._writable(container, name, only_new)
            file.finish(path)
        self._note(container, name, path, metadata or {}, md5)
        return self.get(container, name)

    def copy(
        self, source: tuple[str, str], container: str, name: str, *, only_new: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> Blob:  # fmt: skip
        """Write a blob as another is, container and name; with its metadata where none is given."""
        path, blob = self._writable(container, name, only_new), self.get(*source)
        temporary = temporary_beside(path)
        try:
            copy_tree(self.path(*source), temporary)
            sync_files([os.fspath(temporary)])
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        self._note(container, name, path, metadata or blob.metadata, blob.md5)
        return self.get(container, name)

    def put_block(
        self, container: str, name: str, id: str, size: int, pieces: Iterable[bytes], md5: str | None = None
    ) -> None:
        """Keep one block of `size` bytes until its list comes."""
        self._writable(container, name, False)
        waiting(self._blocks(container, name)).put(id, size, pieces, md5)

    def blocks(self, container: str, name: str) -> dict[str, int]:
        """The sizes of the blocks that wait for their list, by id."""
        self._writable(container, name, False)
        return waiting(self._blocks(container, name)).sizes()

    def put_block_list(
        self, container: str, name: str, ids: list[str], *, only_new: bool = False,
        md5: str | None = None, metadata: dict[str, str] | None = None,
    ) -> Blob:  # fmt: skip
        """Make the blob of its blocks, in that order. The same list again, with no block sent since, finds it made."""
        folder, made = self._blocks(container, name), _hashed("\n".join(ids))
        with _locks.setdefault(os.fspath(folder), threading.Lock()):
            if not folder.exists() and self._is_made(container, name, made):
                return self.get(container, name)  # its client did not wait for the first answer
            path = self._writable(container, name, only_new)
            parts = waiting(folder)
            missing = len(set(ids) - parts.sizes().keys())
            if missing:
                raise ValidationException(f"the list names {missing} blocks that were not sent; send them again")
            parts.join(ids, path)
            self._note(container, name, path, metadata or {}, md5, made)
        _locks.pop(os.fspath(folder), None)
        return self.get(container, name)

    def _is_made(self, container: str, name: str, made: str) -> bool:
        """Whether the blob that is there is that of the same list of blocks."""
        path, facts = self.path(container, name), self._noted(container, name)
        there = path.is_file() and f"0x{path.stat().st_mtime_ns:X}" == facts.get("etag")
        return there and facts.get("made") == made

    def set_metadata(self, container: str, name: str, metadata: dict[str, str]) -> Blob:
        """In place of what was there."""
        blob = self.get(container, name)
        self._not_read_only(container)
        self._note(container, name, self.path(container, name), metadata, blob.md5)
        return self.get(container, name)

    def delete(self, container: str, name: str) -> None:
        path = self._writable(container, name, False)
        self.get(container, name)
        os.unlink(path)
        self._facts(container, name).unlink(missing_ok=True)

    def list(self, container: str, prefix: str, delimiter: str, after: str) -> Iterator[Blob | str]:
        """Blobs whose name begins with `prefix` and comes after `after`, in order; with a delimiter also, as texts, the
        prefixes below which there are more."""
        names = self._content_names(prefix) if container == SNAPSHOTS else self._names(container, prefix, delimiter)
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
                path = self.path(container, name)
                if path.is_file():  # not deleted meanwhile
                    yield self._blob(container, name, path)

    def tidy(self) -> None:
        """Blocks and uploads that nobody came back for are gone."""
        now = time.time()
        for folder in [*self._beside.glob("blocks/*"), *self._beside.glob("upload-*")]:
            touched = max(path.stat().st_mtime for path in (folder, folder / "index") if path.exists())
            if touched < now - _BLOCKS_KEPT:
                remove_tree(folder)

    def _names(self, container: str, prefix: str, delimiter: str) -> Iterator[str]:
        root, start = self.root(container), inside(prefix.rpartition("/")[0])
        if start is not None and os.path.isdir(contained(root, start)):
            yield from _names(os.fspath(root), f"{start}/" if start else "", prefix, delimiter)

    def _content_names(self, prefix: str) -> Iterator[str]:
        hash = prefix.partition("/")[0]
        if self._snapshots_has(hash):
            names = [entry.path for entry in self._snapshots.entries(hash) if entry.kind in (FILE, EXECUTABLE)]
            yield from sorted(f"{hash}/{name}" for name in names)

    def _content(self, name: str) -> Path:
        hash, _, rest = name.partition("/")
        if self._snapshots_has(hash):
            for entry in self._snapshots.entries(hash):
                if entry.path == rest and entry.kind in (FILE, EXECUTABLE):
                    return Path(self._snapshots.objects.path(entry.content))
        raise NotFound(f"there is no blob {name!r} in container '{SNAPSHOTS}'")

    def _snapshots_has(self, hash: str) -> bool:
        return re.fullmatch(r"[0-9a-f]{64}", hash) is not None and self._snapshots.has(hash)

    def _writable(self, container: str, name: str, only_new: bool) -> Path:
        self._not_read_only(container)
        path = self.path(container, name)
        if not name.strip("/") or name.endswith("/") or os.path.isdir(path):
            raise ValidationException(f"{name!r} names a folder of container {container!r}; name a blob")
        if only_new and os.path.exists(path):
            raise Exists(f"the blob {name!r} is in container {container!r} already")
        return path

    def _not_read_only(self, container: str) -> None:
        if container == SNAPSHOTS:
            raise Refused(f"the container '{SNAPSHOTS}' is for reading only")

    def _blob(self, container: str, name: str, path: Path) -> Blob:
        status = path.stat()
        etag = f"0x{status.st_mtime_ns:X}"
        facts = self._noted(container, name)
        if facts.get("etag") != etag or facts.get("size") != status.st_size:
            facts = {}
        return Blob(name, status.st_size, status.st_mtime, etag, facts.get("metadata", {}), facts.get("md5"))

    def _noted(self, container: str, name: str) -> dict[str, Any]:
        try:
            loaded: dict[str, Any] = json.loads(self._facts(container, name).read_bytes())
        except (OSError, ValueError):
            return {}
        return loaded

    def _note(
        self, container: str, name: str, path: Path, metadata: dict[str, str], md5: str | None, made: str | None = None
    ) -> None:
        facts = self._facts(container, name)
        if not metadata and not md5 and not made:
            facts.unlink(missing_ok=True)
            return
        status = path.stat()
        etag = f"0x{status.st_mtime_ns:X}"
        known = {"etag": etag, "size": status.st_size, "metadata": metadata, "md5": md5, "made": made}
        with NewFile(temporary_beside(facts)) as file:
            file.write(json.dumps(known).encode())
            file.finish(facts)

    def _facts(self, container: str, name: str) -> Path:
        return self._beside / "facts" / f"{_hashed(f'{container}/{name}')}.json"

    def _blocks(self, container: str, name: str) -> Path:
        return self._beside / "blocks" / _hashed(f"{container}/{name}")


def _names(root: str, folder: str, prefix: str, delimiter: str) -> Iterator[str]:
    """Files below a folder, in the order of their whole names; with a delimiter one of each folder is enough."""
    for name in _entries(root, folder):
        if not name.endswith("/"):
            yield folder + name
        elif (folder + name).startswith(prefix) or prefix.startswith(folder + name):
            deeper = _names(root, folder + name, prefix, "")
            yield from islice(deeper, 1) if delimiter and (folder + name).startswith(prefix) else deeper


def _entries(root: str, folder: str) -> list[str]:
    """A folder's own names, those of folders with "/"; what a link leads to outside of the container is left out."""
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


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
