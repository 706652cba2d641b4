"""Datastores as folder trees: contained paths, ordered listings, atomic writes."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import NotFound, Refused, ValidationException
from smalt.home import Home
from smalt.service.data.contain import contained
from smalt.service.data.copying import temporary_beside
from smalt.service.data.durable import write_whole

DEFAULT = "workspaceblobstore"
DEFAULTS = (DEFAULT, "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory")
"""What every workspace has from the start."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")

LookupDatastore = Callable[[str, str], str | None]
"""(workspace folder, name) → the local folder that a registered datastore maps to, "" for one of its own below the
workspace, None where no such datastore is registered."""


class Item(NamedTuple):
    path: str
    """Relative to the datastore, with `/`."""
    size: int
    is_dir: bool


class Datastores:
    def __init__(self, home: Home, lookup: LookupDatastore | None = None) -> None:
        self._workspaces = home.path("workspaces")
        self._lookup = lookup

    def create(self, workspace: str) -> None:
        """Make the default datastores of a new workspace."""
        for name in DEFAULTS:
            self._own(workspace, name).mkdir(parents=True, exist_ok=True)

    def folder(self, workspace: str, datastore: str) -> Path:
        """The root of a datastore; `workspace` is the name of the workspace's folder."""
        name = datastore.lower()
        if name in DEFAULTS:
            return self._own(workspace, name)
        if not _NAME.fullmatch(datastore):
            raise ValidationException(f"{datastore!r} is not the name of a datastore")
        mapped = self._lookup(workspace, datastore) if self._lookup else ""
        if mapped is None:
            raise NotFound(f"datastore {datastore} is not registered; `smalt datastore list` shows those that are")
        return Path(mapped) if mapped else self._own(workspace, datastore)

    def path(self, workspace: str, datastore: str, path: str) -> Path:
        """A path of a datastore, refused when it, or a link on its way, leads out."""
        return contained(self.folder(workspace, datastore), path)

    def list(self, workspace: str, datastore: str, path: str = "", *, recursive: bool = False) -> Iterator[Item]:
        """What lies at and below `path`, in lexicographic order; recursively without the folders themselves."""
        root = self.folder(workspace, datastore)
        start = contained(root, path)
        relative = os.path.relpath(start, root)
        relative = "" if relative == "." else relative
        if os.path.isfile(start):
            return iter([Item(relative, start.stat().st_size, False)])
        if not os.path.isdir(start):
            if not relative:
                return iter(())
            raise NotFound(f"path {path!r} is not in datastore {datastore}")
        return _items(os.path.realpath(root), os.fspath(start), relative, recursive)

    def open(self, workspace: str, datastore: str, path: str) -> Path:
        """The file at `path`, for reading."""
        found = self.path(workspace, datastore, path)
        if not os.path.exists(found):
            raise NotFound(f"path {path!r} is not in datastore {datastore}")
        if not os.path.isfile(found):
            raise Refused(f"path {path!r} of datastore {datastore} is a folder; name a file of it")
        return found

    def write(self, workspace: str, datastore: str, path: str, blocks: Iterable[bytes]) -> int:
        """Write a file, whole or not at all; gives its size."""
        target = self.path(workspace, datastore, path)
        if not path.strip("/") or path.endswith("/") or os.path.isdir(target):
            raise Refused(f"path {path!r} of datastore {datastore} names a folder; name a file")
        return write_whole(temporary_beside(target), target, blocks)

    def _own(self, workspace: str, name: str) -> Path:
        if not _NAME.fullmatch(workspace):
            raise ValidationException(f"{workspace!r} is not the folder of a workspace")
        return self._workspaces / workspace / "datastores" / name


def _items(root: str, folder: str, prefix: str, recursive: bool) -> Iterator[Item]:
    """Order is that of whole paths, as a blob store gives them: "a-b" stands before "a/c"."""
    with os.scandir(folder) as found:
        entries = [(entry.name + "/" if entry.is_dir() else entry.name, entry) for entry in found]
    for name, entry in sorted(entries, key=lambda pair: pair[0]):
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_symlink() and not _below(root, entry.path):
            continue
        if not name.endswith("/"):
            with contextlib.suppress(FileNotFoundError):
                yield Item(path, entry.stat().st_size, False)
        elif not recursive:
            yield Item(path, 0, True)
        elif not entry.is_symlink():
            yield from _items(root, entry.path, path, True)


def _below(root: str, path: str) -> bool:
    real = os.path.realpath(path)
    return real == root or real.startswith(root + "/")
