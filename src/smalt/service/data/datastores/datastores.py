"""Datastores: local folders with contained paths, ordered listings and atomic writes, and remote ones."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import NotFound, RefusedError, ValidationException
from smalt.machine.home import Home
from smalt.service.data.cache.remote_cache import RemoteCache
from smalt.service.data.datastores import addresses
from smalt.service.data.datastores.addresses import Address
from smalt.service.data.datastores.remote_store import RemoteStore
from smalt.service.data.files.copying import make_temporary_name, remove_tree
from smalt.service.data.files.durable_files import write_durably
from smalt.service.data.files.path_containment import normalize_relative, resolve_inside
from smalt.wire.encoding.casing import fold_case

DEFAULT = "workspaceblobstore"
DEFAULTS = (DEFAULT, "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory")
"""The datastores that every workspace has from the start."""
ACCOUNT = "smalt.account"
"""The property of a container's datastore with the account for which `az storage container create` made it."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")

Registered = Mapping[str, Mapping[str, Any]]
LookupDatastore = Callable[[str, "str | None"], Registered]
"""(workspace folder, name) → the REST properties of the registered datastore of that name, with its secrets; of all
where the name is None. Names are as they were registered."""


class DatastoreItem(NamedTuple):
    """A file or folder of a datastore."""

    path: str
    """Relative to the datastore, with `/`."""
    size: int
    is_dir: bool
    is_executable: bool = False


