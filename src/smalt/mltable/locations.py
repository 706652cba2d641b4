"""Where the files of a table are: paths, patterns, and URIs as far as this machine can reach them."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from .errors import UserErrorException

VARIABLE = "SMALT_DATA"
"""What smalt tells a job: JSON with `datastores`, names to folders, and `url-map`, prefixes to folders."""

_REMOTE = re.compile(r"(https?|adl|wasbs?|abfss?|azureml)://|azureml:", re.IGNORECASE)
_DATASTORE = re.compile(r"azureml://(?:.*/)?datastores/(?P<store>[^/]+)(?:/paths)?(?:/(?P<path>.*))?", re.IGNORECASE)
_BLOB = re.compile(r"(?:wasb|abfs)s?://(?P<container>[^@/]+)@(?P<host>[^/]+)(?P<path>/.*)?", re.IGNORECASE)
_AS_INPUT = "give it to the job as an input, whose path can be read"


def is_remote(path: str) -> bool:
    return bool(_REMOTE.match(path))


def plain(path: str) -> str:
    """A path without `file://`; another URI as it is."""
    return path[len("file://") :] if path.startswith("file://") else path


def absolute(path: str, base: str) -> str:
    """`path` of a table in the folder (or URI) `base`."""
    if is_remote(path) or path.startswith("file://"):
        return path
    if is_remote(base) and not os.path.isabs(path):
        relative = os.path.normpath(path)
        return base.rstrip("/") if relative == "." else base.rstrip("/") + "/" + relative
    return "file://" + os.path.normpath(os.path.join(plain(base), path))


def local(uri: str) -> str:
    """Where what `uri` names lies on this machine; a file of the web is fetched into the temporary folder."""
    if not is_remote(uri):
        return plain(uri)
    found = _mapped(uri)
    if found is None and uri.lower().startswith(("http://", "https://")):
        found = _fetched(uri)
    if found is None:
        raise UserErrorException(f"{uri} cannot be reached from here; {_AS_INPUT}")
    return found


def asset(uri: str, client: Any) -> str:
    """Where a data asset's content is, by the client that knows it; in a job by what smalt told it."""
    found = _mapped(uri)
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


def files(entry: dict[str, str]) -> list[str]:
    """The files of one entry of `paths`, whose path is absolute, by name."""
    kind, path = next(iter(entry.items()))
    if kind == "file":
        if re.search(r"[*?\[]|/$", plain(path)):
            raise UserErrorException(
                f"'{plain(path)}' stands under file, and is the name of no file; write it under pattern or folder"
            )
        return [path]
    if kind == "folder":
        return _in_folder(path)
    return _matching(path)


def readable(uri: str) -> str:
    """The local path of a file that is there."""
    path = local(uri)
    if not os.path.exists(path):
        raise UserErrorException(f"there is no file {path}")
    if os.path.isdir(path):
        raise UserErrorException(f"{path} is a folder, and stands under file; write it under folder")
    return path


def _in_folder(path: str) -> list[str]:
    root = local(path)
    if os.path.isfile(root):
        raise UserErrorException(f"{root} is a file, and stands under folder; write it under file")
    if not os.path.isdir(root):
        raise UserErrorException(f"there is no folder {root}")
    return [_named(path, root, each) for each in _walk(root) if os.path.relpath(each, root) != "MLTable"]


def _matching(path: str) -> list[str]:
    steady = re.split(r"[*?\[]", plain(path), maxsplit=1)[0].rpartition("/")[0]
    base = "file://" + steady if not is_remote(path) else steady
    root = local(base)
    pattern = re.compile(translated(plain(path)[len(steady) :].lstrip("/")))
    found = [each for each in _walk(root) if pattern.fullmatch(os.path.relpath(each, root).replace(os.sep, "/"))]
    if not found:
        raise UserErrorException(f"no file matches {plain(path)}")
    return [_named(base, root, each) for each in found]


def _named(base: str, root: str, path: str) -> str:
    if not is_remote(base):
        return "file://" + path
    return base.rstrip("/") + "/" + os.path.relpath(path, root).replace(os.sep, "/")


def _walk(root: str) -> Iterator[str]:
    """All files below a folder, in the order of their paths."""
    found = [os.path.join(parent, name) for parent, _, names in os.walk(root) for name in names]
    return iter(sorted(found, key=lambda path: path.split(os.sep)))


def translated(pattern: str) -> str:
    """A regular expression: * and ? within a folder, ** for any folders."""
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


def _told() -> dict[str, Any]:
    try:
        told = json.loads(os.environ.get(VARIABLE) or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _mapped(uri: str) -> str | None:
    """By what smalt told the job: the longest prefix of its URL map, or a datastore."""
    told = _told()
    table: dict[str, str] = told.get("url-map") or {}
    for spelling in (uri, as_https(uri)):
        for prefix in sorted(table, key=len, reverse=True):
            start = prefix.rstrip("/")
            if spelling and (spelling == start or spelling.startswith(start + "/")):
                rest = unquote(spelling[len(start) + 1 :])
                return os.path.join(plain(os.path.expanduser(table[prefix])), *filter(None, [rest]))
    found = _DATASTORE.fullmatch(uri)
    if found is None:
        return None
    stores: dict[str, str] = told.get("datastores") or {}
    if found["store"] not in stores:
        known = f"; those it has on this machine are {', '.join(sorted(stores))}" if stores else ""
        raise UserErrorException(f"{uri}: the job knows no datastore '{found['store']}'{known}; {_AS_INPUT}")
    relative = os.path.normpath(found["path"] or ".")
    if relative.startswith(".."):
        raise UserErrorException(f"{uri} leads out of datastore {found['store']}; write its path without '..'")
    return os.path.normpath(os.path.join(stores[found["store"]], relative))


def as_https(uri: str) -> str | None:
    found = _BLOB.fullmatch(uri)
    if found is None:
        return None
    return f"https://{found['host'].replace('.dfs.', '.blob.')}/{found['container']}{found['path'] or ''}"


def _fetched(uri: str) -> str:
    """A file of the web, fetched once a process."""
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
