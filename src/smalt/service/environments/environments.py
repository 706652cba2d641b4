"""The front of the package: builds each environment once per declared content, then reuses it; see
docs/internals/environments.md.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from smalt.service.data.integrity import IntegrityProblem
from smalt.service.environments.build_errors import ImageUnavailable
from smalt.service.environments.builders.environment_builder import EnvironmentBuilder, format_variables
from smalt.service.environments.builders.interpreters import Interpreters
from smalt.service.environments.builders.shared_builds import SharedBuild
from smalt.service.environments.environment_removal import EnvironmentRemover
from smalt.service.environments.image_source import ImageSource
from smalt.service.environments.resolution import curated_environments
from smalt.service.environments.resolution.build_plans import BuildPlan
from smalt.service.environments.resolution.declarations import Locate
from smalt.service.environments.resolution.environment_planner import (
    NO_ENGINE,
    EnvironmentPlanner,
    EnvironmentSettings,
)
from smalt.service.environments.store.environment_protection import protect_earlier
from smalt.service.environments.store.environment_store import EnvironmentRecord, EnvironmentStore
from smalt.service.environments.views.built_environments import BuiltEnvironment
from smalt.service.environments.views.host_python import HostPython
from smalt.service.environments.views.loaded_environments import LoadedEnvironments
from smalt.service.environments.views.overlay_pool import OverlayPool

Log = Callable[[str], None]


class StoredEnvironment(NamedTuple):
    """An environment on disk."""

    hash: str
    names: list[str]
    size: int
    last_used: float
    record: EnvironmentRecord


class Environments:
    """The environments of one home."""

    def __init__(
        self,
        home: Home,
        settings: EnvironmentSettings,
        images: ImageSource | None = None,
        *,
        pythons: Interpreters | None = None,
        locate: Locate = lambda uri: None,
    ) -> None:
        """Take `locate`, which returns where a build context's URI is on this machine."""
        pythons = pythons or Interpreters()
        self._settings = settings
        self._images = images
        self._catalogue = home.path("catalogue")
        self._store = EnvironmentStore(home.path("environments"))
        self._overlays = OverlayPool(home.path("environments", ".spare"))
        self._host = HostPython(self._overlays)
        self._planner = EnvironmentPlanner(self._catalogue, settings, images, pythons, locate)
        self._loaded = LoadedEnvironments(settings, self._store, self._overlays, images)
        self._builder = EnvironmentBuilder(home, settings, self._store, images, pythons, self._loaded.forget)
        self._remover = EnvironmentRemover(self._store, EnvironmentStore(home.path("tools")), self._loaded, images)
        self._builds: dict[str, SharedBuild[EnvironmentRecord]] = {}

    def find_built(self, asset: Mapping[str, Any]) -> BuiltEnvironment | None:
        """Return the environment if steps may start in it at once; quick enough for every job.

        None of one that is built, but that this server has not loaded: `get_or_build` does so.
        """
        try:
            if asset.get("host"):
                return self._host.find_known(self._settings.host_python)
            engine = images.get_known_state() if (images := self._planner.find_images(asset)) else NO_ENGINE
            return None if engine is None else self._loaded.find(self._planner.make_plan(asset, engine))
        except SmaltError:
            return None

    async def find_build(self, asset: Mapping[str, Any]) -> tuple[BuiltEnvironment | None, bool]:
        """Return the environment if it is built, and True if this server builds it now; it is not built for this."""
        if asset.get("host"):
            return await asyncio.to_thread(self._host.examine, self._settings.host_python), False
        images = self._planner.find_images(asset)
        planned = self._planner.make_plan(asset, await images.find_state() if images else NO_ENGINE)
        build = self._builds.get(planned.hash)
        return await self._loaded.find_or_load(planned), build is not None and not build.task.done()

    async def watch_used(self, folders: Iterable[str]) -> None:
        """Watch the environments in these folders of the store (`BuiltEnvironment.stored_as`) for changes.

        Steps that an earlier server started run in them.
        """
        await self._loaded.watch_used(folders)

    def find_change(self, folder: str) -> str | None:
        """Return a sentence if the environment in that folder of the store was changed since it was built.

        Whoever ran in it meanwhile may have run other code than it declares. The next job builds it again.
        """
        change = self._loaded.find_change(folder)
        if change is None:
            return None
        return (
            f"its environment was changed while it ran ({change}), by it or by another job, and may only "
            "be read; to use a changed package, put a copy into the job's code, or install it with pip"
        )

    def invalidate_host(self) -> None:
        """Forget what was seen of the host's packages before now, as a job was submitted."""
        self._host.invalidate()

    @property
    def host_checked_at(self) -> float:
        """The time when the host's packages were last examined."""
        return self._host.checked_at

    def get_host_state(self) -> tuple[str, float] | None:
        """Return the realised hash of the host's environment, and when it last changed; None if that is unknown."""
        return self._host.get_state(self._settings.host_python)

    async def get_or_build(self, asset: Mapping[str, Any], log: Log) -> BuiltEnvironment:
        """Return the environment, built first if needed; `log` receives the progress of the build, line by line."""
        if asset.get("host"):
            return await asyncio.to_thread(self._host.examine, self._settings.host_python)
        images = self._planner.find_images(asset)
        engine = await images.find_state() if images else NO_ENGINE
        planned = self._planner.make_plan(asset, engine)
        try:
            return await self._get_or_build_planned(planned, log)
        except ImageUnavailable as error:
            if images is None:
                raise
            images.mark_unavailable(planned.hash, str(error))
            return await self._get_or_build_planned(self._planner.make_plan(asset, engine), log)

    async def _get_or_build_planned(self, planned: BuildPlan, log: Log) -> BuiltEnvironment:
        found = await self._loaded.find_or_load(planned)
        while found is None:
            found = await self._loaded.load(planned, await self._build_once(planned, log))
        return found

    async def _build_once(self, planned: BuildPlan, log: Log) -> EnvironmentRecord:
        """Build an environment, once for all who ask for it meanwhile."""
        build = self._builds.get(planned.hash)
        if build is None or build.is_abandoned or build.task.done():
            build = self._builds[planned.hash] = SharedBuild(lambda say: self._builder.build(planned, say))
        try:
            return await build.follow(log)
        finally:
            if build.task.done() and self._builds.get(planned.hash) is build:
                del self._builds[planned.hash]

    def read_record(self, built: BuiltEnvironment) -> EnvironmentRecord | None:
        """Return the record of a built environment; None of the host's."""
        return self._store.read_record(built.declared_hash)

    def list_packages(self, realised: BuiltEnvironment) -> list[str]:
        """Return what the realised hash is of: Python, and `name==version` of every package."""
        record = self._store.read_record(realised.declared_hash)
        installed = record.packages if record else self._host.list_packages(self._settings.host_python)
        variables = record.parts.get("variables") if record else None
        return [f"python=={realised.version}", *installed, *format_variables(variables or {})]

    def release_view(self, folder: str | os.PathLike[str]) -> None:
        """Take back a job's view in `folder` (see `BuiltEnvironment.clone`): reuse an untouched one, remove another."""
        self._overlays.release(os.fspath(folder))
        if self._images is not None:
            self._images.start_sweep()

    def recycle_view(self, folder: str | os.PathLike[str]) -> bool:
        """Keep a job's view where it is, for another job in the same folder; False if it was modified."""
        return self._overlays.retain(os.fspath(folder))

    def remove_left_over(self) -> None:
        """Remove what earlier servers of the home left half done, and protect what they built; called at the start."""
        self._overlays.remove_left_over()
        self._store.remove_left_over()
        protect_earlier(self._store.list_finished())
        if self._images is not None:
            self._images.start_sweep()

    def remove_changed(self) -> None:
        """Remove the files of environments that were changed; called while no job or deployment runs."""
        self._store.remove_changed()

    async def remove(self, declared_hash: str) -> int | None:
        """Remove a built environment and return the bytes freed.

        None if a step of this server uses it, or waits until it is loaded: it stays.
        """
        return await self._remover.remove(declared_hash)

    async def find_problems(self, thorough: bool, since: float) -> list[IntegrityProblem]:
        """Return the problems that `smalt doctor` reports of environments, and of the tools that smalt installed."""
        return await self._remover.find_problems(thorough, since)

    def list_catalogue(self) -> list[curated_environments.CatalogueEntry]:
        """Return the catalogue, by name."""
        entries = {entry.name: entry for entry in curated_environments.load_catalogue(self._catalogue).values()}
        return [entries[name] for name in sorted(entries)]

    def list_curated_names(self) -> list[str]:
        """Return every name of a curated environment that resolves."""
        return curated_environments.list_names(self._catalogue)

    def find_curated(self, name: str) -> curated_environments.CatalogueEntry:
        """Return the catalogue's entry of that name or alias; NotFound names the nearest."""
        return curated_environments.get_entry(name, self._catalogue)

    def lookup_curated(self, name: str, version: str | None = None) -> dict[str, Any] | None:
        """Return the curated environment of that name, as `get_or_build` takes it."""
        return curated_environments.lookup_curated(name, version, self._catalogue)

    def list_stored(self) -> list[StoredEnvironment]:
        """Return everything that is built."""
        store = self._store
        return [
            StoredEnvironment(
                record.declared_hash, record.names, record.size, store.get_last_use(record.declared_hash), record
            )
            for record in store.list_records()
        ]
