"""`host`: the Python that the user names, as it is; jobs see its packages and leave it alone."""

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

from smalt.exceptions import Refused
from smalt.service.environments.builders.installed_packages import Contents, packages, realised_hash
from smalt.service.environments.builders.interpreters import probe
from smalt.service.environments.views import editable_code
from smalt.service.environments.views.built_environments import VARIABLES, Realised
from smalt.service.environments.views.overlay_layout import template_of
from smalt.service.environments.views.overlay_pool import Overlays

HOST = "host"
"""In place of the hash of a declaration."""
_HINT = "name another with 'smalt config set host-python=/path/to/python3'"
_SITES = """
import json, site, sys
user = site.getusersitepackages() if site.ENABLE_USER_SITE else None
print(json.dumps([sys.executable, [path for path in sys.path if path.endswith("-packages")], user]))
"""


_LOOKED_AGAIN = 0.25
"""Seconds after which editable code is looked at again; a submission has it looked at at once."""
_LOOKS_IN = 20
"""One part in so many of the time, at most, is spent on looking at editable code."""
_QUICK = 0.02
"""Seconds; where the last look took longer, the next one is taken in a thread."""


class _Known(NamedTuple):
    realised: Realised
    stamp: list[int]
    sites: list[str]
    program: str
    packages: list[str]
    roots: list[str]
    """Where its editable code comes from."""
    files: editable_code.Files


class Host:
    """The host environment, asked about once and again when its packages change."""

    def __init__(self, overlays: Overlays) -> None:
        self._overlays = overlays
        self._known: dict[str | None, _Known] = {}
        self._contents = Contents()
        self._editable = editable_code.Editable()
        self._looking = threading.Lock()
        self._looked = 0.0
        self._took = 0.0
        self._asked = 0
        self._answered = 0

    def known(self, setting: str | None) -> Realised | None:
        """What `realise` found, while it still holds; None where that takes long to tell, too."""
        return self._look(setting, may_take_long=False)

    def _look(self, setting: str | None, *, may_take_long: bool) -> Realised | None:
        known = self._known.get(setting)
        if known is None or known.stamp != _stamp(known.program, known.sites):
            return None
        if not known.roots:
            self._looked = time.time()
        elif self._is_due():
            if self._took > _QUICK and not may_take_long:
                return None
            asked, began = self._asked, time.time()
            if self._files(known.roots).stamp != known.files.stamp:
                return None
            self._looked, self._answered = began, asked
        return known.realised

    def _is_due(self) -> bool:
        lasts = max(_LOOKED_AGAIN, _LOOKS_IN * self._took)
        return self._answered != self._asked or not 0 <= time.time() - self._looked <= lasts

    def _files(self, roots: list[str]) -> editable_code.Files:
        began = time.monotonic()
        found = editable_code.files(roots)
        self._took = time.monotonic() - began
        return found

    @property
    def seen(self) -> float:
        """When its packages were last seen to be what `realise` found."""
        return self._looked

    def look_again(self) -> None:
        """Believe nothing of the editable code that was seen before now."""
        self._asked += 1

    def changed(self, setting: str | None) -> tuple[str, float] | None:
        """The realised hash, and when what it is of last changed, in seconds; None where that is not known."""
        self.look_again()
        realised = self._look(setting, may_take_long=True)
        if realised is None:
            return None
        known = self._known[setting]
        return realised.realised_hash, max([known.files.newest, *(stamp / 1e9 for stamp in known.stamp)])

    def realise(self, setting: str | None) -> Realised:
        """The host's environment; Refused where there is none or it does not start. Takes long, so in a thread."""
        with self._looking:  # what one looked at serves those who wait meanwhile
            return self._look(setting, may_take_long=True) or self._realise(setting)

    def _realise(self, setting: str | None) -> Realised:
        program = setting or _first_on_path()
        executable, sites, users = _sites(program)
        found = probe(executable, os.stat(executable).st_mtime_ns)
        asked, looked, stamp = self._asked, time.time(), _stamp(program, sites)
        sources = editable_code.roots(sites)
        roots = [path for paths in sources.values() for path in paths]
        files = self._files(roots)
        installed = packages(sites, self._contents)
        for name, paths in sources.items():
            installed.append(f"{name} (editable)=={self._editable.content(editable_code.files(paths))}")
        in_virtual_environment = found.prefix != found.base_prefix
        template = template_of(
            found.executable,
            found.version,
            Path(found.scripts),
            sites if in_virtual_environment else [site for site in sites if site == users],
            system_site=not in_virtual_environment,
            lib64=found.lib64,
        )
        realised = Realised(
            bin=None,
            python=executable,
            version=found.version,
            variables={**VARIABLES},
            declared_hash=HOST,
            realised_hash=realised_hash(found.version, installed),
            notes=[],
            template=template,
            overlays=self._overlays,
        )
        self._looked, self._answered = looked, asked
        self._known[setting] = _Known(realised, stamp, sites, program, installed, roots, files)
        return realised

    def packages(self, setting: str | None) -> list[str]:
        """`name==version` of all that `realise` found."""
        known = self._known.get(setting)
        return known.packages if known else []


def _first_on_path() -> str:
    """The first python3 on PATH but that of smalt's own virtual environment."""
    own = os.path.join(sys.prefix, "bin")
    for program in _on_path():
        in_own = sys.prefix != sys.base_prefix and os.path.samefile(os.path.dirname(program), own)
        if not in_own:
            return program
    return str(getattr(sys, "_base_executable", sys.executable))


def _on_path() -> Iterator[str]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which("python3", path=folder) if folder else None
        if found:
            yield os.path.abspath(found)


def _sites(program: str) -> tuple[str, list[str], str | None]:
    """The interpreter behind `program`, which may be a script of pyenv's, its site folders, and the user's own."""
    try:
        answer = subprocess.run([program, "-c", _SITES], capture_output=True, check=True, timeout=60, cwd="/")
        executable, sites, users = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        raise Refused(f"the host's Python {program} does not start; {_HINT}") from None
    return executable, sites, users


def _stamp(program: str, sites: list[str]) -> list[int]:
    return [_modified(path) for path in (program, *sites)]


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