class Datastores:
    """The datastores of a home, by workspace and name."""

    def __init__(
        self, home: Home, cache: RemoteCache, settings: Mapping[str, Any], lookup: LookupDatastore | None = None
    ) -> None:
        self._home = home
        self._cache = cache
        self._settings = settings
        self._lookup = lookup
        self._stores: dict[tuple[Address, str], RemoteStore] = {}
        self._roots: dict[tuple[Path, str, str], Path] = {}

    def create_defaults(self, workspace: str) -> None:
        """Create the default datastores of a new workspace."""
        for name in DEFAULTS:
            self._get_own_folder(workspace, name).mkdir(parents=True, exist_ok=True)

    def get_root(self, workspace: str, datastore: str) -> Path | RemoteStore:
        """Return the root of a datastore; `workspace` is the name of the workspace's folder."""
        name = datastore.lower()
        if name in DEFAULTS:
            return self._get_own_folder(workspace, name)
        if not _NAME.fullmatch(datastore):
            raise ValidationException(f"{datastore!r} is not the name of a datastore")
        if self._lookup is None:
            return self._get_own_folder(workspace, datastore)
        for known, properties in self._lookup(workspace, datastore).items():
            if fold_case(str(properties.get("datastoreType"))) == "localpath":
                return Path(str(properties.get("path")))
            made = self._find_container(workspace, properties)
            if made is not None:
                return made
            address = addresses.make_address(known, properties)
            return (
                self._get_own_folder(workspace, known)
                if address is None
                else self._get_store(address, f"datastore {known}")
            )
        raise NotFound(f"datastore {datastore} is not registered; `smalt datastore list` shows those that are")

    def _find_container(self, workspace: str, properties: Mapping[str, Any]) -> Path | None:
        """Return the folder of a container that `az storage container|fs create` made, for datastores that name
        it.

        A container of the same name in an account for which none was made here is the cloud's.
        """
        container = str(properties.get("containerName") or properties.get("filesystem") or "")
        if not _NAME.fullmatch(container):
            return None
        folder = self._home.path("workspaces", workspace, "containers", container)
        if not folder.is_dir():
            return None
        account = str(properties.get("accountName") or "").lower()
        if addresses.is_own_account(account) or account in (
            workspace.lower(),
            self._find_account(workspace, container),
        ):
            return folder
        return None

    def _find_account(self, workspace: str, container: str) -> str | None:
        """Return the account for which a container was made here, if `--account-name` named one."""
        for properties in self._lookup(workspace, container).values() if self._lookup else ():
            noted = properties.get("properties")
            if isinstance(noted, Mapping) and fold_case(str(properties.get("datastoreType"))) == "localpath":
                return str(noted.get(ACCOUNT) or "").lower() or None
        return None

    def list_folders(self, workspace: str) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
        """Yield name, root and REST properties of each datastore that is a folder of this machine."""
        registered = self._lookup(workspace, None) if self._lookup else {}
        for name, properties in {**{name: {} for name in DEFAULTS}, **registered}.items():
            with contextlib.suppress(RefusedError, ValidationException, NotFound):
                root = self.get_root(workspace, name)
                if isinstance(root, Path):
                    yield name, root, properties

    def get_folder(self, workspace: str, datastore: str) -> Path:
        """Return the root of a datastore that is a folder of this machine; raise Refused for a remote one."""
        root = self.get_root(workspace, datastore)
        if isinstance(root, RemoteStore):
            raise RefusedError(
                f"datastore {datastore} is at {root.address}; use it there, or through `smalt datastore`"
            )
        return root

    def find_store(self, workspace: str, url: str, is_bucket: bool) -> tuple[RemoteStore, str, str | None] | None:
        """Return the datastore for a cloud's URL (same account and container), the path in it and its name.

        Without such a datastore, return a store without credentials for a bucket's URL, and for others if the
        setting `remote-login` allows the environment's credentials; else None.
        """
        for name, properties in (self._lookup(workspace, None) if self._lookup else {}).items():
            try:
                address = addresses.make_address(name, properties)
            except (RefusedError, ValidationException):
                continue
            path = addresses.find_path(address, url) if address else None
            if address is not None and path is not None:
                return self._get_store(address, f"datastore {name}"), path, name
        found = addresses.parse_url(url)
        if found is not None and (is_bucket or self._uses_environment_login()):
            return self._get_store(found[0], str(found[0])), found[1], None
        return None

    def _get_store(self, address: Address, name: str) -> RemoteStore:
        """Return the store of an address; the same object for the same credentials, as its connections stay open."""
        addresses.check_driver(address, name)
        made = self._stores.get((address, name))
        if made is None:
            made = self._stores[address, name] = RemoteStore(address, name, self._uses_environment_login)
        return made

    def _uses_environment_login(self) -> bool:
        return self._settings.get("remote-login") == "environment"

    def check_path(self, workspace: str, datastore: str, path: str) -> None:
        """Raise Refused if a path leads out of its datastore."""
        root = self.get_root(workspace, datastore)
        _check_relative(path) if isinstance(root, RemoteStore) else resolve_inside(root, path)

    def get_path(self, workspace: str, datastore: str, path: str) -> Path:
        """Return a path of a datastore; raise Refused if it, or a link on its way, leads out."""
        return resolve_inside(self.get_folder(workspace, datastore), path)

    def list(
        self, workspace: str, datastore: str, path: str = "", *, recursive: bool = False
    ) -> Iterator[DatastoreItem]:
        """List what is at and below `path`, in lexicographic order; with `recursive` files only."""
        root = self.get_root(workspace, datastore)
        if isinstance(root, RemoteStore):
            return _list_remote(root, _check_relative(path), recursive)
        start = resolve_inside(root, path)
        relative = os.path.relpath(start, root)
        relative = "" if relative == "." else relative
        if os.path.isfile(start):
            return iter([_make_item(relative, start.stat())])
        if not os.path.isdir(start):
            if not relative:
                return iter(())
            raise NotFound(f"path {path!r} is not in datastore {datastore}")
        return _list_folder(os.path.realpath(root), os.fspath(start), relative, recursive, ())

    def open(self, workspace: str, datastore: str, path: str) -> Path:
        """Return the file at `path`, for reading; of a remote datastore, a copy of it."""
        root = self.get_root(workspace, datastore)
        found = (
            self._cache.fetch_tree(root, _check_relative(path))
            if isinstance(root, RemoteStore)
            else resolve_inside(root, path)
        )
        if not os.path.exists(found):
            raise NotFound(f"path {path!r} is not in datastore {datastore}")
        if not os.path.isfile(found):
            raise RefusedError(f"path {path!r} of datastore {datastore} is a folder; name a file of it")
        return found

    def write(
        self, workspace: str, datastore: str, path: str, blocks: Iterable[bytes], *, executable: bool = False
    ) -> int:
        """Write a file, whole or not at all; return its size. Remote datastores have no executable files."""
        root = self.get_root(workspace, datastore)
        if isinstance(root, RemoteStore):
            return self._upload(root, datastore, path, blocks)
        target = resolve_inside(root, path)
        if not path.strip("/") or path.endswith("/") or os.path.isdir(target):
            raise RefusedError(f"path {path!r} of datastore {datastore} names a folder; name a file")
        return write_durably(make_temporary_name(target), target, blocks, 0o777 if executable else 0o666)

    def _upload(self, store: RemoteStore, datastore: str, path: str, blocks: Iterable[bytes]) -> int:
        place = _check_relative(path)
        if not place or path.endswith("/"):
            raise RefusedError(f"path {path!r} of datastore {datastore} names a folder; name a file")
        incoming = self._cache.make_incoming()
        try:
            size = write_durably(incoming / "part", incoming / "whole", blocks)
            store.upload(incoming / "whole", place)
            return size
        finally:
            remove_tree(incoming)

    def _get_own_folder(self, workspace: str, name: str) -> Path:
        key = (self._home.shell_safe_path, workspace, name)
        known = self._roots.get(key)
        if known is None:
            if not _NAME.fullmatch(workspace):
                raise ValidationException(f"{workspace!r} is not the folder of a workspace")
            known = self._roots[key] = key[0] / "workspaces" / workspace / "datastores" / name
        return known


