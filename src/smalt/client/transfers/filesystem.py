"""`azureml.fsspec` in programs: the files of datastores and data assets, by the names of Microsoft's package.

Jobs that have the package installed get its own class, led to this server (`smalt.inside.v1.filesystem`).
"""

from __future__ import annotations

import atexit
import fnmatch
import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterable
from typing import IO, Any, NoReturn

from smalt.exceptions import NotFound, ValidationException

_SCOPE = r"azureml://subscriptions/([^/]+)/resourcegroups/([^/]+)/(?:providers/[^/]+/)?workspaces/([^/]+)/"
_FORMS = (
    (re.compile(rf"{_SCOPE}datastores/([^/]+)(?:/paths(?:/(.*))?)?$", re.I), "datastore"),
    (re.compile(r"azureml://datastores/([^/]+)(?:/paths(?:/(.*))?)?$", re.I), "datastore"),
    (re.compile(rf"{_SCOPE}data/([^/]+)/versions/([^/]+)$", re.I), "data"),
    (re.compile(r"azureml:(?://)?([^:/\\]+):([^:/\\]+)$", re.I), "data"),
)
_ON_CONFLICT = ("FAIL_ON_FILE_CONFLICT", "MERGE_WITH_OVERWRITE", "APPEND")


class AzureMachineLearningFileSystem:
    """The files of a datastore, or of a data asset; `ml_client` says the workspace of a short URI."""

    protocol = "azureml"

    def __init__(self, uri: str, ml_client: Any = None, **kwargs: Any) -> None:
        kind, scope, name, rest = _read_uri(uri)
        self._uri, self._client = uri, ml_client or kwargs.get("ml_client") or _make_client(scope, kwargs)
        if kind == "data":
            path = str(self._client.data.get(name, rest).path)
            found = _FORMS[0][0].match(path) or _FORMS[1][0].match(path)
            if found is None:
                raise ValidationException(f"{uri} is at {path}, which is not on a datastore; read it by this address")
            name, rest = found.groups()[-2:]
        self._store, self._path = name, (rest or "").strip("/")

    def __repr__(self) -> str:
        return f"AzureMachineLearningFileSystem({self._uri!r})"

    @property
    def root_path(self) -> str:
        """The path of the URI on the datastore."""
        return self._path

    def ls(self, path: str | None = None, detail: bool = False, **kwargs: Any) -> list[Any]:
        """Return the files and folders at a path, by default that of the URI."""
        found = [
            {"name": one["path"], "type": "directory" if one["is_dir"] else "file", "size": one.get("size")}
            for one in self._client.datastores.ls(self._store, self._find_place(path))
        ]
        return found if detail else [str(one["name"]) for one in found]

    def find(self, path: str | None = None, **kwargs: Any) -> list[str]:
        """Return all files below a path."""
        entries = self._client.datastores.ls(self._store, self._find_place(path), recursive=True)
        return sorted(str(one["path"]) for one in entries if not one["is_dir"])

    def glob(self, path: str | None = None, **kwargs: Any) -> list[str]:
        pattern = self._find_place(path)
        base = re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
        expression = re.compile(fnmatch.translate(pattern).replace(".*", "[^/]*") if "**" not in pattern else
                                fnmatch.translate(pattern))  # fmt: skip
        return [name for name in self.find(base) if expression.match(name)]

    def exists(self, path: str) -> bool:
        try:
            self.info(path)
        except FileNotFoundError:
            return False
        return True

    def info(self, path: str) -> dict[str, Any]:
        """Return name, type and size; raises FileNotFoundError."""
        place = self._find_place(path)
        try:
            found = self.ls(path, detail=True)
        except NotFound as error:
            raise FileNotFoundError(str(error)) from None
        if [one["name"] for one in found] == [place]:
            return dict(found[0])
        return {"name": place, "type": "directory", "size": None}

    def isdir(self, path: str) -> bool:
        return self.exists(path) and self.info(path)["type"] == "directory"

    def isfile(self, path: str) -> bool:
        return self.exists(path) and self.info(path)["type"] == "file"

    def open(self, path: str | None = None, mode: str = "rb", **kwargs: Any) -> IO[Any]:
        """Return a file, open for reading."""
        if mode not in ("r", "rt", "rb"):
            raise ValidationException(f"a file of a datastore is opened for reading, not by mode '{mode}'; use upload")
        place = self._find_place(path)
        with tempfile.TemporaryDirectory() as folder:
            self._client.datastores.download(self._store, place, folder)
            return open(os.path.join(folder, posixpath.basename(place)), mode)

    def download(self, rpath: str, lpath: str, recursive: bool = False, **kwargs: Any) -> None:
        """Copy a file, or the files below a folder, into a local folder."""
        place = self._find_place(rpath)
        is_file = self.isfile(rpath)
        base = posixpath.dirname(place) if is_file else place
        names = [place] if is_file else self.find(rpath)
        targets = {name: os.path.join(lpath, posixpath.relpath(name, base or ".")) for name in names}
        for name in _choose_files(targets, [one for one, target in targets.items() if os.path.exists(target)], kwargs):
            self._client.datastores.download(self._store, name, os.path.dirname(targets[name]) or ".")

    def upload(self, lpath: str, rpath: str = "", recursive: bool = False, **kwargs: Any) -> None:
        """Copy a file, or the files below a local folder, into a folder of the datastore."""
        source, folder = os.path.abspath(lpath), self._find_place(rpath)
        if not os.path.exists(source):
            raise FileNotFoundError(f"there is no file or folder '{lpath}' to upload")
        base = source if os.path.isdir(source) else os.path.dirname(source)
        found = [os.path.join(top, one) for top, _, names in os.walk(source) for one in sorted(names)]
        targets = {
            one: "/".join(filter(None, (folder, os.path.relpath(one, base).replace(os.sep, "/"))))
            for one in found or [source]
        }
        there = set(self._list_there(folder))
        for one in _choose_files(targets, [file for file, target in targets.items() if target in there], kwargs):
            self._client.datastores.upload(self._store, one, targets[one])

    get, put = download, upload

    def _list_there(self, folder: str) -> list[str]:
        try:
            return self.find(folder)
        except NotFound:
            return []

    def _find_place(self, path: str | None) -> str:
        """Return a path of the datastore, from any of the ways to write it."""
        if path is None:
            return self._path
        if path.startswith("azureml:"):
            kind, _, name, rest = _read_uri(path)
            if kind != "datastore" or name != self._store:
                raise ValidationException(f"{path} is not on the datastore of {self._uri}; make a file system of it")
            return (rest or "").strip("/")
        return path.strip("/") if path.strip("/") != "." else ""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"smalt's AzureMachineLearningFileSystem has no '{name}'; it lists, opens, and copies files"
        )


