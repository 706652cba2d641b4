"""The environments of a home that are containers: which engine, whether an image still stands, what is made of it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
import time
from pathlib import Path
from typing import Protocol

from smalt.home import Home
from smalt.service.data import Snapshots
from smalt.service.environments import container_images
from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.builders.build_processes import Lines, Log
from smalt.service.environments.container import Container, left_over, sweep
from smalt.service.environments.container_engine import Engine, Engines, Image
from smalt.service.environments.resolution.declarations import Base, Declared
from smalt.service.environments.store.environment_store import Record

_STANDS_SECONDS = 60.0
_UNHAD_SECONDS = 300.0


class Settings(Protocol):
    container_command: str | None
    container_arguments: str


class Containers:
    def __init__(self, home: Home, settings: Settings) -> None:
        self._settings = settings
        self._engines = Engines()
        self._snapshots = Snapshots(home.path("snapshots"))
        self._marks = home.path("run", "containers")
        self._tags = f"localhost/smalt-environment-{hashlib.sha256(str(home.root).encode()).hexdigest()[:8]}"
        self._stood: dict[str, float] = {}
        self._unhad: dict[str, tuple[float, str]] = {}

    def known(self) -> Engine | str | None:
        """The engine, or why there is none; None where `engine` has to be awaited first."""
        return self._engines.known(self._settings.container_command, self._settings.container_arguments)

    def last(self) -> Engine | str | None:
        """The engine that something was made with just now."""
        return self._engines.last(self._settings.container_command, self._settings.container_arguments)

    async def engine(self) -> Engine | str:
        known = self.known()
        if known is not None:
            return known
        settings = self._settings
        return await asyncio.to_thread(self._engines.find, settings.container_command, settings.container_arguments)

    def content(self, base: Base) -> str:
        """The content id of a build context; files that did not change are not read again."""
        return self._snapshots.identify(base.context, ignore=False)[0].hash if base.context else ""

    def had_not(self, declared_hash: str, why: str) -> None:
        """Remember for a while that its image cannot be had: nobody else need wait for that."""
        self._unhad[declared_hash] = (time.monotonic() + _UNHAD_SECONDS, why)

    def why_not(self, declared_hash: str) -> str | None:
        until, why = self._unhad.get(declared_hash, (0.0, None))
        return why if time.monotonic() < until else None

    def stood(self, declared_hash: str) -> bool:
        """Whether the image was seen a moment ago."""
        return time.monotonic() < self._stood.get(declared_hash, 0.0)

    async def stands(self, record: Record) -> bool:
        """Whether the engine still has the image, and the name means the same one."""
        engine = await self.engine()
        if record.container is None or not isinstance(engine, Engine):
            return False
        found = await engine.inspect(engine.reference(record.container["name"]))
        stands = found is not None and found.id == record.container["image"]
        if stands:
            self.saw(record.declared_hash)
        return stands

    def saw(self, declared_hash: str) -> None:
        self._stood[declared_hash] = time.monotonic() + _STANDS_SECONDS

    async def make(
        self, declared: Declared, base: Base, declared_hash: str, scratch: Path, log: Log
    ) -> tuple[Image, str]:
        """The image for a declaration, and its name; one that smalt made has a name of its own."""
        engine = await self.engine()
        if not isinstance(engine, Engine):
            raise EnvironmentFailed(engine)
        tag = f"{self._tags}:{declared_hash}"
        if base.context is not None:
            return await container_images.build(engine, base.context, base.dockerfile, tag, log), tag
        image = await container_images.provide(engine, base.image, log)
        if not base.layered:
            return image, base.image
        python, requirements = declared.python, declared.requirements
        made = await container_images.layer(engine, image, python, requirements, tag, self._marks, scratch, log)
        return made, tag

    def container(self, record: Record, engine: Engine) -> Container:
        assert record.container is not None
        return Container(engine, record.container["image"], record.container["path"], self._marks)

    async def remove(self, record: Record) -> bool:
        """Remove an image that smalt made; one that somebody else brought stays. False where a container uses it."""
        engine, container = await self.engine(), record.container or {}
        name = container.get("name", "")
        if isinstance(engine, Engine) and name.startswith("localhost/smalt-environment"):
            users = Lines(None)
            await engine.call(["ps", "--all", "--quiet", "--filter", f"ancestor={container['image']}"], users)
            if any(re.fullmatch(r"[0-9a-f]{12,}", line) for line in users.seen):
                return False
            await engine.call(["image", "rm", name], Lines(None))
        self._stood.pop(record.declared_hash, None)
        return True

    async def lost(self, records: list[Record]) -> list[Record]:
        """Those whose image the engine has no more, where there is one that can be asked."""
        return [record for record in records if record.container and not await self.stands(record)]

    async def unused(self, records: list[Record]) -> list[str]:
        """The images of this home's that none of these records names."""
        engine, lines = await self.engine(), Lines(None)
        if not isinstance(engine, Engine):
            return []
        shown = ["image", "ls", "--filter", f"reference={self._tags}:*", "--format", "{{.Repository}}:{{.Tag}}"]
        await engine.call(shown, lines)
        named = {(record.container or {}).get("name") for record in records}
        return [line for line in lines.seen if line.startswith(f"{self._tags}:") and line not in named]

    def left_over(self) -> list[str]:
        """The containers of steps and of builds that were killed."""
        return [mark.name for mark in left_over(self._marks)]

    def remove_left_over(self) -> None:
        """Now, not beside everything else as `sweep` does."""
        self._sweep()

    def sweep(self) -> None:
        """Remove, beside everything else, the containers of steps that were killed."""
        if self._marks.is_dir() and any(self._marks.iterdir()):
            threading.Thread(target=self._sweep, daemon=True).start()

    def _sweep(self) -> None:
        engine = self._engines.find(self._settings.container_command, self._settings.container_arguments)
        if isinstance(engine, Engine):
            sweep(self._marks, engine.removal)
