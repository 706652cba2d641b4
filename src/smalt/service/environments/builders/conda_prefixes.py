"""Conda prefixes: packages installed by rattler; uv then adds what the file lists under `pip:`."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from smalt.exceptions import RefusedError, SmaltError
from smalt.machine.home import Home
from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.builders import server_tools, virtual_environments
from smalt.service.environments.builders.build_processes import LOCKS, Log, OutputLines, run_process
from smalt.service.environments.builders.installed_packages import list_packages
from smalt.service.environments.builders.interpreters import Interpreter, probe_interpreter
from smalt.service.environments.resolution.requirements import copy_local_files

CHILD = Path(__file__).with_name("child") / "conda.py"
REQUIREMENTS = "py-rattler==0.28.0\n"
_ALIASES = {"defaults": ["main", "r"]}
"""Channel names that stand for several channels, each by the name under which one host has them all."""


class CondaBuilder:
    def __init__(self, home: Home) -> None:
        self._tool = server_tools.ServerTool(home, "Rattler", REQUIREMENTS, ">=3.10", _check_start)
        self._cache = home.path("tools", ".conda-packages")

    async def build_prefix(
        self, prefix: Path, specs: Sequence[str], channels: Sequence[str], pip: Sequence[str], log: Log, relaxes: bool
    ) -> tuple[Interpreter, list[str]]:
        """Build a prefix with the packages; return its Python, and what of the `pip:` list was relaxed."""
        try:
            python = await self._tool.ensure_built(log)
        except SmaltError as error:
            raise EnvironmentFailed(
                f"rattler, which installs conda packages, could not be installed: {error}"
            ) from None
        lock = prefix.parent / "conda-lock.txt"
        asked = {
            "channels": channels,
            "specs": specs,
            "prefix": str(prefix),
            "cache": str(self._cache),
            "lock": str(lock),
        }
        said = OutputLines(log)
        command = [python, "-I", str(CHILD)]
        code = await run_process(command, prefix.parent, os.environ, said, json.dumps(asked).encode(), LOCKS.get())
        if code != 0:
            raise EnvironmentFailed(f"rattler was killed by signal {-code}" if code < 0 else _find_reason(said.seen))
        own = next((path for path in sorted(prefix.glob("bin/python3.*")) if re.search(r"3\.\d+$", path.name)), None)
        if own is None:
            raise EnvironmentFailed("its packages include no Python, which every job needs")
        interpreter = await asyncio.to_thread(probe_interpreter, str(own), os.stat(own).st_mtime_ns)
        with copy_local_files(pip) as lines:
            relaxed = (
                await virtual_environments.install_requirements(
                    str(own), interpreter.version, lines, True, log, relaxes
                )
                if lines
                else []
            )
            await virtual_environments.restore_shared_files(str(own), lines, log)
        return interpreter, relaxed


def resolve_channels(named: Sequence[str], settings: Mapping[str, str]) -> list[str]:
    """Return the channels as rattler takes them: replaced as in the setting, folders as URLs."""
    found: list[str] = []
    for name in named or ["conda-forge"]:
        if name == "nodefaults":
            continue
        for each in [settings[name]] if name in settings else _ALIASES.get(name, [name]):
            if each.startswith((".", "~")):
                raise RefusedError(f"the channel '{each}' is a relative path; write its absolute path")
            found.append(Path(each).as_uri() if each.startswith("/") else each)
    return list(dict.fromkeys(found))


def list_installed(prefix: Path) -> list[str]:
    """Return `name==version` of what pip and uv see, and `conda:name==version=build` of what conda knows."""
    metas = sorted(path.stem.rsplit("-", 2) for path in prefix.glob("conda-meta/*.json"))
    conda = [f"conda:{name}=={version}={build}" for name, version, build in metas]
    return [*list_packages(prefix.glob("lib/python*/site-packages")), *conda]


def _find_reason(said: Sequence[str]) -> str:
    text = next(
        (line for line in reversed(said) if line.startswith("error: ")), said[-1] if said else "no reason given"
    )
    return text.removeprefix("error: ")[:600].rstrip(".")


async def _check_start(python: Path, folder: Path) -> None:
    lines = OutputLines(None)
    if await run_process([str(python), "-I", "-c", "import rattler"], folder, os.environ, lines) != 0:
        raise EnvironmentFailed(f"it does not start ({(lines.seen or ['no reason given'])[-1]})")
