"""Locations of data: v1's ways to write a path, as v2's URIs."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from typing import Any

from smalt.exceptions import SmaltError
from smalt.v1.exceptions import UserErrorException

_DATASTORE = re.compile(r"azureml://datastores/(?P<store>[^/]+)/paths/?(?P<path>.*)")
_PATTERN = re.compile(r"[*?\[]")


def make_uri(datastore: str, path: str = "") -> str:
    return f"azureml://datastores/{datastore}/paths/{path.strip('/')}"


def split_uri(uri: str) -> tuple[str, str] | None:
    """Return datastore and path of a URI of a datastore; None for any other."""
    found = _DATASTORE.fullmatch(uri)
    return (found["store"], found["path"]) if found is not None else None


def has_pattern(uri: str) -> bool:
    """Return True if the URI stands for files that match `*`; those of the web never do."""
    return not uri.startswith(("http://", "https://")) and bool(_PATTERN.search(uri))


def list_uris(path: Any) -> list[str]:
    """Return the URIs that a `path` of v1 stands for: text, a place on a datastore, or a list of them."""
    if isinstance(path, list):
        found = [uri for one in path for uri in list_uris(one)]
        if not found:
            raise UserErrorException("the path of a dataset is an empty list; name at least one file or folder")
        return found
    if isinstance(path, tuple):
        return _list_pair(path)
    if isinstance(path, (str, os.PathLike)):
        return [_to_uri(os.fspath(path))]
    uri = getattr(path, "uri", None)
    if isinstance(uri, str):
        return [uri]
    raise UserErrorException(
        f"a dataset's path is text, a (datastore, path) pair, or a list of them, not {type(path).__name__}"
    )


def _list_pair(pair: Sequence[Any]) -> list[str]:
    if len(pair) != 2 or not hasattr(pair[0], "name"):
        raise UserErrorException(
            "a pair that is a dataset's path has a datastore and a path: (datastore, 'folder/*.csv')"
        )
    store, paths = pair
    listed = paths if isinstance(paths, list) else [paths]
    return [make_uri(store.name, _shorten_pattern(str(one).removeprefix("./"))) for one in listed]


def _shorten_pattern(path: str) -> str:
    """Return the folder where a pattern stands for all files below it, at any depth."""
    shortened = re.sub(r"(^|/)\*\*(/\*\*?)*/?$", "", path)
    return path if has_pattern(shortened) else shortened


def _to_uri(text: str) -> str:
    if not text.strip():
        raise UserErrorException("the path of a dataset is empty; name a file or folder")
    is_remote = "://" in text or text.startswith("azureml:")
    if is_remote and not text.startswith("file://"):
        return _shorten_pattern(text) if text.startswith("azureml:") else text
    return _shorten_pattern(text.removeprefix("file://")) or "."


def find_type(uri: str, client: Any) -> str:
    """Return uri_file or uri_folder: what is there, as far as it can be asked, else what the name looks like."""
    if uri.endswith("/"):
        return "uri_folder"
    place = split_uri(uri)
    if place is None and "://" not in uri and os.path.exists(uri):
        return "uri_folder" if os.path.isdir(uri) else "uri_file"
    if place is not None and client is not None:
        store, path = place
        if not path:
            return "uri_folder"
        try:
            found = list(client.datastores.ls(store, path))
        except SmaltError:
            found = []
        if found:
            is_file = [one["path"].strip("/") for one in found] == [path.strip("/")] and not found[0].get("is_dir")
            return "uri_file" if is_file else "uri_folder"
    return "uri_file" if posixpath.splitext(uri.partition("?")[0])[1] else "uri_folder"
