"""A conda channel in a folder, made by hand: packages, their metadata and the list of them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PLACEHOLDER = "/opt/placeholder"
"""Stands in a file for the prefix that it is installed into."""
SUBDIR = {"linux": "linux", "darwin": "osx"}[sys.platform] + (
    "-64" if os.uname().machine == "x86_64" else "-aarch64" if sys.platform == "linux" else "-arm64"
)
_LEFT_OUT = ("test", "tests", "idlelib", "ensurepip", "lib2to3", "tkinter", "turtledemo", "__pycache__",
             "site-packages", "pydoc_data", "lib-dynload", "config-")  # fmt: skip


def add(
    channel: Path, name: str, version: str, files: Mapping[str, bytes], *, depends: Sequence[str] = (),
    noarch: str | None = None,
) -> None:  # fmt: skip
    """A package of these files; those under bin/ can be executed."""
    subdir = "noarch" if noarch else SUBDIR
    index: dict[str, Any] = {
        "name": name, "version": version, "build": "0", "build_number": 0, "depends": list(depends), "subdir": subdir,
    }  # fmt: skip
    index.update({"noarch": noarch} if noarch else {})
    paths = []
    for path, content in files.items():
        entry = {"_path": path, "path_type": "hardlink", "sha256": _sha256(content), "size_in_bytes": len(content)}
        if PLACEHOLDER.encode() in content:
            entry.update({"prefix_placeholder": PLACEHOLDER, "file_mode": "text"})
        paths.append(entry)
    about = {"info/index.json": index, "info/paths.json": {"paths": paths, "paths_version": 1}}
    packed = {**files, **{path: json.dumps(content).encode() for path, content in about.items()}}
    place = channel / subdir / f"{name}-{version}-0.tar.bz2"
    place.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place, "w:bz2", compresslevel=1) as archive:
        for path, content in packed.items():
            entry_of = tarfile.TarInfo(path)
            entry_of.size, entry_of.mode = len(content), 0o755 if path.startswith("bin/") else 0o644
            archive.addfile(entry_of, io.BytesIO(content))
    content = place.read_bytes()
    _list(channel, subdir, place.name, {**index, "sha256": _sha256(content), "size": len(content)})


_CALLING = '#!/bin/sh\nexec "${{0%/*}}/python{}" "$@"\n'


def add_python(channel: Path) -> str:
    """The Python of these tests as a package, and pip; its version."""
    minor = str(sysconfig.get_config_var("py_version_short"))
    version = sys.version.split()[0]
    library = Path(sysconfig.get_paths()["stdlib"])
    program = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    files = {f"bin/python{minor}": program.read_bytes(), "bin/python": _CALLING.format(minor).encode()}
    for path in library.rglob("*"):
        parts = path.relative_to(library).parts
        if path.is_file() and not any(part.startswith(_LEFT_OUT) for part in parts):
            files[f"lib/python{minor}/{'/'.join(parts)}"] = path.read_bytes()
    for path in (library / "lib-dynload").iterdir():
        files[f"lib/python{minor}/lib-dynload/{path.name}"] = path.read_bytes()
    add(channel, "python", version, files)
    (wheel,) = library.glob("ensurepip/_bundled/pip-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        content = {f"site-packages/{name}": archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    add(channel, "pip", wheel.name.split("-")[1], content, depends=["python"], noarch="python")
    return version


def _list(channel: Path, subdir: str, file: str, entry: dict[str, Any]) -> None:
    for each in ("noarch", SUBDIR):
        place = channel / each / "repodata.json"
        empty: dict[str, Any] = {"info": {"subdir": each}, "packages": {}, "packages.conda": {}}
        known = json.loads(place.read_text()) if place.exists() else empty
        if each == subdir:
            known["packages"][file] = entry
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(known))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
