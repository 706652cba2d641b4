"""The environment `host`: the user's own Python, unchanged; jobs see its packages and leave it alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import RefusedError
from smalt.service.environments.builders.installed_packages import PackageHashes, list_packages, make_realised_hash
from smalt.service.environments.builders.interpreters import probe_interpreter
from smalt.service.environments.views import editable_code
from smalt.service.environments.views.built_environments import HOST, VARIABLES, BuiltEnvironment
from smalt.service.environments.views.overlay_layout import make_template
from smalt.service.environments.views.overlay_pool import OverlayPool

_HINT = "name another with 'smalt config set host-python /path/to/python3'"
_SITES = """
import json, site, sys
user = site.getusersitepackages() if site.ENABLE_USER_SITE else None
print(json.dumps([sys.executable, [path for path in sys.path if path.endswith("-packages")], user]))
"""


_LOOKED_AGAIN = 0.25
"""Seconds after which editable code is looked at again; a submission has it looked at at once."""
_LOOKS_IN = 20
"""The inverse of the share of time, at most, that is spent on walking editable code."""
_QUICK = 0.02
"""Seconds; where the last look took longer, the next one is taken in a thread."""


class _HostState(NamedTuple):
    realised: BuiltEnvironment
    stamp: list[int]
    sites: list[str]
    program: str
    packages: list[str]
    roots: list[str]
    """The folders and files of its editable code."""
    files: editable_code.EditableFiles


class HostPython:
    """The host environment, examined once and again when its packages change."""

    def __init__(self, overlays: OverlayPool) -> None:
        self._overlays = overlays
        self._known: dict[str | None, _HostState] = {}
        self._contents = PackageHashes()
        self._editable = editable_code.EditableHashes()
        self._looking = threading.Lock()
        self._looked = 0.0
        self._took = 0.0
        self._asked = 0
        self._answered = 0

    def find_known(self, setting: str | None) -> BuiltEnvironment | None:
        """Return what `examine` found, while it still holds; None also if that takes long to determine."""
        return self._find_valid(setting, may_take_long=False)

    def _find_valid(self, setting: str | None, *, may_take_long: bool) -> BuiltEnvironment | None:
        known = self._known.get(setting)
        if known is None or known.stamp != _make_stamp(known.program, known.sites):
            return None
        if not known.roots:
            self._looked = time.time()
        elif self._is_due():
            if self._took > _QUICK and not may_take_long:
                return None
            asked, began = self._asked, time.time()
            if self._list_files(known.roots).stamp != known.files.stamp:
                return None
            self._looked, self._answered = began, asked
        return known.realised

    def _is_due(self) -> bool:
        lasts = max(_LOOKED_AGAIN, _LOOKS_IN * self._took)
        return self._answered != self._asked or not 0 <= time.time() - self._looked <= lasts

    def _list_files(self, roots: list[str]) -> editable_code.EditableFiles:
        began = time.monotonic()
        found = editable_code.list_files(roots)
        self._took = time.monotonic() - began
        return found

    @property
    def checked_at(self) -> float:
        """The time when its packages were last seen to be what `examine` found."""
        return self._looked

    def invalidate(self) -> None:
        """Forget what was seen of the editable code before now."""
        self._asked += 1

    def get_state(self, setting: str | None) -> tuple[str, float] | None:
        """Return the realised hash, and when its content last changed, in seconds; None if that is unknown."""
        self.invalidate()
        realised = self._find_valid(setting, may_take_long=True)
        if realised is None:
            return None
        known = self._known[setting]
        return realised.realised_hash, max([known.files.newest, *(stamp / 1e9 for stamp in known.stamp)])

    def examine(self, setting: str | None) -> BuiltEnvironment:
        """Return the host's environment; Refused if there is none or it does not start. Slow, so call it in a
        thread.
        """
        with self._looking:  # what one looked at serves those who wait meanwhile
            return self._find_valid(setting, may_take_long=True) or self._examine(setting)

    def _examine(self, setting: str | None) -> BuiltEnvironment:
        program = setting or _find_first()
        executable, sites, users = _read_sites(program)
        found = probe_interpreter(executable, os.stat(executable).st_mtime_ns)
        asked, looked, stamp = self._asked, time.time(), _make_stamp(program, sites)
        sources = editable_code.find_roots(sites)
        roots = [path for paths in sources.values() for path in paths]
        files = self._list_files(roots)
        installed = list_packages(sites, self._contents)
        for name, paths in sources.items():
            installed.append(f"{name} (editable)=={self._editable.hash_files(editable_code.list_files(paths))}")
        in_virtual_environment = found.prefix != found.base_prefix
        template = make_template(
            found.executable,
            found.version,
            Path(found.scripts),
            sites if in_virtual_environment else [site for site in sites if site == users],
            system_site=not in_virtual_environment,
            lib64=found.lib64,
        )
        realised = BuiltEnvironment(
            bin=None,
            python=executable,
            version=found.version,
            variables={**VARIABLES},
            declared_hash=HOST,
            realised_hash=make_realised_hash(found.version, installed),
            notes=[],
            template=template,
            overlays=self._overlays,
        )
        self._looked, self._answered = looked, asked
        self._known[setting] = _HostState(realised, stamp, sites, program, installed, roots, files)
        return realised

    def list_packages(self, setting: str | None) -> list[str]:
        """Return `name==version` of everything that `examine` found."""
        known = self._known.get(setting)
        return known.packages if known else []


def _find_first() -> str:
    """Return the first python3 on PATH, except that of smalt's own virtual environment."""
    own = os.path.join(sys.prefix, "bin")
    for program in _list_on_path():
        in_own = sys.prefix != sys.base_prefix and os.path.samefile(os.path.dirname(program), own)
        if not in_own:
            return program
    return str(getattr(sys, "_base_executable", sys.executable))


def _list_on_path() -> Iterator[str]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which("python3", path=folder) if folder else None
        if found:
            yield os.path.abspath(found)


def _read_sites(program: str) -> tuple[str, list[str], str | None]:
    """Return the interpreter behind `program` (perhaps a script of pyenv's), its site folders, and the user's own."""
    try:
        answer = subprocess.run([program, "-c", _SITES], capture_output=True, check=True, timeout=60, cwd="/")
        executable, sites, users = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        raise RefusedError(f"the host's Python {program} does not start; {_HINT}") from None
    return executable, sites, users


def _make_stamp(program: str, sites: list[str]) -> list[int]:
    return [_get_modified(path) for path in (program, *sites)]


def _get_modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
