"""The front of the package: builds each environment once per declared content, then reuses it; see
docs/internals/environments.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from smalt.exceptions import RefusedError, SmaltError
from smalt.machine.home import Home
from smalt.service.data.integrity import IntegrityProblem
from smalt.service.environments.build_errors import EnvironmentFailed, ImageUnavailable
from smalt.service.environments.builders import conda_prefixes, virtual_environments
from smalt.service.environments.builders.build_explanations import explain_build
from smalt.service.environments.builders.conda_prefixes import CondaBuilder
from smalt.service.environments.builders.installed_packages import get_recorded_size, make_realised_hash
from smalt.service.environments.builders.interpreters import Interpreter, Interpreters
from smalt.service.environments.builders.shared_builds import SharedBuild
from smalt.service.environments.image_source import ContainerImage, EngineState, ImageSource
from smalt.service.environments.resolution import curated_environments
from smalt.service.environments.resolution.build_plans import BuildPlan, plan_container, plan_environment
from smalt.service.environments.resolution.declarations import CondaPackages as CondaPackages
from smalt.service.environments.resolution.declarations import (
    ContainerBase,
    DeclaredEnvironment,
    Locate,
    resolve_declaration,
)
from smalt.service.environments.resolution.image_map import find_file
from smalt.service.environments.resolution.image_names import is_service_base
from smalt.service.environments.store import integrity
from smalt.service.environments.store.environment_protection import protect_earlier, protect_environment
from smalt.service.environments.store.environment_store import (
    EnvironmentRecord,
    EnvironmentStore,
    get_hash,
    get_size,
)
from smalt.service.environments.views.built_environments import VARIABLES, BuiltEnvironment
from smalt.service.environments.views.change_watch import ChangeWatch, WatchedEnvironment
from smalt.service.environments.views.host_python import HostPython
from smalt.service.environments.views.overlay_layout import OverlayTemplate, make_template
from smalt.service.environments.views.overlay_pool import OverlayPool

Log = Callable[[str], None]

_MOST_KNOWN = 500
_NO_ENGINE = EngineState(False)


class EnvironmentSettings(Protocol):
    """The home's settings that environments depend on."""

    fidelity: str
    host_python: str | None
    conda_channels: dict[str, str]
    image_map: dict[str, str]


class StoredEnvironment(NamedTuple):
    """An environment on disk."""

    hash: str
    names: list[str]
    size: int
    last_used: float
    record: EnvironmentRecord


