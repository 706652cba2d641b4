"""Editable code: packages whose code an environment takes from elsewhere (`pip install -e`), and changes of it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from smalt.machine.stat_cache import is_racy

_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "build", "dist"})
_CODE = (".py", ".so", ".pyd")
_MAPPING = re.compile(r"^(?:MAPPING|NAMESPACES)\b[^=]*= *(\{.*\})$", re.MULTILINE)


class EditableFiles(NamedTuple):
    """The files of the code, as described by their statuses."""

    stamp: str
    newest: float
    """The time when one of them last changed, in seconds."""
    paths: dict[str, os.stat_result]


class EditableHashes:
    """A cache of hashes that reads again only the files that changed since they were last read."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def hash_files(self, files: EditableFiles) -> str:
        """Return the hash of the files' names and bytes."""
        digest = hashlib.sha256()
        began = time.time_ns()
        for path, status in sorted(files.paths.items()):
            mark = _make_mark(status)
            known = self._known.get(path)
            if known is None or known[0] != mark:
                known = (mark, _hash_file(path))
                if not is_racy((status.st_size, status.st_mtime_ns, status.st_ctime_ns, 0, 0, ""), began):
                    self._known[path] = known
            digest.update(f"{_get_name(path)}\0{known[1]}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:12]


def find_roots(sites: Iterable[str]) -> dict[str, list[str]]:
    """Return {package or `.pth` file: the folders and files from which its code comes}."""
    found: dict[str, list[str]] = {}
    for site in sites:
        names = _list_folder(site)
        paths = [path for name in names if name.endswith(".pth") for path in _read_pth(Path(site, name), site)]
        paths += [path for name in names if name.endswith("_finder.py") for path in _read_finder(Path(site, name))]
        for name in names:
            project = _read_project(Path(site, name)) if name.endswith(".dist-info") else None
            if project is not None:
                own = [path for path in paths if f"{path}/".startswith(f"{project}/")]
                found[name.partition("-")[0]] = own or [project]
        taken = {path for own in found.values() for path in own}
        if rest := [path for path in paths if path not in taken]:
            found[f"{site}/*.pth"] = rest
    return found


def list_files(paths: Iterable[str]) -> EditableFiles:
    """Return the code below some folders: every module, and every file of a package."""
    found: dict[str, os.stat_result] = {}
    for path in paths:
        if os.path.isfile(path):
            found[path] = os.stat(path)
        else:
            found.update(_list_below(path))
    text = "\n".join(f"{path} {_make_mark(status)}" for path, status in sorted(found.items()))
    newest = max((status.st_ctime_ns for status in found.values()), default=0) / 1e9
    return EditableFiles(hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(), newest, found)


def _list_below(root: str) -> Iterator[tuple[str, os.stat_result]]:
    pending = [(root, False)]
    while pending:
        folder, in_package = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        in_package = in_package or any(entry.name == "__init__.py" for entry in entries)
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if entry.name[0] == "." or entry.name in _SKIPPED or entry.name.endswith((".egg-info", ".pyc")):
                continue
            try:
                if entry.is_dir():
                    if not entry.is_symlink() or not f"{folder}/".startswith(f"{os.path.realpath(entry.path)}/"):
                        pending.append((entry.path, in_package))
                elif in_package or entry.name.endswith(_CODE):
                    yield entry.path, entry.stat()
            except OSError:
                continue


def _read_pth(path: Path, site: str) -> list[str]:
    """Return the folders that a `.pth` file adds to the path."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    named = (line.strip() for line in lines if line.strip() and not line.startswith(("import ", "import\t", "#")))
    found = [os.path.normpath(os.path.join(site, line)) for line in named]
    return [path for path in found if os.path.isdir(path) and not f"{path}/".startswith(f"{site}/")]


def _read_finder(path: Path) -> list[str]:
    """Return where setuptools' finder of an editable package looks."""
    found: list[str] = []
    try:
        for text in _MAPPING.findall(path.read_text(errors="replace")):
            for place in ast.literal_eval(text).values():
                found += [place] if isinstance(place, str) else list(place)
    except (OSError, ValueError, SyntaxError, AttributeError, TypeError):
        return found
    return [one if os.path.exists(one) else f"{one}.py" for one in found]


def _read_project(metadata: Path) -> str | None:
    """Return the project of an editable package."""
    try:
        said = json.loads((metadata / "direct_url.json").read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(said, dict) or not (said.get("dir_info") or {}).get("editable"):
        return None
    return unquote(urlsplit(str(said.get("url"))).path).rstrip("/")


def _make_mark(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _hash_file(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _get_name(path: str) -> str:
    """Return a file's name below its package's folder, wherever that is."""
    above, names = os.path.split(path)
    while os.path.isfile(f"{above}/__init__.py"):
        above, name = os.path.split(above)
        names = f"{name}/{names}"
    return names


def _list_folder(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
