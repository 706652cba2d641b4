"""`host`: the Python that the user names, as it is; jobs see its packages and leave it alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import Refused
from smalt.service.environments.installed import packages, realised_hash
from smalt.service.environments.overlay import template_of
from smalt.service.environments.overlays import Overlays
from smalt.service.environments.pythons import probe
from smalt.service.environments.realised import VARIABLES, Realised

_HINT = "name another with 'smalt config set host-python=/path/to/python3'"
_SITES = """
import json, site, sys
user = site.getusersitepackages() if site.ENABLE_USER_SITE else None
print(json.dumps([sys.executable, [path for path in sys.path if path.endswith("-packages")], user]))
"""


class _Known(NamedTuple):
    realised: Realised
    stamp: list[int]
    sites: list[str]
    program: str
    packages: list[str]


class Host:
    """The host environment, asked about once and again when its packages change."""

    def __init__(self, overlays: Overlays) -> None:
        self._overlays = overlays
        self._known: dict[str | None, _Known] = {}

    def known(self, setting: str | None) -> Realised | None:
        """What `realise` found, while it still holds; without starting anything."""
        known = self._known.get(setting)
        if known is None or known.stamp != _stamp(known.program, known.sites):
            return None
        return known.realised

    def realise(self, setting: str | None) -> Realised:
        """The host's environment; Refused where there is none or it does not start."""
        known = self.known(setting)
        if known is not None:
            return known
        program = setting or _first_on_path()
        executable, sites, users = _sites(program)
        found = probe(executable, os.stat(executable).st_mtime_ns)
        installed = packages(sites)
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
            declared_hash="host",
            realised_hash=realised_hash(found.version, installed),
            notes=[],
            template=template,
            overlays=self._overlays,
        )
        self._known[setting] = _Known(realised, _stamp(program, sites), sites, program, installed)
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