class _LoadedEnvironment(NamedTuple):
    """A built environment that this server has used already."""

    record: EnvironmentRecord
    template: OverlayTemplate | None
    has_mlflow: bool
    watched: WatchedEnvironment | None = None


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
        self._settings = settings
        self._catalogue = home.path("catalogue")
        self._pythons = pythons or Interpreters()
        self._locate = locate
        self._store = EnvironmentStore(home.path("environments"))
        self._tools = EnvironmentStore(home.path("tools"))
        self._overlays = OverlayPool(home.path("environments", ".spare"))
        self._host = HostPython(self._overlays)
        self._changes = ChangeWatch()
        self._images = images
        self._conda = CondaBuilder(home)
        self._known: dict[tuple[object, ...], DeclaredEnvironment] = {}
        self._ready: dict[str, _LoadedEnvironment] = {}
        self._builds: dict[str, SharedBuild[EnvironmentRecord]] = {}

    def find_built(self, asset: Mapping[str, Any]) -> BuiltEnvironment | None:
        """Return the environment if it is built already and may be used; quick enough for every job."""
        try:
            if asset.get("host"):
                return self._host.find_known(self._settings.host_python)
            engine = images.get_known_state() if (images := self._images_for(asset)) else _NO_ENGINE
            return None if engine is None else self._find_planned(self._make_plan(asset, engine))
        except SmaltError:
            return None

    async def find_build(self, asset: Mapping[str, Any]) -> tuple[BuiltEnvironment | None, bool]:
        """Return the environment if it is built, and True if this server builds it now; it is not built for this."""
        if asset.get("host"):
            return await asyncio.to_thread(self._host.examine, self._settings.host_python), False
        images = self._images_for(asset)
        planned = self._make_plan(asset, await images.find_state() if images else _NO_ENGINE)
        build = self._builds.get(planned.hash)
        return self._find_planned(planned), build is not None and not build.task.done()

    def find_change(self, built: BuiltEnvironment) -> str | None:
        """Return a sentence if an environment was changed since it was built; the next job builds it again.

        Whoever ran in it meanwhile may have run other code than it declares.
        """
        self._changes.read_changes()
        if built.watched is None or built.watched.change is None:
            return None
        return (
            f"its environment was changed while it ran ({built.watched.change}), by it or by another job, and may only "
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
        images = self._images_for(asset)
        engine = await images.find_state() if images else _NO_ENGINE
        planned = self._make_plan(asset, engine)
        try:
            return await self._get_or_build_planned(planned, log)
        except ImageUnavailable as error:
            if images is None:
                raise
            images.mark_unavailable(planned.hash, str(error))
            return await self._get_or_build_planned(self._make_plan(asset, engine), log)

    async def _get_or_build_planned(self, planned: BuildPlan, log: Log) -> BuiltEnvironment:
        found = self._find_planned(planned)
        if found is not None:
            return found
        build = self._builds.get(planned.hash)
        if build is None or build.is_abandoned or build.task.done():
            build = self._builds[planned.hash] = SharedBuild(lambda say: self._build(planned, say))
        try:
            record = await build.follow(log)
        finally:
            if build.task.done() and self._builds.get(planned.hash) is build:
                del self._builds[planned.hash]
        return self._make_built(planned, record)

    def read_record(self, built: BuiltEnvironment) -> EnvironmentRecord | None:
        """Return the record of a built environment; None of the host's."""
        return self._store.read_record(built.declared_hash)

    def list_packages(self, realised: BuiltEnvironment) -> list[str]:
        """Return what the realised hash is of: Python, and `name==version` of every package."""
        record = self._store.read_record(realised.declared_hash)
        installed = record.packages if record else self._host.list_packages(self._settings.host_python)
        variables = record.parts.get("variables") if record else None
        return [f"python=={realised.version}", *installed, *_format_variables(variables or {})]

    def release_view(self, folder: str | os.PathLike[str]) -> None:
        """Take back a job's view in `folder` (see `BuiltEnvironment.clone`): reuse it if it is untouched, else
        remove it.
        """
        self._overlays.release(os.fspath(folder))
        if self._images is not None:
            self._images.start_sweep()

    def recycle_view(self, folder: str | os.PathLike[str]) -> bool:
        """Keep a job's view where it is, for another job in the same folder; False if it was modified."""
        return self._overlays.retain(os.fspath(folder))

    def remove_left_over(self) -> None:
        """Remove what earlier servers of the home left half done, and protect what they built; called when a server
        starts.
        """
        self._overlays.remove_left_over()
        self._store.remove_left_over()
        protect_earlier(self._store.list_finished())
        if self._images is not None:
            self._images.start_sweep()

    def remove_changed(self) -> None:
        """Remove the files of environments that were changed; called while no job or deployment runs."""
        self._store.remove_changed()

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
        ready = self._ready.get(declared_hash)
        if ready is not None and ready.template is not None and self._overlays.is_used(ready.template):
            raise RefusedError("a job uses it now; repair it when that is over")
        self._forget_ready(declared_hash)
        self._store.remove_unused(path)

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

    async def remove(self, declared_hash: str) -> int | None:
        """Remove a built environment and return the bytes freed; None if a job uses it, so that it stays."""
        async with self._store.hold_lock(declared_hash, lambda: None):
            record, ready = self._store.read_record(declared_hash), self._ready.get(declared_hash)
            if ready is not None and ready.template is not None and self._overlays.is_used(ready.template):
                return None
            has_image = record is not None and record.container is not None
            if record is not None and has_image and self._images and not await self._images.remove_image(record):
                return None
            self._forget_ready(declared_hash)
            await asyncio.to_thread(self._store.remove, declared_hash)
        return record.size if record else 0

    def _make_plan(self, asset: Mapping[str, Any], engine: EngineState) -> BuildPlan:
        """Return the build plan; `engine` is the container engine, or why there is none."""
        fidelity, pythons = self._settings.fidelity, self._pythons.list_versions()
        declared, why = self._resolve(asset), engine.problem
        if engine.is_available and self._images is not None and declared.base is not None:
            planned = plan_container(declared, fidelity, self._images.get_context_digest(declared.base))
            if planned is not None:
                unavailable = self._images.get_unavailable_reason(planned.hash)
                if unavailable is None:
                    return planned
                why = unavailable
        return plan_environment(declared, pythons, fidelity, why)

    def _images_for(self, asset: Mapping[str, Any]) -> ImageSource | None:
        """Return what makes images, where an environment may be one of them."""
        base = self._resolve(asset).base
        may_be_image = base is not None and (not base.if_strict or self._settings.fidelity == "strict")
        return self._images if may_be_image else None

    def _resolve(self, asset: Mapping[str, Any]) -> DeclaredEnvironment:
        entries = self._settings.image_map
        is_mapped = bool(entries and asset.get("image")) and find_file(str(asset["image"]), entries) is not None
        if asset.get("build") or is_mapped:  # its files may change at any time
            return resolve_declaration(asset, self._catalogue, self._locate, entries)
        said = json.dumps(
            [asset.get(key) for key in ("curated", "asked", "name", "image", "condaFile", "files", "more")]
        )
        key = (said, curated_environments.list_own_files(self._catalogue))
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = resolve_declaration(asset, self._catalogue, self._locate)
        return self._known[key]

    def _find_planned(self, planned: BuildPlan) -> BuiltEnvironment | None:
        if planned.base is not None and not (self._images and self._images.was_seen(planned.hash)):
            return None
        self._discard_changed(planned.hash)
        if planned.hash in self._ready and self._store.is_usable(planned.hash):
            return self._make_built(planned, self._ready[planned.hash].record)
        record = self._store.read_record(planned.hash)
        return self._make_built(planned, record) if record else None

    def _discard_changed(self, declared_hash: str) -> None:
        """Let an environment that was changed serve no other job; those that use it now keep its files."""
        self._changes.read_changes()
        ready = self._ready.get(declared_hash)
        if ready is not None and ready.watched is not None and ready.watched.change is not None:
            self._forget_ready(declared_hash)
            self._store.mark_changed(declared_hash)

    def _forget_ready(self, declared_hash: str) -> None:
        """Forget an environment that is removed, or built again."""
        ready = self._ready.pop(declared_hash, None)
        if ready is not None and ready.watched is not None:
            self._changes.remove_environment(ready.watched)

    def _make_built(self, planned: BuildPlan, record: EnvironmentRecord) -> BuiltEnvironment:
        if record.relaxed and self._settings.fidelity == "strict":
            raise RefusedError(
                f"environment {planned.label} was built with other versions than it declares ({record.relaxed[0]}), "
                "and the setting fidelity is strict; correct its pins, or set fidelity=nearest"
            )
        self._store.mark_used(planned.hash)
        name = planned.declared.name
        if name and name not in record.names:
            self._store.add_name(record, name)
        if record.container is not None:
            return self._make_contained(planned, record)
        venv = self._store.get_path(planned.hash) / "venv"
        if planned.hash not in self._ready:
            self._ready[planned.hash] = _LoadedEnvironment(
                record, _make_template(record, venv), _has_mlflow(record), self._changes.add_environment(venv)
            )
        ready = self._ready[planned.hash]
        return BuiltEnvironment(
            bin=venv / "bin",
            python=str(venv / "bin" / "python"),
            version=record.version,
            variables={**_make_variables(venv), **planned.declared.variables},
            declared_hash=planned.hash,
            realised_hash=record.realised_hash,
            notes=[*_note_catalogue(planned), *planned.notes, *record.relaxed],
            template=ready.template,
            overlays=self._overlays,
            has_mlflow=ready.has_mlflow,
            shared=str(venv),
            watched=ready.watched,
        )

    def _make_contained(self, planned: BuildPlan, record: EnvironmentRecord) -> BuiltEnvironment:
        engine = self._images.get_last_state() if self._images else _NO_ENGINE
        if engine is None or not engine.is_available:
            problem = engine.problem if engine else ""
            raise EnvironmentFailed(
                planned.explain_failure(problem or "the setting container-command was changed meanwhile")
            )
        assert record.container is not None
        self._ready[planned.hash] = _LoadedEnvironment(record, None, False)
        return BuiltEnvironment(
            bin=None,
            python="python",
            version="",
            variables={"PIP_DISABLE_PIP_VERSION_CHECK": "1", **_get_container_variables(planned)},
            declared_hash=planned.hash,
            realised_hash=record.realised_hash,
            notes=planned.notes,
            template=None,
            overlays=self._overlays,
            container=ContainerImage(record.container["image"], record.container["path"]),
        )

    async def _build(self, planned: BuildPlan, log: Log) -> EnvironmentRecord:
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
        self._forget_ready(planned.hash)
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
                realised_hash=make_realised_hash(image.id, _format_variables(_get_container_variables(planned))),
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
                interpreter.version, [*installed, *_format_variables(planned.declared.variables)]
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

    def list_stored(self) -> list[StoredEnvironment]:
        """Return everything that is built."""
        store = self._store
        return [
            StoredEnvironment(
                record.declared_hash, record.names, record.size, store.get_last_use(record.declared_hash), record
            )
            for record in store.list_records()
        ]


def _make_template(record: EnvironmentRecord, venv: Path) -> OverlayTemplate:
    sees = [str(path) for path in venv.glob("lib/python*/site-packages")]
    return make_template(record.python, record.version, venv / "bin", sees, lib64=record.lib64)


def _get_container_variables(planned: BuildPlan) -> dict[str, str]:
    """Return the variables that a container is given; one built from its Dockerfile has them itself."""
    return planned.declared.variables if planned.base is not None and planned.base.layered else {}


def _format_variables(variables: Mapping[str, str]) -> list[str]:
    """Return an environment's variables as lines among its packages."""
    return [f"variable {name}=={value}" for name, value in sorted(variables.items())]


def _note_catalogue(planned: BuildPlan) -> list[str]:
    """Return the note that a curated environment is not the service's own image of that name."""
    name = planned.declared.parts.get("catalogue")
    if not name or name.startswith("smalt-") or planned.base is not None or planned.declared.not_as_asked:
        return []
    return [f"'{name}' is made of the packages in smalt's catalogue; the service's image is not used"]


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


def _has_mlflow(record: EnvironmentRecord) -> bool:
    return any(package.startswith(("mlflow==", "mlflow-skinny==")) for package in record.packages)


def _make_variables(venv: Path) -> dict[str, str]:
    variables = {**VARIABLES, "VIRTUAL_ENV": str(venv)}
    if os.path.isdir(venv / "conda-meta"):  # its programs, of which the job's own view has the Python ones
        variables["CONDA_PREFIX"] = str(venv)
        variables["PATH"] = f"{venv}/bin:{os.environ.get('PATH', '/usr/bin:/bin')}"
    for name, folder in (("JUPYTER_PATH", "share/jupyter"), ("JUPYTER_CONFIG_PATH", "etc/jupyter")):
        if os.path.isdir(venv / folder):
            variables[name] = str(venv / folder)
    return variables
