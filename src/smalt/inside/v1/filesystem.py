"""`azureml.fsspec` in a job: datastores and data of the job's own workspace, read and written by smalt's own routes.

The installed package does all else; its library (Rust) would call hosts of Azure.
"""

from __future__ import annotations

import os
import tempfile

from . import workspace_routes as routes
from .errors import make_user_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any

NAME = "AzureMachineLearningFileSystem"


def make_filesystem_class(theirs: Any) -> Any:
    """The installed package's filesystem, which asks this server where it is one of the job's own workspace."""

    async def _ls(self: Any, path: str | None = None, detail: bool = False, refresh: bool = True, **more: Any) -> Any:
        if not _is_own(self):
            return await theirs._ls(self, path, detail=detail, refresh=refresh, **more)
        found = list(_list_files(self, _get_inner_path(self, path), recursive=False))
        return found if detail else sorted(one["name"] for one in found)

    async def _info(self: Any, path: str, refresh: bool = True) -> Any:
        if not _is_own(self):
            return await theirs._info(self, path, refresh=refresh)
        name = _get_inner_path(self, path)
        found = list(_list_files(self, name, recursive=False))
        is_file = [one["name"] for one in found] == [name] and found[0]["type"] == "file"
        return found[0] if is_file else {"name": name, "type": "directory", "size": None}

    async def _exists(self: Any, path: str) -> bool:
        try:
            await self._info(path)
        except FileNotFoundError:
            return False
        return True

    async def _open(self: Any, path: str | None = None, mode: str = "rb", **more: Any) -> Any:
        if not _is_own(self):
            return await theirs._open(self, path, mode, **more)
        self._validate_args_for_open(mode)
        file = tempfile.TemporaryFile()  # noqa: SIM115 the caller closes it
        try:
            _fetch_file(self, _get_inner_path(self, path), file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    async def _get(
        self: Any, rpath: str, lpath: str, recursive: bool = False, callback: Any = None, **more: Any
    ) -> Any:
        if not _is_own(self):
            return await theirs._get(self, rpath, lpath, recursive, callback, **more)
        name = _get_inner_path(self, rpath)
        if (await self._info(name))["type"] == "file":
            if recursive:
                raise make_user_error("rpath type of single file should not use recursive download")
            names, base = [name], os.path.dirname(name)
        else:
            names, base = (
                [one["name"] for one in _list_files(self, name, recursive=recursive) if one["type"] == "file"],
                name,
            )
        targets = [(one, os.path.join(lpath, os.path.relpath(one, base or "."))) for one in names]
        for one, target in _to_write(targets, lambda target: os.path.exists(target), more):
            os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
            with open(target, "wb") as file:
                _fetch_file(self, one, file)

    async def _put(
        self: Any, lpath: str, rpath: str, recursive: bool = False, callback: Any = None, **more: Any
    ) -> Any:
        if not _is_own(self):
            return await theirs._put(self, lpath, rpath, recursive, callback, **more)
        folder, source = _get_inner_path(self, rpath), os.path.abspath(lpath)
        base = source if os.path.isdir(source) else os.path.dirname(source)
        targets = [
            (one, "/".join(filter(None, (folder, os.path.relpath(one, base))))) for one in _list_local_files(source)
        ]
        there = {one["name"] for one in _list_files(self, folder, recursive=True, may_miss=True)}
        for one, target in _to_write(targets, there.__contains__, more):
            with open(one, "rb") as file:
                _send_file(self, target, file, os.path.getsize(one))

    changed = (_ls, _info, _exists, _open, _get, _put)
    return type(NAME, (theirs,), {"__module__": theirs.__module__, **{one.__name__: one for one in changed}})


def _is_own(filesystem: Any) -> bool:
    """Return True if the filesystem is of the job's own workspace, and the job may ask for its files."""
    context = getattr(filesystem, "_storage_context", {})
    own = [os.environ.get("AZUREML_ARM_" + name, "").lower() for name in routes.SCOPE.values()]
    return routes.can_ask_workspace() and [str(context.get(key, "")).lower() for key in routes.SCOPE] == own


def _get_inner_path(filesystem: Any, path: str | None) -> str:
    """A path below the root of the filesystem, from any of the ways to write it."""
    path = path or filesystem._path
    filesystem._validate_storage_context(path)
    inner = str(filesystem.to_absolute_path(filesystem._strip_protocol(path, filesystem._storage_context)))
    return inner.strip("/")


def _get_root(filesystem: Any) -> tuple[str, str]:
    """The datastore, and where in it the filesystem begins."""
    context = filesystem._storage_context
    if "datastore_name" in context:
        return context["datastore_name"], ""
    return routes.resolve_uri("azureml:{}:{}".format(context["dataasset_name"], context["dataasset_version"]))


def _list_files(filesystem: Any, path: str, *, recursive: bool, may_miss: bool = False) -> Iterator[dict[str, Any]]:
    store, root = _get_root(filesystem)
    try:
        for one in routes.list_store(store, "/".join(filter(None, (root, path))), recursive=recursive):
            name = one["path"][len(root) :].strip("/") if one["path"] != root else os.path.basename(root)
            kind = "directory" if one["is_dir"] else "file"
            yield {"name": name, "type": kind, "size": None if one["is_dir"] else one["size"]}
    except FileNotFoundError:
        if not may_miss:
            raise


def _fetch_file(filesystem: Any, path: str, file: IO[bytes]) -> None:
    routes.fetch_store_file(*_find_place(filesystem, path), file)


def _send_file(filesystem: Any, path: str, file: IO[bytes], size: int) -> None:
    routes.put_store_file(*_find_place(filesystem, path), file, size)


def _find_place(filesystem: Any, path: str) -> tuple[str, str]:
    """Return datastore and path of a file of the filesystem."""
    store, root = _get_root(filesystem)
    is_root = not path or path == os.path.basename(root)  # an asset that is one file
    inner = root if is_root and root else "/".join(filter(None, (root, path)))
    return store, inner


def _list_local_files(source: str) -> list[str]:
    if os.path.isfile(source):
        return [source]
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(source) for name in names)


def _to_write(targets: list[tuple[str, str]], is_there: Any, more: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the files to copy, by the package's own rules for files that exist already."""
    overwrite = str(more.get("overwrite", "FAIL_ON_FILE_CONFLICT")).upper()
    taken = [target for _, target in targets if is_there(target)]
    if taken and overwrite == "FAIL_ON_FILE_CONFLICT":
        raise make_user_error(f"{taken[0]} is there already; give overwrite='MERGE_WITH_OVERWRITE' or 'APPEND'")
    return [one for one in targets if overwrite != "APPEND" or one[1] not in taken]