def _check_relative(path: str) -> str:
    relative = normalize_relative(path)
    if relative is None:
        raise RefusedError(f"path {path!r} leads out of its datastore; write it without '..' and without a leading '/'")
    return relative


def _list_remote(store: RemoteStore, path: str, recursive: bool) -> Iterator[DatastoreItem]:
    found = [DatastoreItem(*row) for row in store.list_files(path, recursive=recursive)]
    if path and not found:
        raise NotFound(f"{store.name} has no {path!r} ({store.address})")
    return iter(found)


def _list_folder(
    root: str, folder: str, prefix: str, recursive: bool, above: tuple[str, ...]
) -> Iterator[DatastoreItem]:
    """Yield the items of a folder in the order of whole paths, as a blob store does: "a-b" stands before "a/c".

    Links are followed if they stay in the datastore, except to one of the folders `above`. Entries without
    content are left out: dangling links, loops, FIFOs, sockets and devices.
    """
    with os.scandir(folder) as found:
        entries = [(entry.name + "/" if _is_folder(entry) else entry.name, entry) for entry in found]
    above = (*above, os.path.realpath(folder))
    for name, entry in sorted(entries, key=lambda pair: pair[0]):
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_symlink() and not _is_followed(root, entry.path, above):
            continue
        if not name.endswith("/"):
            with contextlib.suppress(OSError):
                if entry.is_file():
                    yield _make_item(path, entry.stat())
        elif not recursive:
            yield DatastoreItem(path, 0, True)
        else:
            yield from _list_folder(root, entry.path, path, True, above)


def _make_item(path: str, status: os.stat_result) -> DatastoreItem:
    return DatastoreItem(path, status.st_size, False, bool(status.st_mode & stat.S_IXUSR))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False


def _is_followed(root: str, link: str, above: tuple[str, ...]) -> bool:
    """True if the link stays in the datastore and does not lead to a folder that holds it."""
    real = os.path.realpath(link)
    if real != root and not real.startswith(f"{root}/"):
        return False
    return not any(f"{folder}/".startswith(f"{real}/") for folder in above)
