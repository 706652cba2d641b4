"""The container engine of this machine, Docker or Podman, and what is asked of it by its command line."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.environments.builders.build_processes import Lines, run

NONE = "none"
_KINDS = ("docker", "podman")
_FRESH_SECONDS = 30.0
_CDI = ("/etc/cdi", "/var/run/cdi")
_HOOKS = ("nvidia-container-runtime-hook", "nvidia-container-runtime", "nvidia-container-cli")
_PATIENCE = 10.0


class Image(NamedTuple):
    """What an engine says of an image that it has."""

    id: str
    path: str
    """PATH inside."""
    size: int


class Engine(NamedTuple):
    command: tuple[str, ...]
    """The program, and what stands before each of its verbs."""
    arguments: tuple[str, ...]
    """What stands after `run`."""
    is_podman: bool
    user: str
    """Who runs inside, so that what jobs write is the server's own."""
    gpu_options: tuple[str, ...] = ()
    """What gives a container this machine's GPUs; empty where NVIDIA's toolkit for that is not installed."""

    @property
    def maps_root(self) -> bool:
        """Whether root inside is nobody else than who runs the server."""
        return self.user == "0:0"

    @property
    def removal(self) -> list[str]:
        """What removes a container at once, but for its name."""
        return [*self.command, "rm", "--force", *(["--time", "0"] if self.is_podman else [])]

    def reference(self, image: str) -> str:
        """Podman asks where a short name is from; to Docker it is Docker Hub's."""
        first, slash, _ = image.partition("/")
        if not self.is_podman or "." in first or ":" in first or first == "localhost":
            return image
        return f"docker.io/{image}" if slash else f"docker.io/library/{image}"

    async def inspect(self, image: str) -> Image | None:
        """What it knows of the image; None where it has none of that name."""
        lines = Lines(None)
        if await self.call(["image", "inspect", "--format", "{{json .}}", image], lines) != 0:
            return None
        said = "\n".join(lines.seen)
        return _image(json.JSONDecoder().raw_decode(said, said.index("{"))[0])  # warnings may stand around it

    async def call(self, arguments: list[str], lines: Lines, variables: dict[str, str] | None = None) -> int:
        environment = {**os.environ, **(variables or {})}
        return await run([*self.command, *arguments], Path("/"), environment, lines)


class Engines:
    """Finds the engine, and asks again after a while: it may have been started or stopped."""

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str], Engine | str] = {}
        self._until = 0.0

    def known(self, command: str | None, arguments: str) -> Engine | str | None:
        """What `find` found a moment ago; None where it is to be asked."""
        return self.last(command, arguments) if time.monotonic() < self._until else None

    def last(self, command: str | None, arguments: str) -> Engine | str | None:
        """What `find` found, however long ago: a build may have taken long."""
        return self._found.get((command, arguments))

    def find(self, command: str | None, arguments: str) -> Engine | str:
        """The engine that the settings name or, where they name none, that answers; else why there is none."""
        known = self.known(command, arguments)
        if known is not None:
            return known
        found = _find(command, arguments)
        self._found = {(command, arguments): found}
        self._until = time.monotonic() + _FRESH_SECONDS
        return found


def _find(command: str | None, arguments: str) -> Engine | str:
    if command == NONE:
        return ""  # who does not want them need not be told why there are none
    for words in [shlex.split(command)] if command else [[kind] for kind in _KINDS]:
        program = shutil.which(words[0])
        if program is None:
            why = f"there is no program '{words[0]}'"
            continue
        called = (program, *words[1:])
        server = _answer([*called, "version", "--format", "{{json .}}"])
        if server is None or not (server.get("Server") or server.get("Client", {}).get("APIVersion")):
            why = f"'{words[0]}' does not answer"
            continue
        is_podman = "podman" in os.path.basename(os.path.realpath(program)) or "Podman" in json.dumps(server)
        return Engine(
            called, tuple(shlex.split(arguments)), is_podman, _user(called, is_podman), _gpu_options(is_podman)
        )
    return why if command else "neither Docker nor Podman answers on this machine"


def _user(called: tuple[str, ...], is_podman: bool) -> str:
    if os.getuid() == 0 or is_podman:  # Podman without root maps root to who calls it
        return "0:0"
    security = (_answer([*called, "info", "--format", "{{json .}}"]) or {}).get("SecurityOptions") or []
    return "0:0" if any("rootless" in str(each) for each in security) else f"{os.getuid()}:{os.getgid()}"


def _gpu_options(is_podman: bool) -> tuple[str, ...]:
    """As NVIDIA's Container Toolkit has it: Podman takes devices of its CDI files, Docker calls its hook."""
    if is_podman:
        has_files = any(True for folder in _CDI for _ in Path(folder).glob("nvidia*"))
        return ("--device", "nvidia.com/gpu=all") if has_files else ()
    return ("--gpus", "all") if any(map(shutil.which, _HOOKS)) else ()


def _answer(command: list[str]) -> dict[str, Any] | None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, check=True)
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return found if isinstance(found, dict) else None


def _image(said: dict[str, Any]) -> Image:
    variables = (said.get("Config") or {}).get("Env") or []
    path = next((each.partition("=")[2] for each in variables if each.startswith("PATH=")), "")
    return Image(said["Id"], path or "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", said["Size"])
