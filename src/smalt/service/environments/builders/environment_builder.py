"""The builder: makes a planned environment and publishes it in the store, one builder at a time over all processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from smalt.machine.home import Home
from smalt.service.environments.build_errors import EnvironmentFailed, ImageUnavailable
from smalt.service.environments.builders import conda_prefixes, virtual_environments
from smalt.service.environments.builders.build_explanations import explain_build
from smalt.service.environments.builders.build_processes import Log
from smalt.service.environments.builders.conda_prefixes import CondaBuilder
from smalt.service.environments.builders.installed_packages import get_recorded_size, make_realised_hash
from smalt.service.environments.builders.interpreters import Interpreter, Interpreters
from smalt.service.environments.image_source import ImageSource
from smalt.service.environments.resolution.build_plans import BuildPlan
from smalt.service.environments.resolution.declarations import CondaPackages, ContainerBase
from smalt.service.environments.resolution.environment_planner import EnvironmentSettings
from smalt.service.environments.resolution.image_names import is_service_base
from smalt.service.environments.store.environment_protection import protect_environment
from smalt.service.environments.store.environment_store import EnvironmentRecord, EnvironmentStore, get_size


class EnvironmentBuilder:
    """Builds environments of one home: virtual ones, conda prefixes and, with an image source, images."""

    def __init__(
        self,
        home: Home,
        settings: EnvironmentSettings,
        store: EnvironmentStore,
        images: ImageSource | None,
        pythons: Interpreters,
        forget: Callable[[str], None],
    ) -> None:
        """Take `forget`, which is called with the declared hash of what is about to be replaced."""
        self._settings = settings
        self._store = store
        self._images = images
        self._pythons = pythons
        self._forget = forget
        self._conda = CondaBuilder(home)

    async def build(self, planned: BuildPlan, log: Log) -> EnvironmentRecord:
        """Return the record of the environment, after building it unless another process has meanwhile."""
        waiting = f"waiting for another process that builds environment {planned.label}"
        try:
            async with self._store.hold_lock(planned.hash, lambda: log(waiting)):
                record = self._store.read_record(planned.hash)
                if record is None or (planned.base is not None and not await self._has_image(record)):
                    record = await self._build_planned(planned, log)
                return record
        except ImageUnavailable:
            raise
        except EnvironmentFailed as error:
            raise EnvironmentFailed(planned.explain_failure(str(error))) from None
        except OSError as error:
            raise EnvironmentFailed(planned.explain_failure(error.strerror or str(error))) from None

    async def _has_image(self, record: EnvironmentRecord) -> bool:
        return self._images is not None and await self._images.check_exists(record)

    async def _build_planned(self, planned: BuildPlan, log: Log) -> EnvironmentRecord:
        started = time.monotonic()
        earlier = self._store.list_records(), self._store.list_changed()
        why = explain_build(planned.declared.name, planned.declared.parts, planned.python, *earlier)
        origin = f"from {planned.base.description}" if planned.base else f"with Python {planned.python}"
        origin = "of conda packages" if planned.declared.conda else origin
        log(f"building environment {planned.label} {origin}: {why}")
        for line in _note_unused_base(planned):
            log(line)
        self._forget(planned.hash)
        if planned.base is not None:
            return await self._build_image(planned, planned.base, log, started)
        if planned.declared.conda is not None:
            return await self._build_prefix(planned, planned.declared.conda, log, started)
        interpreter = await asyncio.to_thread(self._pythons.get_interpreter, planned.used)
        building = self._store.begin(planned.hash)
        try:
            relaxed = await virtual_environments.build_environment(
                building / "venv", interpreter, planned.declared.requirements, planned.exact, log,
                relaxes=self._settings.fidelity != "strict",
            )  # fmt: skip
            record = await asyncio.to_thread(self._publish, planned, building, interpreter, started, relaxed)
        finally:
            self._store.give_up(building)
        return _log_build(record, log)

    async def _build_prefix(
        self, planned: BuildPlan, conda: CondaPackages, log: Log, started: float
    ) -> EnvironmentRecord:
        settings = self._settings
        channels = conda_prefixes.resolve_channels(conda.channels, settings.conda_channels)
        log(f"channels: {', '.join(channels)}")
        building = self._store.begin_in_place(planned.hash)
        try:
            interpreter, relaxed = await self._conda.build_prefix(
                building / "venv", conda.specs, channels, planned.declared.requirements, log,
                settings.fidelity != "strict",
            )  # fmt: skip
            record = await asyncio.to_thread(self._publish, planned, building, interpreter, started, relaxed)
        finally:
            self._store.give_up(building)
        return _log_build(record, log)

    async def _build_image(
        self, planned: BuildPlan, base: ContainerBase, log: Log, started: float
    ) -> EnvironmentRecord:
        assert self._images is not None, "a plan with a base is made only where there are images"
        building = self._store.begin(planned.hash)
        try:
            image, name = await self._images.make_image(planned.declared, base, planned.hash, building / "layer", log)
            (building / "image").write_text(f"{image.id}\n")
            record = EnvironmentRecord(
                declared_hash=planned.hash,
                realised_hash=make_realised_hash(image.id, format_variables(planned.container_variables)),
                names=[planned.declared.name] if planned.declared.name else [],
                parts=planned.declared.parts,
                packages=[],
                python="python",
                version="",
                lib64=False,
                built=time.time(),
                seconds=time.monotonic() - started,
                size=0 if name == base.image else image.size,  # what others brought is not smalt's to free
                container={"image": image.id, "name": name, "path": image.path},
            )
            self._store.publish(building, record)
        finally:
            self._store.give_up(building)
        self._images.mark_seen(planned.hash)
        log(f"made in {record.seconds:.1f} s: {image.id[:19]}, {record.size / 1e6:.0f} MB")
        return record

    def _publish(
        self, planned: BuildPlan, building: Path, interpreter: Interpreter, started: float, relaxed: list[str]
    ) -> EnvironmentRecord:
        venv = building / "venv"
        installed = conda_prefixes.list_installed(venv)
        record = EnvironmentRecord(
            declared_hash=planned.hash,
            realised_hash=make_realised_hash(
                interpreter.version, [*installed, *format_variables(planned.declared.variables)]
            ),
            names=[planned.declared.name] if planned.declared.name else [],
            parts=planned.declared.parts,
            packages=installed,
            python=interpreter.executable,
            version=interpreter.version,
            lib64=interpreter.lib64,
            built=time.time(),
            seconds=time.monotonic() - started,
            size=get_size(building) if planned.declared.conda else get_recorded_size(venv),
            relaxed=relaxed,
        )
        protect_environment(building)
        self._store.publish(building, record)
        return record


def format_variables(variables: Mapping[str, str]) -> list[str]:
    """Return an environment's variables as lines among its packages."""
    return [f"variable {name}=={value}" for name, value in sorted(variables.items())]


def _note_unused_base(planned: BuildPlan) -> list[str]:
    """Return the note that the service's base image, without packages, is not used; for the build's log only."""
    image = str(planned.declared.parts.get("image") or "")
    if planned.base is not None or not is_service_base(image):
        return []
    return [f"image '{image}', the service's own base for conda files, is not used; it has no packages for Python"]


def _log_build(record: EnvironmentRecord, log: Log) -> EnvironmentRecord:
    count = len(record.packages)
    packages = f"{count} package{'' if count == 1 else 's'}"
    log(f"built in {record.seconds:.1f} s: {packages}, {record.size / 1e6:.0f} MB")
    return record
