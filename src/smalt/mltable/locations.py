"""Locations of a table's files: paths, patterns, and URIs as far as this machine can reach them."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from .errors import UserErrorException

VARIABLE = "SMALT_DATA"
"""The variable that tells a job, in JSON, `datastores` (names to folders) and `url-map` (prefixes to folders)."""

_REMOTE = re.compile(r"(https?|adl|wasbs?|abfss?|azureml)://|azureml:", re.IGNORECASE)
_DATASTORE = re.compile(r"azureml://(?:.*/)?datastores/(?P<store>[^/]+)(?:/paths)?(?:/(?P<path>.*))?", re.IGNORECASE)
_BLOB = re.compile(r"(?:wasb|abfs)s?://(?P<container>[^@/]+)@(?P<host>[^/]+)(?P<path>/.*)?", re.IGNORECASE)
FETCHERS: list[Callable[[str], str]] = []
"""Fetches what is at an address of a datastore, and returns its local path: in programs that are no jobs."""
_AS_INPUT = "give it to the job as an input, whose path can be read"


def is_remote(path: str) -> bool:
    return bool(_REMOTE.match(path))


def strip_scheme(path: str) -> str:
    """Return a path without `file://`; another URI unchanged."""
    return path[len("file://") :] if path.startswith("file://") else path


def make_absolute(path: str, base: str) -> str:
    """Return `path` of a table in the folder (or URI) `base` as an absolute one."""
    if is_remote(path) or path.startswith("file://"):
        return path
    if is_remote(base) and not os.path.isabs(path):
        relative = os.path.normpath(path)
        return base.rstrip("/") if relative == "." else base.rstrip("/") + "/" + relative
    return "file://" + os.path.normpath(os.path.join(strip_scheme(base), path))


def resolve_local(uri: str) -> str:
    """Return the local path of `uri`; a file of the web is fetched into the temporary folder."""
    if not is_remote(uri):
        return strip_scheme(uri)
    found = _find_mapped(uri)
    if found is None and uri.lower().startswith(("http://", "https://")):
        found = _fetch_file(uri)
    if found is None:
        raise UserErrorException(f"{uri} cannot be reached from here; {_AS_INPUT}")
    return found


def resolve_asset(uri: str, client: Any) -> str:
    """Return the location of a data asset's content, from the client that knows it; in a job from smalt."""
    found = _find_mapped(uri)
    if found is not None:
        return found
    name = re.sub(r".*/data/([^/]+)/(versions|labels)/([^/]+)/?", r"\1:\3", uri.replace("@", ":"))
    name, _, version = name[len("azureml:") :].partition(":") if name.startswith("azureml:") else name.partition(":")
    if client is None:
        raise UserErrorException(
            f"{uri} is a data asset, and nothing here can look it up; {_AS_INPUT}, or name it to mltable.load with "
            "ml_client=MLClient(…)"
        )
    latest = not version or version == "latest"
    data = client.data.get(name, label="latest") if latest else client.data.get(name, version=version)
    return str(data.path)


def list_files(entry: dict[str, str]) -> list[str]:
    """Return the files of one entry of `paths`, whose path is absolute, by name."""
    kind, path = next(iter(entry.items()))
    if kind == "file":
        if re.search(r"[*?\[]|/$", strip_scheme(path)):
            raise UserErrorException(
                f"'{strip_scheme(path)}' is listed under file, but is not a file name; list it under pattern or folder"
            )
        return [path]
    if kind == "folder":
        return _list_folder(path)
    return _find_matching(path)


def get_readable(uri: str) -> str:
    """Return the local path of an existing file."""
    path = resolve_local(uri)
    if not os.path.exists(path):
        raise UserErrorException(f"there is no file {path}")
    if os.path.isdir(path):
        raise UserErrorException(f"{path} is a folder, and stands under file; write it under folder")
    return path


def _list_folder(path: str) -> list[str]:
    root = resolve_local(path)
    if os.path.isfile(root):
        raise UserErrorException(f"{root} is a file, and stands under folder; write it under file")
    if not os.path.isdir(root):
        raise UserErrorException(f"there is no folder {root}")
    return [_make_name(path, root, each) for each in _walk_files(root) if os.path.relpath(each, root) != "MLTable"]


