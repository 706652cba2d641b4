"""The container engine of this machine, Docker or Podman, called by its command line."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.environments.builders.build_processes import OutputLines, run_process
from smalt.service.environments.image_source import ContainerImage

NONE = "none"
_KINDS = ("docker", "podman")
_FRESH_SECONDS = 30.0
_CDI = ("/etc/cdi", "/var/run/cdi")
_HOOKS = ("nvidia-container-runtime-hook", "nvidia-container-runtime", "nvidia-container-cli")
_PATIENCE = 10.0
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ContainerEngine(NamedTuple):
    """Docker or Podman, as it is called on this machine."""

    command: tuple[str, ...]
    """The program and its global options."""
    arguments: tuple[str, ...]
    """Options of `run`, of the setting container-arguments."""
    is_podman: bool
    user: str
    """The `uid:gid` to run as, so that the server owns the files that jobs write."""
    gpu_options: tuple[str, ...] = ()
    """Options of `run` that pass this machine's GPUs; empty if NVIDIA's Container Toolkit is not installed."""
    is_remote: bool = False
    """True if containers run on another machine, such as Podman's own on macOS."""

    @property
    def maps_root(self) -> bool:
        """True if root inside the container is the user who runs the server."""
        return self.user == "0:0"

    @property
    def removal(self) -> list[str]:
        """The command that kills and removes a container, without the container's name."""
        return [*self.command, "rm", "--force", *(["--time", "0"] if self.is_podman else [])]

    @property
    def termination(self) -> list[str]:
        """The command that sends SIGTERM to a container's first process, without the container's name."""
        return [*self.command, "kill", "--signal", "TERM"]

    @property
    def inspection(self) -> list[str]:
        """The command that says "true" while a container runs, without the container's name."""
        return [*self.command, "container", "inspect", "--format", "{{.State.Running}}"]

    @property
    def pid_options(self) -> list[str]:
        """The options of `run` that take a file for the pid of a container's monitor, and of its first process."""
        return ["--conmon-pidfile", "--pidfile"] if self.is_podman and not self.is_remote else []

    def get_reference(self, image: str) -> str:
        """Return the image's full name: Podman asks for the registry of a short name, Docker means Docker Hub."""
        first, slash, _ = image.partition("/")
        if not self.is_podman or "." in first or ":" in first or first == "localhost":
            return image
        return f"docker.io/{image}" if slash else f"docker.io/library/{image}"

    async def inspect_image(self, image: str) -> ContainerImage | None:
        """Return the image of that name, or None if the engine has none."""
        lines = OutputLines(None)
        if await self.call(["image", "inspect", "--format", "{{json .}}", image], lines) != 0:
            return None
        text = "\n".join(lines.seen)
        return _parse_image(json.JSONDecoder().raw_decode(text, text.index("{"))[0])  # warnings may stand around it

    async def call(self, arguments: list[str], lines: OutputLines) -> int:
        """Run a verb of the engine and return its exit code; `lines` collects the output."""
        return await run_process([*self.command, *arguments], Path("/"), os.environ, lines)


class EngineFinder:
    """Finds the engine, and asks again after 30 s: it may have been started or stopped."""

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str], ContainerEngine | str] = {}
        self._until = 0.0

    def get_known_engine(self, command: str | None, arguments: str) -> ContainerEngine | str | None:
        """Return what `find_engine` returned within the last 30 s, else None."""
        return self.get_last_engine(command, arguments) if time.monotonic() < self._until else None

    def get_last_engine(self, command: str | None, arguments: str) -> ContainerEngine | str | None:
        """Return what `find_engine` returned last, however long ago, else None."""
        return self._found.get((command, arguments))

    def find_engine(self, command: str | None, arguments: str) -> ContainerEngine | str:
        """Return the engine that the settings name, else the first that answers, else the reason why there is none."""
        known = self.get_known_engine(command, arguments)
        if known is not None:
            return known
        found = _find_engine(command, arguments)
        self._found = {(command, arguments): found}
        self._until = time.monotonic() + _FRESH_SECONDS
        return found


def _find_engine(command: str | None, arguments: str) -> ContainerEngine | str:
    if command == NONE:
        return ""  # containers are switched off: no reason is shown
    for words in [shlex.split(command)] if command else [[kind] for kind in _KINDS]:
        program = shutil.which(words[0])
        if program is None:
            problem = f"there is no program '{words[0]}'"
            continue
        called = (program, *words[1:])
        server = _run_for_json([*called, "version", "--format", "{{json .}}"])
        if server is None or not (server.get("Server") or server.get("Client", {}).get("APIVersion")):
            problem = f"'{words[0]}' does not answer"
            continue
        is_podman = "podman" in os.path.basename(os.path.realpath(program)) or "Podman" in json.dumps(server)
        return ContainerEngine(
            called,
            tuple(shlex.split(arguments)),
            is_podman,
            _find_user(called, is_podman),
            _find_gpu_options(is_podman),
            is_podman and bool(server.get("Server")),
        )
    return problem if command else "neither Docker nor Podman answers on this machine"


def _find_user(called: tuple[str, ...], is_podman: bool) -> str:
    if os.getuid() == 0 or is_podman:  # Podman without root maps root to who calls it
        return "0:0"
    security = (_run_for_json([*called, "info", "--format", "{{json .}}"]) or {}).get("SecurityOptions") or []
    return "0:0" if any("rootless" in str(each) for each in security) else f"{os.getuid()}:{os.getgid()}"


def _find_gpu_options(is_podman: bool) -> tuple[str, ...]:
    """Return the GPU options of NVIDIA's Container Toolkit: Podman reads its CDI files, Docker calls its hook."""
    if is_podman:
        has_files = any(True for folder in _CDI for _ in Path(folder).glob("nvidia*"))
        return ("--device", "nvidia.com/gpu=all") if has_files else ()
    return ("--gpus", "all") if any(map(shutil.which, _HOOKS)) else ()


def _run_for_json(command: list[str]) -> dict[str, Any] | None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, check=True)
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return found if isinstance(found, dict) else None


def _parse_image(inspected: dict[str, Any]) -> ContainerImage:
    variables = (inspected.get("Config") or {}).get("Env") or []
    path = next((each.partition("=")[2] for each in variables if each.startswith("PATH=")), "")
    return ContainerImage(inspected["Id"], path or _DEFAULT_PATH, inspected["Size"])
