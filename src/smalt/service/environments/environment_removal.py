"""The removal of built environments, and of what `smalt doctor` finds wrong with them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from smalt.exceptions import RefusedError
from smalt.service.data.integrity import IntegrityProblem
from smalt.service.environments.image_source import ImageSource
from smalt.service.environments.store import integrity
from smalt.service.environments.store.environment_store import EnvironmentStore, get_hash
from smalt.service.environments.views.loaded_environments import LoadedEnvironments


class EnvironmentRemover:
    """Removes environments of one home that no step of this server uses."""

    def __init__(
        self, store: EnvironmentStore, tools: EnvironmentStore, loaded: LoadedEnvironments, images: ImageSource | None
    ) -> None:
        self._store = store
        self._tools = tools
        self._loaded = loaded
        self._images = images

    async def remove(self, declared_hash: str) -> int | None:
        """Remove a built environment and return the bytes freed; None if a job uses it, so that it stays."""
        async with self._store.hold_lock(declared_hash, lambda: None):
            record = self._store.read_record(declared_hash)
            if self._loaded.is_in_use(declared_hash):
                return None
            has_image = record is not None and record.container is not None
            if record is not None and has_image and self._images and not await self._images.remove_image(record):
                return None
            self._loaded.forget(declared_hash)
            self._store.remove(declared_hash)  # on the loop, so that nobody loads it in between; it is only moved here
        return record.size if record else 0

    async def find_problems(self, thorough: bool, since: float) -> list[IntegrityProblem]:
        """Return the problems that `smalt doctor` reports of environments, and of the tools that smalt installed."""
        store, examine, remove = self._store, integrity.check_store, self._remove_unused
        found = await asyncio.to_thread(examine, store, "environment", remove, thorough, since)
        found += await asyncio.to_thread(examine, self._tools, "tool", self._tools.remove_unused, thorough, since)
        if self._images is None:
            return found
        found += integrity.check_containers(self._images.list_orphans(), self._images.remove_orphans)
        if (await self._images.find_state()).is_available:
            records = store.list_records()
            lost = {store.get_path(one.declared_hash): one for one in await self._images.list_lost(records)}
            unused = await self._images.list_unused(records)
            unused = [one for one in unused if not store.is_locked(one.name.rpartition(":")[2])]  # not being built
            found += integrity.check_images(lost, unused, remove)
        return found

    def _remove_unused(self, path: Path) -> None:
        declared_hash = get_hash(path)
        if self._loaded.is_in_use(declared_hash):
            raise RefusedError("a job uses it now; repair it when that is over")
        self._loaded.forget(declared_hash)
        self._store.remove_unused(path)
