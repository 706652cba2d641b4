"""Datastores: folder trees with contained paths, ordered listings and atomic writes, and those of clouds."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import NotFound, Refused, ValidationException
from smalt.machine.home import Home
from smalt.service.data.cache.remote_cache import StoreCache
from smalt.service.data.datastores import addresses
from smalt.service.data.datastores.addresses import Address
from smalt.service.data.datastores.remote_store import Store
from smalt.service.data.files.copying import remove_tree, temporary_beside
from smalt.service.data.files.durable_files import write_whole
from smalt.service.data.files.path_containment import contained, inside
from smalt.wire.encoding.casing import fold

DEFAULT = "workspaceblobstore"
DEFAULTS = (DEFAULT, "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory")
"""What every workspace has from the start."""
ACCOUNT = "smalt.account"
"""The property of a container's datastore with the account for which `az storage container create` made it."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")

Registered = Mapping[str, Mapping[str, Any]]
LookupDatastore = Callable[[str, "str | None"], Registered]
"""(workspace folder, name) → the REST properties of the registered datastore of that name, with its secrets; of all
where the name is None. Names are as they were registered."""


class Item(NamedTuple):
    path: str
    """Relative to the datastore, with `/`."""
    size: int
    is_dir: bool
    is_executable: bool = False


class Datastores:
    def __init__(
        self, home: Home, cache: StoreCache, settings: Mapping[str, Any], lookup: LookupDatastore | None = None
    ) -> None:
        self._home = home
        self._cache = cache
        self._settings = settings
        self._lookup = lookup
        self._stores: dict[tuple[Address, str], Store] = {}
        self._roots: dict[tuple[Path, str, str], Path] = {}

    def create(self, workspace: str) -> None:
        """Make the default datastores of a new workspace."""
        for name in DEFAULTS:
            self._own(workspace, name).mkdir(parents=True, exist_ok=True)

    def root(self, workspace: str, datastore: str) -> Path | Store:
        """The root of a datastore; `workspace` is the name of the workspace's folder."""
        name = datastore.lower()
        if name in DEFAULTS:
            return self._own(workspace, name)
        if not _NAME.fullmatch(datastore):
            raise ValidationException(f"{datastore!r} is not the name of a datastore")
        if self._lookup is None:
            return self._own(workspace, datastore)
        for known, properties in self._lookup(workspace, datastore).items():
            if fold(str(properties.get("datastoreType"))) == "localpath":
                return Path(str(properties.get("path")))
            made = self._container(workspace, properties)
            if made is not None:
                return made
            address = addresses.of_datastore(known, properties)
            return self._own(workspace, known) if address is None else self._store(address, f"datastore {known}")
        raise NotFound(f"datastore {datastore} is not registered; `smalt datastore list` shows those that are")

    def _container(self, workspace: str, properties: Mapping[str, Any]) -> Path | None:
        """Return the folder of a container that `az storage container|fs create` made, for datastores that name it.

        A container of the same name in an account for which none was made here is the cloud's.
        """
        container = str(properties.get("containerName") or properties.get("filesystem") or "")
        if not _NAME.fullmatch(container):
            return None
        folder = self._home.path("workspaces", workspace, "containers", container)
        if not folder.is_dir():
            return None
        account = str(properties.get("accountName") or "").lower()
        if addresses.is_own_account(account) or account in (workspace.lower(), self._account_of(workspace, container)):
            return folder
        return None

    def _account_of(self, workspace: str, container: str) -> str | None:
        """Return the account for which a container was made here, where `--account-name` said one."""
        for properties in self._lookup(workspace, container).values() if self._lookup else ():
            noted = properties.get("properties")
            if isinstance(noted, Mapping) and fold(str(properties.get("datastoreType"))) == "localpath":
                return str(noted.get(ACCOUNT) or "").lower() or None
        return None

    def folder(self, workspace: str, datastore: str) -> Path:
        """The root of a datastore that is a folder of this machine."""
        root = self.root(workspace, datastore)
        if isinstance(root, Store):
            raise Refused(f"datastore {datastore} is at {root.address}; go there, or by `smalt datastore`")
        return root

    def reaching(self, workspace: str, url: str, is_bucket: bool) -> tuple[Store, str, str | None] | None:
        """For the URL of a cloud: the datastore that names the same account and container, the path in it and its name.

        Where there is none, a store without credentials for a bucket's URL, and for others if the setting
        `remote-login` gives it the environment's; else None.
        """
        for name, properties in (self._lookup(workspace, None) if self._lookup else {}).items():
            try:
                address = addresses.of_datastore(name, properties)
            except (Refused, ValidationException):
                continue
            path = addresses.path_in(address, url) if address else None
            if address is not None and path is not None:
                return self._store(address, f"datastore {name}"), path, name
        found = addresses.of_url(url)
        if found is not None and (is_bucket or self._is_environments()):
            return self._store(found[0], str(found[0])), found[1], None
        return None

    def _store(self, address: Address, name: str) -> Store:
        """The same one for the same address and credentials: its connections stay open."""
        addresses.check_driver(address, name)
        made = self._stores.get((address, name))
        if made is None:
            made = self._stores[address, name] = Store(address, name, self._is_environments)
        return made

    def _is_environments(self) -> bool:
        return self._settings.get("remote-login") == "environment"

    def check(self, workspace: str, datastore: str, path: str) -> None:
        """Refuse a path that leads out of its datastore."""
        root = self.root(workspace, datastore)
        _checked(path) if isinstance(root, Store) else contained(root, path)

    def path(self, workspace: str, datastore: str, path: str) -> Path:
        """A path of a datastore, refused when it, or a link on its way, leads out."""
        return contained(self.folder(workspace, datastore), path)

    def list(self, workspace: str, datastore: str, path: str = "", *, recursive: bool = False) -> Iterator[Item]:
        """What lies at and below `path`, in lexicographic order; recursively without the folders themselves."""
        root = self.root(workspace, datastore)
        if isinstance(root, Store):
            return _listed(root, _checked(path), recursive)
        start = contained(root, path)
        relative = os.path.relpath(start, root)
        relative = "" if relative == "." else relative
        if os.path.isfile(start):
            return iter([_file(relative, start.stat())])
        if not os.path.isdir(start):
            if not relative:
                return iter(())
            raise NotFound(f"path {path!r} is not in datastore {datastore}")
        return _items(os.path.realpath(root), os.fspath(start), relative, recursive, ())

    def open(self, workspace: str, datastore: str, path: str) -> Path:
        """The file at `path`, for reading; of a remote datastore, a copy of it."""
        root = self.root(workspace, datastore)
        found = self._cache.tree(root, _checked(path)) if isinstance(root, Store) else contained(root, path)
        if not os.path.exists(found):
            raise NotFound(f"path {path!r} is not in datastore {datastore}")
        if not os.path.isfile(found):
            raise Refused(f"path {path!r} of datastore {datastore} is a folder; name a file of it")
        return found

    def write(
        self, workspace: str, datastore: str, path: str, blocks: Iterable[bytes], *, executable: bool = False
    ) -> int:
        """Write a file, whole or not at all; gives its size. A cloud knows no executable files."""
        root = self.root(workspace, datastore)
        if isinstance(root, Store):
            return self._send(root, datastore, path, blocks)
        target = contained(root, path)
        if not path.strip("/") or path.endswith("/") or os.path.isdir(target):
            raise Refused(f"path {path!r} of datastore {datastore} names a folder; name a file")
        return write_whole(temporary_beside(target), target, blocks, 0o777 if executable else 0o666)

    def _send(self, store: Store, datastore: str, path: str, blocks: Iterable[bytes]) -> int:
        place = _checked(path)
        if not place or path.endswith("/"):
            raise Refused(f"path {path!r} of datastore {datastore} names a folder; name a file")
        incoming = self._cache.incoming()
        try:
            size = write_whole(incoming / "part", incoming / "whole", blocks)
            store.put(incoming / "whole", place)
            return size
        finally:
            remove_tree(incoming)

    def _own(self, workspace: str, name: str) -> Path:
        key = (self._home.plain, workspace, name)
        known = self._roots.get(key)
        if known is None:
            if not _NAME.fullmatch(workspace):
                raise ValidationException(f"{workspace!r} is not the folder of a workspace")
            known = self._roots[key] = key[0] / "workspaces" / workspace / "datastores" / name
        return known