def fetch_uri(uri: str) -> str:
    """Copy what is at an address of a datastore to a temporary folder, which ends with the program; return its path."""
    from smalt.client.client import MLClient

    scope = _read_uri(uri)[1]
    files = AzureMachineLearningFileSystem(uri, ml_client=None if scope else MLClient.from_config())
    folder = tempfile.mkdtemp(prefix="smalt-fetched-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files.download(files.root_path, folder)
    path = os.path.join(folder, posixpath.basename(files.root_path))
    return path if os.path.isfile(path) else folder


def _read_uri(uri: str) -> tuple[str, tuple[str, ...], str, str]:
    """Return the kind of a URI, its workspace, and its name with its path or version."""
    for form, kind in _FORMS:
        found = form.match(uri)
        if found is not None:
            *scope, name, rest = found.groups()
            return kind, tuple(scope), name, rest
    raise ValidationException(
        f"'{uri}' is no address of a datastore or a data asset; write azureml://datastores/NAME/paths/PATH"
    )


def _make_client(scope: tuple[str, ...], given: dict[str, Any]) -> Any:
    from smalt.client.client import MLClient

    keys = ("subscription", "resource_group", "workspace_name")
    scope = scope or tuple(str(given[key]) for key in keys if given.get(key))
    if len(scope) != len(keys):
        raise ValidationException(
            "a short URI does not say its workspace; give ml_client=…, or azureml://subscriptions/…"
        )
    return MLClient(None, *scope)


def _choose_files(targets: dict[str, str], taken: Iterable[str], given: dict[str, Any]) -> list[str]:
    """Return what to copy, by the package's rules for files that exist already."""
    overwrite, taken = str(given.get("overwrite", _ON_CONFLICT[0])).upper(), list(taken)
    if overwrite not in _ON_CONFLICT:
        raise ValidationException(f"overwrite is one of {', '.join(_ON_CONFLICT)}, not '{given['overwrite']}'")
    if taken and overwrite == _ON_CONFLICT[0]:
        raise ValidationException(
            f"{targets[taken[0]]} is there already; give overwrite='MERGE_WITH_OVERWRITE' or 'APPEND'"
        )
    return [one for one in targets if overwrite != "APPEND" or one not in taken]