def _find_matching(path: str) -> list[str]:
    steady = re.split(r"[*?\[]", strip_scheme(path), maxsplit=1)[0].rpartition("/")[0]
    base = "file://" + steady if not is_remote(path) else steady
    root = resolve_local(base)
    pattern = re.compile(translate_pattern(strip_scheme(path)[len(steady) :].lstrip("/")))
    found = [each for each in _walk_files(root) if pattern.fullmatch(os.path.relpath(each, root).replace(os.sep, "/"))]
    if not found:
        raise UserErrorException(f"no file matches {strip_scheme(path)}")
    return [_make_name(base, root, each) for each in found]


def _make_name(base: str, root: str, path: str) -> str:
    if not is_remote(base):
        return "file://" + path
    return base.rstrip("/") + "/" + os.path.relpath(path, root).replace(os.sep, "/")


def _walk_files(root: str) -> Iterator[str]:
    """Yield all files below a folder, in the order of their paths."""
    found = [os.path.join(parent, name) for parent, _, names in os.walk(root) for name in names]
    return iter(sorted(found, key=lambda path: path.split(os.sep)))


def translate_pattern(pattern: str) -> str:
    """Return a regular expression: * and ? within a folder, ** for any folders."""
    made, index = "", 0
    while index < len(pattern):
        if pattern.startswith("**/", index):
            made, index = made + "(?:[^/]+/)*", index + 3
            continue
        letter = pattern[index]
        closing = pattern.find("]", index + 2) if letter == "[" else -1
        if closing > 0:
            inner = pattern[index + 1 : closing].replace("\\", "\\\\")
            made, index = made + "[" + ("^" + inner[1:] if inner[0] == "!" else inner) + "]", closing + 1
            continue
        made += {"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter))
        index += 1
    return made


def _read_variable() -> dict[str, Any]:
    try:
        told = json.loads(os.environ.get(VARIABLE) or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _find_mapped(uri: str) -> str | None:
    """Return the path from smalt's variable: by the longest prefix of its URL map, or a datastore."""
    told = _read_variable()
    table: dict[str, str] = told.get("url-map") or {}
    for spelling in (uri, to_https(uri)):
        for prefix in sorted(table, key=len, reverse=True):
            start = prefix.rstrip("/")
            if spelling and (spelling == start or spelling.startswith(start + "/")):
                rest = unquote(spelling[len(start) + 1 :])
                return os.path.join(strip_scheme(os.path.expanduser(table[prefix])), *filter(None, [rest]))
    found = _DATASTORE.fullmatch(uri)
    if found is None:
        return None
    stores: dict[str, str] = told.get("datastores") or {}
    if found["store"] not in stores and FETCHERS:
        if uri not in _FETCHED:
            _FETCHED[uri] = FETCHERS[0](uri)
        return _FETCHED[uri]
    if found["store"] not in stores:
        known = f"; those it has on this machine are {', '.join(sorted(stores))}" if stores else ""
        raise UserErrorException(f"{uri}: the job knows no datastore '{found['store']}'{known}; {_AS_INPUT}")
    relative = os.path.normpath(found["path"] or ".")
    if relative.startswith(".."):
        raise UserErrorException(f"{uri} leads out of datastore {found['store']}; write its path without '..'")
    return os.path.normpath(os.path.join(stores[found["store"]], relative))


def to_https(uri: str) -> str | None:
    found = _BLOB.fullmatch(uri)
    if found is None:
        return None
    return f"https://{found['host'].replace('.dfs.', '.blob.')}/{found['container']}{found['path'] or ''}"


def _fetch_file(uri: str) -> str:
    """Fetch a file of the web, once per process."""
    if uri in _FETCHED:
        return _FETCHED[uri]
    folder = tempfile.mkdtemp(prefix="mltable-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, os.path.basename(urlsplit(uri).path) or "file")
    try:
        with urllib.request.urlopen(uri, timeout=60) as answer, open(path, "wb") as file:
            shutil.copyfileobj(answer, file)
    except (OSError, ValueError) as error:
        raise UserErrorException(f"{uri} could not be fetched: {error}; {_AS_INPUT}") from None
    _FETCHED[uri] = path
    return path


_FETCHED: dict[str, str] = {}
