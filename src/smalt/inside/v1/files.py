"""The files of a run, in MLflow's artifact store."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from .client import RequestRefused
from .errors import make_exception, make_user_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from .client import RunClient

_SCHEME = "mlflow-artifacts"


def parse_uri(uri: str) -> str:
    """Return the path in the artifact store that a URI points to."""
    parts = urlsplit(uri)
    if parts.scheme != _SCHEME:
        raise make_exception(f"the files at '{uri}' cannot be reached from a job; only those of a run can")
    return parts.path.strip("/")


def list_names(client: RunClient, folder: str) -> list[str]:
    """All files below a folder of the store, as paths relative to it."""
    found = []
    for entry in client.list_files(folder):
        name = entry["path"].rstrip("/").rpartition("/")[2]
        if entry.get("is_dir"):
            found += [name + "/" + below for below in list_names(client, folder + "/" + name)]
        else:
            found.append(name)
    return sorted(found)


def fetch_file(client: RunClient, path: str, target: str) -> None:
    """Fetch a file of the store; `target` is written whole, or not at all."""
    folder = os.path.dirname(os.path.abspath(target))
    os.makedirs(folder, exist_ok=True)
    partial = target + ".partial"
    try:
        with open(partial, "wb") as file:
            client.get_file(path, file)
        os.replace(partial, target)
    except BaseException:
        if os.path.exists(partial):
            os.remove(partial)
        raise


class RunFiles:
    """The files of a run, by their names in it."""

    def __init__(self, client: RunClient, run_id: str) -> None:
        self.client = client
        self.run_id = run_id
        self._root = ""

    @property
    def uri(self) -> str:
        return str(self.client.get_json("runs/get", run_id=self.run_id)["run"]["info"]["artifact_uri"])

    def put_file(self, name: str, source: str | BinaryIO) -> str:
        """Store a file or a stream, and return its name in the run."""
        name = _normalise_name(name)
        if not isinstance(source, (str, os.PathLike)):
            self.client.put_file(self._get_path(name), source)
            return name
        if not os.path.isfile(source):
            raise make_user_error(f"there is no file '{source}' to upload")
        with open(source, "rb") as file:
            self.client.put_file(self._get_path(name), file)
        return name

    def put_folder(self, name: str, folder: str) -> None:
        if not os.path.isdir(folder):
            raise make_user_error(f"there is no folder '{folder}' to upload")
        for parent, _, files in os.walk(folder):
            relative = os.path.relpath(parent, folder)
            for file in files:
                self.put_file("/".join((name, relative.replace(os.sep, "/"), file)), os.path.join(parent, file))

    def list_names(self) -> list[str]:
        return list_names(self.client, self._get_path(""))

    def read_file(self, name: str) -> bytes:
        return self.client.read_file(self._get_path(_normalise_name(name)))

    def fetch_file(self, name: str, target: str) -> None:
        try:
            fetch_file(self.client, self._get_path(_normalise_name(name)), target)
        except RequestRefused as problem:
            if problem.status != 404:
                raise
            there = ", ".join(self.list_names()[:20]) or "none"
            raise make_user_error(f"run '{self.run_id}' has no file '{name}'; its files: {there}") from None

    def _get_path(self, name: str) -> str:
        self._root = self._root or parse_uri(self.uri)
        return self._root + "/" + name if name else self._root


def _normalise_name(name: str) -> str:
    """Return a name within the run: `./outputs/../x` is x, and no name leads to another run."""
    parts: list[str] = []
    for part in str(name).replace(os.sep, "/").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    if not parts:
        raise make_user_error(f"'{name}' is not a name for a file of a run")
    return "/".join(parts)
