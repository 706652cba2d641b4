"""Tiny wheels, so that no test needs a network."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path


def make_wheel(
    folder: Path, name: str, version: str, *, requires: Sequence[str] = (), tag: str = "py3-none-any"
) -> Path:
    """A package whose `__version__` tells its version, with a command of its name that prints it and its Python."""
    metadata = f"{name}-{version}.dist-info"
    about = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    about += [f"Requires-Dist: {each}" for each in requires]
    command = ["import sys", f"import {name}", "", "def main():", f"    print({name}.__version__, sys.prefix)"]
    files = {
        f"{name}/__init__.py": f"__version__ = {version!r}\n",
        f"{name}/command.py": "\n".join(command) + "\n",
        f"{metadata}/METADATA": "\n".join(about) + "\n",
        f"{metadata}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{metadata}/entry_points.txt": f"[console_scripts]\n{name} = {name}.command:main\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    record += f"{metadata}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{metadata}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


_WAITING = """
import pathlib, shutil, time

def build_wheel(folder, settings=None, metadata=None):
    pathlib.Path({begun!r}).touch()
    for _ in range(6000):
        if pathlib.Path({go!r}).exists():
            return shutil.copy({wheel!r}, folder).rpartition("/")[2]
        time.sleep(0.01)
    raise SystemExit("nobody said go")
"""


_BUILDING = """
import pathlib, shutil

def build_wheel(folder, settings=None, metadata=None):
    pathlib.Path(__file__).with_name("litter").touch()
    return shutil.copy(next(pathlib.Path(__file__).parent.glob("hidden/*.whl")), folder).rpartition("/")[2]
"""


def make_package(folder: Path, name: str, version: str) -> None:
    """A folder with a package in source, whose build leaves a file in it."""
    for old in folder.glob("hidden/*"):
        old.unlink()
    make_wheel(folder / "hidden", name, version)
    for file, text in _source(name, version, _BUILDING).items():
        (folder / file).write_text(text)


def make_slow_package(folder: Path, name: str, begun: Path, go: Path) -> None:
    """A package in source that says when its build begins, and waits for a file before it ends."""
    wheel = make_wheel(folder / "hidden", name, "1.0")
    _make_source(folder, name, "1.0", _WAITING.format(begun=str(begun), go=str(go), wheel=str(wheel)))


def make_broken_package(folder: Path, name: str, version: str) -> None:
    """A package in source that cannot be built."""
    _make_source(folder, name, version, "def build_wheel(*_): raise SystemExit('it is broken')\n")


def _source(name: str, version: str, backend: str) -> dict[str, str]:
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    about = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"
    return {"pyproject.toml": build + project, "backend.py": backend, "PKG-INFO": about}


def _make_source(folder: Path, name: str, version: str, backend: str) -> None:
    files = _source(name, version, backend)
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
