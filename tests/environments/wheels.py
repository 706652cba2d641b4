"""Tiny wheels, so that no test needs a network."""

from __future__ import annotations

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
    record = "".join(f"{path},,\n" for path in [*files, f"{metadata}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{metadata}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel
