"""The container images of a home: which engine there is, which images it has, and what makes one."""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from smalt.machine.home import Home
from smalt.service.compute.containers import image_building
from smalt.service.compute.containers.engine import ContainerEngine, EngineFinder
from smalt.service.compute.containers.supervision import list_orphans, remove_orphans
from smalt.service.data import Snapshots
from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.builders.build_processes import Log, OutputLines
from smalt.service.environments.image_source import ContainerImage, EngineState, UnusedImage
from smalt.service.environments.resolution.declarations import ContainerBase, DeclaredEnvironment
from smalt.service.environments.store.environment_store import EnvironmentRecord

_SEEN_SECONDS = 60.0
_UNAVAILABLE_SECONDS = 300.0
_REMOVAL_SECONDS = 60.0


class ContainerSettings(Protocol):
    container_command: str | None
    container_arguments: str


class ContainerImages:
    """Implements `environments.image_source.ImageSource` with Docker or Podman."""

    def __init__(self, home: Home, settings: ContainerSettings) -> None:
        self._settings = settings
        self._finder = EngineFinder()
        self._snapshots = Snapshots(home.path("snapshots"))
        self.marks = home.path("run", "containers")
        """A folder with one locked file for each container that is supervised."""
        self._tags = f"localhost/smalt-environment-{hashlib.sha256(str(home.root).encode()).hexdigest()[:8]}"
        self._seen: dict[str, float] = {}
        self._unavailable: dict[str, tuple[float, str]] = {}

    def get_known_state(self) -> EngineState | None:
        """Return the engine's state if it was asked within the last 30 s, else None."""
        return _to_state(
            self._finder.get_known_engine(self._settings.container_command, self._settings.container_arguments)
        )

    def get_last_state(self) -> EngineState | None:
        """Return the engine's state as it was last asked: a build may have taken long."""
        return _to_state(
            self._finder.get_last_engine(self._settings.container_command, self._settings.container_arguments)
        )

    def get_engine(self) -> ContainerEngine:
        """Return the engine that was found last.

        Raises:
            EnvironmentFailed: None answered, or the setting `container-command` was changed since.
        """
        settings = self._settings
        found = self._finder.get_last_engine(settings.container_command, settings.container_arguments)
        if isinstance(found, ContainerEngine):
            return found
        raise EnvironmentFailed(found or "the setting container-command was changed meanwhile")

    async def find_state(self) -> EngineState:
        """Return the engine's state, which is asked in a thread where it is not known."""
        found = await self._find_engine()
        return EngineState(True) if isinstance(found, ContainerEngine) else EngineState(False, found)

    async def _find_engine(self) -> ContainerEngine | str:
        command, arguments = self._settings.container_command, self._settings.container_arguments
        known = self._finder.get_known_engine(command, arguments)
        return await asyncio.to_thread(self._finder.find_engine, command, arguments) if known is None else known

    def get_context_digest(self, base: ContainerBase) -> str:
        """Return the content id of a build context; files that did not change are not read again."""
        return self._snapshots.identify(base.context, ignore=False)[0].hash if base.context else ""

    def mark_unavailable(self, declared_hash: str, why: str) -> None:
        """Remember for five minutes that an environment's image cannot be had, so that no other job waits for it."""
        self._unavailable[declared_hash] = (time.monotonic() + _UNAVAILABLE_SECONDS, why)

    def get_unavailable_reason(self, declared_hash: str) -> str | None:
        until, why = self._unavailable.get(declared_hash, (0.0, None))
        return why if time.monotonic() < until else None

    def was_seen(self, declared_hash: str) -> bool:
        """Return True if the engine had the environment's image within the last minute."""
        return time.monotonic() < self._seen.get(declared_hash, 0.0)

    def mark_seen(self, declared_hash: str) -> None:
        self._seen[declared_hash] = time.monotonic() + _SEEN_SECONDS

    async def check_exists(self, record: EnvironmentRecord) -> bool:
        """Return True if the engine still has the image, and its name still means that image."""
        engine = await self._find_engine()
        if record.container is None or not isinstance(engine, ContainerEngine):
            return False
        found = await engine.inspect_image(engine.get_reference(record.container["name"]))
        exists = found is not None and found.id == record.container["image"]
        if exists:
            self.mark_seen(record.declared_hash)
        return exists

    async def make_image(
        self, declared: DeclaredEnvironment, base: ContainerBase, declared_hash: str, scratch: Path, log: Log
    ) -> tuple[ContainerImage, str]:
        """Return the image for a declaration, and its name; an image that smalt makes has a name of its own."""
        engine = await self._find_engine()
        if not isinstance(engine, ContainerEngine):
            raise EnvironmentFailed(engine)
        tag = f"{self._tags}:{declared_hash}"
        if base.context is not None:
            return await image_building.build_image(engine, base.context, base.dockerfile, tag, log), tag
        image = await image_building.get_image(engine, base.image, log)
        if not base.layered:
            return image, base.image
        python, requirements = declared.python, declared.requirements
        made = await image_building.add_packages(engine, image, python, requirements, tag, self.marks, scratch, log)
        return made, tag

    async def remove_image(self, record: EnvironmentRecord) -> bool:
        """Remove an image that smalt made; any other stays. Return False while a container uses it."""
        engine, container = await self._find_engine(), record.container or {}
        name = container.get("name", "")
        if isinstance(engine, ContainerEngine) and name.startswith("localhost/smalt-environment"):
            users = OutputLines(None)
            await engine.call(["ps", "--all", "--quiet", "--filter", f"ancestor={container['image']}"], users)
            if any(re.fullmatch(r"[0-9a-f]{12,}", line) for line in users.seen):
                return False
            await engine.call(["image", "rm", name], OutputLines(None))
        self._seen.pop(record.declared_hash, None)
        return True

    async def list_lost(self, records: Sequence[EnvironmentRecord]) -> list[EnvironmentRecord]:
        """Return the records whose image the engine no longer has."""
        return [record for record in records if record.container and not await self.check_exists(record)]

    async def list_unused(self, records: Sequence[EnvironmentRecord]) -> list[UnusedImage]:
        """Return the images that this home made and that none of these records names."""
        engine, lines = await self._find_engine(), OutputLines(None)
        if not isinstance(engine, ContainerEngine):
            return []
        shown = ["image", "ls", "--filter", f"reference={self._tags}:*", "--format", "{{.Repository}}:{{.Tag}}"]
        await engine.call(shown, lines)
        used = {(record.container or {}).get("name") for record in records}
        unused = [line for line in lines.seen if line.startswith(f"{self._tags}:") and line not in used]
        return [UnusedImage(name, partial(_remove_image, engine, name)) for name in unused]

    def list_orphans(self) -> list[str]:
        """Return the names of containers, of steps and of builds, whose supervisor was killed."""
        return [mark.name for mark in list_orphans(self.marks)]

    def remove_orphans(self) -> None:
        """Remove the containers whose supervisor was killed."""
        engine = self._finder.find_engine(self._settings.container_command, self._settings.container_arguments)
        if isinstance(engine, ContainerEngine):
            remove_orphans(self.marks, engine.removal)

    def start_sweep(self) -> None:
        """Remove orphaned containers in a thread, so that nobody waits for the engine."""
        if self.marks.is_dir() and any(self.marks.iterdir()):
            threading.Thread(target=self.remove_orphans, daemon=True).start()


def _to_state(found: ContainerEngine | str | None) -> EngineState | None:
    if found is None:
        return None
    return EngineState(True) if isinstance(found, ContainerEngine) else EngineState(False, found)


def _remove_image(engine: ContainerEngine, image: str) -> None:
    command = [*engine.command, "image", "rm", image]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_REMOVAL_SECONDS)
    if done.returncode:
        raise OSError(" ".join(done.stderr.split())[:300] or f"{engine.command[0]} failed")
