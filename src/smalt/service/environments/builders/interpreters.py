"""Python interpreters of this machine, found without starting or downloading any."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import Unavailable
from smalt.service.environments.resolution.python_versions import Minor

_OLDEST, _NEWEST = 7, 20
_FRESH_SECONDS = 10.0
_SYSTEM = ("/usr/local/bin", "/usr/bin", "/bin")

_PROBE = """
import glob, json, os, sys, sysconfig
bundled = os.path.join(os.path.dirname(os.__file__), "ensurepip", "_bundled")
elsewhere = sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels"
wheels = glob.glob(os.path.join(bundled, "*.whl")) or glob.glob(os.path.join(elsewhere, "*.whl"))
base = getattr(sys, "_base_executable", sys.executable)
paths = sysconfig.get_paths()
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3], "executable": os.path.abspath(base), "wheels": wheels,
    "prefix": sys.prefix, "base_prefix": sys.base_prefix, "scripts": paths["scripts"],
    "lib64": "/lib64/" in paths["platlib"],
}))
"""


class Interpreter(NamedTuple):
    """A Python's own description of itself."""

    version: str
    executable: str
    """The interpreter itself, behind any virtual environment."""
    wheels: list[str]
    """The wheels of pip and setuptools that came with it."""
    prefix: str
    base_prefix: str
    scripts: str
    lib64: bool


class Interpreters:
    """The interpreters on PATH and where pyenv, uv, asdf, mise and the system keep theirs."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables
        self._found: dict[Minor, list[str]] = {}
        self._minors: tuple[Minor, ...] = ()
        self._fresh_until = 0.0

    def list_versions(self) -> tuple[Minor, ...]:
        """Return the versions on this machine, at least smalt's own."""
        now = time.monotonic()
        if now > self._fresh_until:
            self._found = self._scan()
            self._minors = tuple(sorted(self._found))
            self._fresh_until = now + _FRESH_SECONDS
        return self._minors

    def get_interpreter(self, minor: Minor) -> Interpreter:
        """Return a Python of that version that really starts; raise Unavailable if none does."""
        self.list_versions()
        for path in self._found.get(minor, []):
            try:
                found = probe_interpreter(path, os.stat(path).st_mtime_ns)
            except (OSError, ValueError):
                continue
            if found.version.startswith(f"{minor[0]}.{minor[1]}."):
                return found
        raise Unavailable(f"Python {minor[0]}.{minor[1]} is on this machine but does not start; repair or remove it")

    def _scan(self) -> dict[Minor, list[str]]:
        found: dict[Minor, list[str]] = {}
        for folder in self._list_folders():
            for minor in range(_OLDEST, _NEWEST):
                path = _resolve_interpreter(folder / f"python3.{minor}")
                known = found.setdefault((3, minor), [])
                if path is not None and path not in known:
                    known.append(path)
        own = str(getattr(sys, "_base_executable", sys.executable))
        found.setdefault(sys.version_info[:2], []).append(own)
        return {minor: paths for minor, paths in found.items() if paths}

    def _list_folders(self) -> Iterator[Path]:
        """Yield the folders in the order of preference: the user's before the system's."""
        on_path = [Path(entry) for entry in self._variables.get("PATH", "").split(os.pathsep) if entry]
        yield from (folder for folder in on_path if str(folder) not in _SYSTEM)
        home = Path(self._variables.get("HOME") or os.path.expanduser("~"))
        pyenv = Path(self._variables.get("PYENV_ROOT") or home / ".pyenv")
        managed = Path(self._variables.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
        shelves = [
            pyenv / "versions",
            managed,
            home / ".asdf/installs/python",
            home / ".local/share/mise/installs/python",
        ]
        for shelf in shelves:
            yield from (version / "bin" for version in _list_newest_first(shelf))
        yield from map(Path, ("/opt/homebrew/bin", *_SYSTEM))


@lru_cache(maxsize=64)
def probe_interpreter(path: str, _modified: int) -> Interpreter:
    """Ask a Python about itself; ValueError if it does not answer."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [path, "-I", "-c", _PROBE]
    try:
        answer = subprocess.run(command, capture_output=True, check=True, timeout=60, env=variables, cwd="/")
        return Interpreter(**json.loads(answer.stdout))
    except (subprocess.SubprocessError, TypeError) as error:
        raise ValueError(f"{path} does not answer: {error}") from None


def _resolve_interpreter(path: Path) -> str | None:
    """Return the interpreter at `path`; None if there is none, or only a script in its place."""
    try:
        with path.open("rb") as file:
            if file.read(2) == b"#!":
                return None
    except OSError:
        return None
    in_virtual_environment = (path.parent.parent / "pyvenv.cfg").exists()
    return os.path.realpath(path) if in_virtual_environment else str(path)


def _list_newest_first(shelf: Path) -> list[Path]:
    """Return the released versions of a folder such as ~/.pyenv/versions."""
    try:
        names = os.listdir(shelf)
    except OSError:
        return []
    released = [(match, name) for name in names if (match := re.fullmatch(r"(?:cpython-)?3\.(\d+)\.(\d+)(-.*)?", name))]
    released.sort(key=lambda pair: (int(pair[0][1]), int(pair[0][2])), reverse=True)
    return [shelf / name for _, name in released]
