"""Code that an environment takes from elsewhere (`pip install -e`), and whether it is as it was."""

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

from smalt.machine.stat_cache import racy

_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "build", "dist"})
_CODE = (".py", ".so", ".pyd")
_MAPPING = re.compile(r"^(?:MAPPING|NAMESPACES)\b[^=]*= *(\{.*\})$", re.MULTILINE)


class Files(NamedTuple):
    """The files of the code, as far as their statuses tell."""

    stamp: str
    newest: float
    """When one of them last changed, in seconds."""
    paths: dict[str, os.stat_result]


class Editable:
    """Reads again only the files that changed since they were last read."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def content(self, files: Files) -> str:
        """The hash of the files' names and bytes."""
        digest = hashlib.sha256()
        began = time.time_ns()
        for path, status in sorted(files.paths.items()):
            mark = _mark(status)
            known = self._known.get(path)
            if known is None or known[0] != mark:
                known = (mark, _hash(path))
                if not racy((status.st_size, status.st_mtime_ns, status.st_ctime_ns, 0, 0, ""), began):
                    self._known[path] = known
            digest.update(f"{_name(path)}\0{known[1]}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:12]


def roots(sites: Iterable[str]) -> dict[str, list[str]]:
    """Package, or `.pth` file → the folders and files from which its code comes."""
    found: dict[str, list[str]] = {}
    for site in sites:
        names = _names(site)
        paths = [path for name in names if name.endswith(".pth") for path in _lines(Path(site, name), site)]
        paths += [path for name in names if name.endswith("_finder.py") for path in _mapped(Path(site, name))]
        for name in names:
            project = _project(Path(site, name)) if name.endswith(".dist-info") else None
            if project is not None:
                own = [path for path in paths if f"{path}/".startswith(f"{project}/")]
                found[name.partition("-")[0]] = own or [project]
        taken = {path for own in found.values() for path in own}
        if rest := [path for path in paths if path not in taken]:
            found[f"{site}/*.pth"] = rest
    return found


def files(paths: Iterable[str]) -> Files:
    """The code below some folders: every module, and every file of a package."""
    found: dict[str, os.stat_result] = {}
    for path in paths:
        if os.path.isfile(path):
            found[path] = os.stat(path)
        else:
            found.update(_below(path))
    text = "\n".join(f"{path} {_mark(status)}" for path, status in sorted(found.items()))
    newest = max((status.st_ctime_ns for status in found.values()), default=0) / 1e9
    return Files(hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(), newest, found)


def _below(root: str) -> Iterator[tuple[str, os.stat_result]]:
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


def _lines(path: Path, site: str) -> list[str]:
    """The folders that a `.pth` file adds to the path."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    named = (line.strip() for line in lines if line.strip() and not line.startswith(("import ", "import\t", "#")))
    found = [os.path.normpath(os.path.join(site, line)) for line in named]
    return [path for path in found if os.path.isdir(path) and not f"{path}/".startswith(f"{site}/")]


def _mapped(path: Path) -> list[str]:
    """Where setuptools' finder of an editable package looks."""
    found: list[str] = []
    try:
        for text in _MAPPING.findall(path.read_text(errors="replace")):
            for place in ast.literal_eval(text).values():
                found += [place] if isinstance(place, str) else list(place)
    except (OSError, ValueError, SyntaxError, AttributeError, TypeError):
        return found
    return [one if os.path.exists(one) else f"{one}.py" for one in found]


def _project(metadata: Path) -> str | None:
    """The project of an editable package."""
    try:
        said = json.loads((metadata / "direct_url.json").read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(said, dict) or not (said.get("dir_info") or {}).get("editable"):
        return None
    return unquote(urlsplit(str(said.get("url"))).path).rstrip("/")


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _hash(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _name(path: str) -> str:
    """A file's name below its package's folder, wherever that lies."""
    above, names = os.path.split(path)
    while os.path.isfile(f"{above}/__init__.py"):
        above, name = os.path.split(above)
        names = f"{name}/{names}"
    return names


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