def _checked(path: str) -> str:
    relative = inside(path)
    if relative is None:
        raise Refused(f"path {path!r} leads out of its datastore; write it without '..' and without a leading '/'")
    return relative


def _listed(store: Store, path: str, recursive: bool) -> Iterator[Item]:
    found = [Item(*row) for row in store.list_files(path, recursive=recursive)]
    if path and not found:
        raise NotFound(f"{store.name} has no {path!r} ({store.address})")
    return iter(found)


def _items(root: str, folder: str, prefix: str, recursive: bool, above: tuple[str, ...]) -> Iterator[Item]:
    """Order is that of whole paths, as a blob store gives them: "a-b" stands before "a/c".

    Links are followed where they stay in the datastore, but not to one of the folders `above`. What has no content is
    left out: links that lead nowhere, loops, FIFOs, sockets and devices.
    """
    with os.scandir(folder) as found:
        entries = [(entry.name + "/" if _is_folder(entry) else entry.name, entry) for entry in found]
    above = (*above, os.path.realpath(folder))
    for name, entry in sorted(entries, key=lambda pair: pair[0]):
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_symlink() and not _leads_on(root, entry.path, above):
            continue
        if not name.endswith("/"):
            with contextlib.suppress(OSError):
                if entry.is_file():
                    yield _file(path, entry.stat())
        elif not recursive:
            yield Item(path, 0, True)
        else:
            yield from _items(root, entry.path, path, True, above)


def _file(path: str, status: os.stat_result) -> Item:
    return Item(path, status.st_size, False, bool(status.st_mode & stat.S_IXUSR))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False


def _leads_on(root: str, link: str, above: tuple[str, ...]) -> bool:
    """Whether the link stays in the datastore and leads to no folder that holds it."""
    real = os.path.realpath(link)
    if real != root and not real.startswith(f"{root}/"):
        return False
    return not any(f"{folder}/".startswith(f"{real}/") for folder in above)
