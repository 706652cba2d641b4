"""Makes environments real: each once per declared content, then reused; see docs/internals/environments.md."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from smalt.exceptions import Refused, SmaltError
from smalt.machine.home import Home
from smalt.service.data.integrity import Trouble
from smalt.service.environments.build_errors import EnvironmentFailed, ImageUnavailable
from smalt.service.environments.builders import conda_prefixes, virtual_environments
from smalt.service.environments.builders.build_explanations import reason
from smalt.service.environments.builders.conda_prefixes import Conda
from smalt.service.environments.builders.installed_packages import realised_hash, recorded_size
from smalt.service.environments.builders.interpreters import Interpreter, Pythons
from smalt.service.environments.builders.shared_builds import Build
from smalt.service.environments.image_source import ContainerImage, EngineState, ImageSource
from smalt.service.environments.resolution import curated_environments
from smalt.service.environments.resolution.build_plans import Plan, contained, plan
from smalt.service.environments.resolution.declarations import Base, Declared, Locate, declare
from smalt.service.environments.resolution.declarations import Conda as CondaPackages
from smalt.service.environments.resolution.image_map import find_file
from smalt.service.environments.resolution.image_names import is_services_base
from smalt.service.environments.store import integrity
from smalt.service.environments.store.environment_store import Record, Store, size_of
from smalt.service.environments.views.built_environments import VARIABLES, Realised
from smalt.service.environments.views.host_python import Host
from smalt.service.environments.views.overlay_layout import Template, template_of
from smalt.service.environments.views.overlay_pool import Overlays

Log = Callable[[str], None]

_MOST_KNOWN = 500
_NO_ENGINE = EngineState(False)


class Settings(Protocol):
    """What of the home's settings is read here."""

    fidelity: str
    host_python: str | None
    conda_channels: dict[str, str]
    image_map: dict[str, str]


class Built(NamedTuple):
    """An environment on disk."""

    hash: str
    names: list[str]
    size: int
    last_used: float
    record: Record


class _Ready(NamedTuple):
    """A built environment as this server has used it already."""

    record: Record
    template: Template | None
    has_mlflow: bool


class Environments:
    """The environments of one home."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        images: ImageSource | None = None,
        *,
        pythons: Pythons | None = None,
        locate: Locate = lambda uri: None,
    ) -> None:
        """`images` makes container images, if there may be any; `locate` maps a build context's URI to its folder."""
        self._settings = settings
        self._catalogue = home.path("catalogue")
        self._pythons = pythons or Pythons()
        self._locate = locate
        self._store = Store(home.path("environments"))
        self._tools = Store(home.path("tools"))
        self._overlays = Overlays(home.path("environments", ".spare"))
        self._host = Host(self._overlays)
        self._images = images
        self._conda = Conda(home)
        self._known: dict[tuple[object, ...], Declared] = {}
        self._ready: dict[str, _Ready] = {}
        self._builds: dict[str, Build[Record]] = {}

    def cached(self, asset: Mapping[str, Any]) -> Realised | None:
        """The environment, where it is there already and may be used; quick enough for every job."""
        try:
            if asset.get("host"):
                return self._host.known(self._settings.host_python)
            engine = images.get_known_state() if (images := self._images_for(asset)) else _NO_ENGINE
            return None if engine is None else self._found(self._plan(asset, engine))
        except SmaltError:
            return None

    def look_again(self) -> None:
        """Believe nothing that was seen of the host's packages before now: a job was submitted."""
        self._host.look_again()

    @property
    def host_seen(self) -> float:
        """When the host's packages were last looked at."""
        return self._host.seen

    def host_changed(self) -> tuple[str, float] | None:
        """The realised hash of the host's environment, and when it last changed; None where that is not known."""
        return self._host.changed(self._settings.host_python)

    async def realise(self, asset: Mapping[str, Any], log: Log) -> Realised:
        """The environment, built where it is not there yet; `log` gets the story of the build, line by line."""
        if asset.get("host"):
            return await asyncio.to_thread(self._host.realise, self._settings.host_python)
        images = self._images_for(asset)
        engine = await images.find_state() if images else _NO_ENGINE
        planned = self._plan(asset, engine)
        try:
            return await self._provided(planned, log)
        except ImageUnavailable as error:
            if images is None:
                raise
            images.mark_unavailable(planned.hash, str(error))
            return await self._provided(self._plan(asset, engine), log)

    async def _provided(self, planned: Plan, log: Log) -> Realised:
        found = self._found(planned)
        if found is not None:
            return found
        build = self._builds.get(planned.hash)
        if build is None or build.is_abandoned or build.task.done():
            build = self._builds[planned.hash] = Build(lambda say: self._build(planned, say))
        try:
            record = await build.follow(log)
        finally:
            if build.task.done() and self._builds.get(planned.hash) is build:
                del self._builds[planned.hash]
        return self._realised(planned, record)

    def packages(self, realised: Realised) -> list[str]:
        """What its realised hash is of: Python, and `name==version` of every package."""
        record = self._store.record(realised.declared_hash)
        installed = record.packages if record else self._host.packages(self._settings.host_python)
        variables = record.parts.get("variables") if record else None
        return [f"python=={realised.version}", *installed, *_lines(variables or {})]

    def release(self, folder: Path) -> None:
        """A job's view in `folder` (see `Realised.clone`) is done with: reused where untouched, else removed."""
        self._overlays.release(folder)
        if self._images is not None:
            self._images.start_sweep()

    def stay(self, folder: Path) -> bool:
        """The same, where the folder that the view is in serves another job as it is; False where it was touched."""
        return self._overlays.stay(folder)

    def sweep(self) -> None:
        """Remove what earlier servers of the home left half done; for the start of a server."""
        self._overlays.sweep()
        self._store.sweep()
        if self._images is not None:
            self._images.start_sweep()

    async def troubles(self, thorough: bool, since: float) -> list[Trouble]:
        """What `smalt doctor` tells of environments, and of the programs that smalt installed for itself."""
        store, examine, remove = self._store, integrity.examine, self._remove_unused
        found = await asyncio.to_thread(examine, store, "environment", remove, thorough, since)
        found += await asyncio.to_thread(examine, self._tools, "tool", self._tools.remove_left, thorough, since)
        if self._images is None:
            return found
        found += integrity.containers(self._images.list_orphans(), self._images.remove_orphans)
        if (await self._images.find_state()).is_available:
            records = store.records()
            lost = {store.path(one.declared_hash): one for one in await self._images.list_lost(records)}
            unused = await self._images.list_unused(records)
            unused = [one for one in unused if not store.is_locked(one.name.rpartition(":")[2])]  # not being built
            found += integrity.images(lost, unused, remove)
        return found

    def _remove_unused(self, path: Path) -> None:
        ready = self._ready.get(path.name)
        if ready is not None and ready.template is not None and self._overlays.serve(ready.template):
            raise Refused("a job uses it now; repair it when that is over")
        self._store.remove_left(path)

    def catalogue(self) -> list[curated_environments.Entry]:
        """The catalogue, by name."""
        entries = {entry.name: entry for entry in curated_environments.catalogue(self._catalogue).values()}
        return [entries[name] for name in sorted(entries)]

    def curated_names(self) -> list[str]:
        """Return every name of a curated environment that is answered."""
        return curated_environments.names(self._catalogue)

    def find_curated(self, name: str) -> curated_environments.Entry:
        """The catalogue's entry of that name or alias; NotFound says what is nearest."""
        return curated_environments.find(name, self._catalogue)

    def lookup_curated(self, name: str, version: str | None = None) -> dict[str, Any] | None:
        """The curated environment of that name, as `realise` takes it."""
        return curated_environments.lookup_curated(name, version, self._catalogue)

    async def remove(self, declared_hash: str) -> int | None:
        """Remove a built environment; the bytes that it took. None where it stays, as a job uses it."""
        async with self._store.locked(declared_hash, lambda: None):
            record, ready = self._store.record(declared_hash), self._ready.get(declared_hash)
            if ready is not None and ready.template is not None and self._overlays.serve(ready.template):
                return None
            has_image = record is not None and record.container is not None
            if record is not None and has_image and self._images and not await self._images.remove_image(record):
                return None
            self._ready.pop(declared_hash, None)
            await asyncio.to_thread(self._store.discard, declared_hash)
        return record.size if record else 0

    def _plan(self, asset: Mapping[str, Any], engine: EngineState) -> Plan:
        fidelity, pythons = self._settings.fidelity, self._pythons.minors()
        declared, why = self._declared(asset), engine.problem
        if engine.is_available and self._images is not None and declared.base is not None:
            planned = contained(declared, fidelity, self._images.get_context_digest(declared.base))
            if planned is not None:
                unavailable = self._images.get_unavailable_reason(planned.hash)
                if unavailable is None:
                    return planned
                why = unavailable
        return plan(declared, pythons, fidelity, why)

    def _images_for(self, asset: Mapping[str, Any]) -> ImageSource | None:
        """Return what makes images, where an environment may be one of them."""
        base = self._declared(asset).base
        may_be_image = base is not None and (not base.if_strict or self._settings.fidelity == "strict")
        return self._images if may_be_image else None

    def _declared(self, asset: Mapping[str, Any]) -> Declared:
        entries = self._settings.image_map
        is_mapped = bool(entries and asset.get("image")) and find_file(str(asset["image"]), entries) is not None
        if asset.get("build") or is_mapped:  # its files may change at any time
            return declare(asset, self._catalogue, self._locate, entries)
        said = json.dumps([asset.get(key) for key in ("curated", "asked", "name", "image", "condaFile", "files")])
        key = (said, curated_environments.own_files(self._catalogue))
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = declare(asset, self._catalogue, self._locate)
        return self._known[key]

    def _found(self, planned: Plan) -> Realised | None:
        if planned.base is not None and not (self._images and self._images.was_seen(planned.hash)):
            return None
        if planned.hash in self._ready and self._store.stands(planned.hash):
            return self._realised(planned, self._ready[planned.hash].record)
        record = self._store.record(planned.hash)
        return self._realised(planned, record) if record else None

    def _realised(self, planned: Plan, record: Record) -> Realised:
        if record.relaxed and self._settings.fidelity == "strict":
            raise Refused(
                f"environment {planned.called} was built with other versions than it asks for ({record.relaxed[0]}), "
                "and the setting fidelity is strict; correct its pins, or set fidelity=nearest"
            )
        self._store.touch(planned.hash)
        name = planned.declared.name
        if name and name not in record.names:
            self._store.rename(record, name)
        if record.container is not None:
            return self._contained(planned, record)
        venv = self._store.path(planned.hash) / "venv"
        if planned.hash not in self._ready:
            self._ready[planned.hash] = _Ready(record, _template(record, venv), _has_mlflow(record))
        ready = self._ready[planned.hash]
        return Realised(
            bin=venv / "bin",
            python=str(venv / "bin" / "python"),
            version=record.version,
            variables={**_variables(venv), **planned.declared.variables},
            declared_hash=planned.hash,
            realised_hash=record.realised_hash,
            notes=[*_instead_of_image(planned), *planned.notes, *record.relaxed],
            template=ready.template,
            overlays=self._overlays,
            has_mlflow=ready.has_mlflow,
        )

    def _contained(self, planned: Plan, record: Record) -> Realised:
        engine = self._images.get_last_state() if self._images else _NO_ENGINE
        if engine is None or not engine.is_available:
            problem = engine.problem if engine else ""
            raise EnvironmentFailed(planned.failure(problem or "the setting container-command was changed meanwhile"))
        assert record.container is not None
        self._ready[planned.hash] = _Ready(record, None, False)
        return Realised(
            bin=None,
            python="python",
            version="",
            variables={"PIP_DISABLE_PIP_VERSION_CHECK": "1", **_told_inside(planned)},
            declared_hash=planned.hash,
            realised_hash=record.realised_hash,
            notes=planned.notes,
            template=None,
            overlays=self._overlays,
            container=ContainerImage(record.container["image"], record.container["path"]),
        )

    async def _build(self, planned: Plan, log: Log) -> Record:
        waiting = f"waiting for another process that builds environment {planned.called}"
        try:
            async with self._store.locked(planned.hash, lambda: log(waiting)):
                record = self._store.record(planned.hash)
                if record is None or (planned.base is not None and not await self._has_image(record)):
                    record = await self._make(planned, log)
                return record
        except ImageUnavailable:
            raise
        except EnvironmentFailed as error:
            raise EnvironmentFailed(planned.failure(str(error))) from None
        except OSError as error:
            raise EnvironmentFailed(planned.failure(error.strerror or str(error))) from None

    async def _has_image(self, record: Record) -> bool:
        return self._images is not None and await self._images.check_exists(record)

    async def _make(self, planned: Plan, log: Log) -> Record:
        started = time.monotonic()
        why = reason(planned.declared.name, planned.declared.parts, planned.python, self._store.records())
        origin = f"from {planned.base.what}" if planned.base else f"with Python {planned.python}"
        origin = "of conda packages" if planned.declared.conda else origin
        log(f"building environment {planned.called} {origin}: {why}")
        for line in _unused_base(planned):
            log(line)
        self._ready.pop(planned.hash, None)
        if planned.base is not None:
            return await self._make_image(planned, planned.base, log, started)
        if planned.declared.conda is not None:
            return await self._make_prefix(planned, planned.declared.conda, log, started)
        interpreter = await asyncio.to_thread(self._pythons.interpreter, planned.used)
        building = self._store.begin(planned.hash)
        try:
            relaxed = await virtual_environments.make(
                building / "venv", interpreter, planned.declared.requirements, planned.exact, log,
                relaxes=self._settings.fidelity != "strict",
            )  # fmt: skip
            record = await asyncio.to_thread(self._finish, planned, building, interpreter, started, relaxed)
        finally:
            self._store.give_up(building)
        return _told(record, log)

    async def _make_prefix(self, planned: Plan, conda: CondaPackages, log: Log, started: float) -> Record:
        settings = self._settings
        channels = conda_prefixes.channels_of(conda.channels, settings.conda_channels)
        log(f"channels: {', '.join(channels)}")
        building = self._store.begin_in_place(planned.hash)
        try:
            interpreter, relaxed = await self._conda.make(
                building / "venv", conda.specs, channels, planned.declared.requirements, log,
                settings.fidelity != "strict",
            )  # fmt: skip
            record = await asyncio.to_thread(self._finish, planned, building, interpreter, started, relaxed)
        finally:
            self._store.give_up(building)
        return _told(record, log)

    async def _make_image(self, planned: Plan, base: Base, log: Log, started: float) -> Record:
        assert self._images is not None, "a plan with a base is made only where there are images"
        building = self._store.begin(planned.hash)
        try:
            image, name = await self._images.make_image(planned.declared, base, planned.hash, building / "layer", log)
            (building / "image").write_text(f"{image.id}\n")
            record = Record(
                declared_hash=planned.hash,
                realised_hash=realised_hash(image.id, _lines(_told_inside(planned))),
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

    def _finish(
        self, planned: Plan, building: Path, interpreter: Interpreter, started: float, relaxed: list[str]
    ) -> Record:
        venv = building / "venv"
        installed = conda_prefixes.installed(venv)
        record = Record(
            declared_hash=planned.hash,
            realised_hash=realised_hash(interpreter.version, [*installed, *_lines(planned.declared.variables)]),
            names=[planned.declared.name] if planned.declared.name else [],
            parts=planned.declared.parts,
            packages=installed,
            python=interpreter.executable,
            version=interpreter.version,
            lib64=interpreter.lib64,
            built=time.time(),
            seconds=time.monotonic() - started,
            size=size_of(building) if planned.declared.conda else recorded_size(venv),
            relaxed=relaxed,
        )
        self._store.publish(building, record)
        return record

    def list(self) -> list[Built]:
        """Everything that is built."""
        store = self._store
        return [
            Built(record.declared_hash, record.names, record.size, store.last_used(record.declared_hash), record)
            for record in store.records()
        ]


def _template(record: Record, venv: Path) -> Template:
    sees = [str(path) for path in venv.glob("lib/python*/site-packages")]
    return template_of(record.python, record.version, venv / "bin", sees, lib64=record.lib64)


def _told_inside(planned: Plan) -> dict[str, str]:
    """Return the variables that a container is told; one that is built from its Dockerfile has them itself."""
    return planned.declared.variables if planned.base is not None and planned.base.layered else {}


def _lines(variables: Mapping[str, str]) -> list[str]:
    """Return an environment's variables as lines among its packages."""
    return [f"variable {name}=={value}" for name, value in sorted(variables.items())]


def _instead_of_image(planned: Plan) -> list[str]:
    """That the service's own image, which holds the packages of a curated name, is not what the job runs in."""
    name = planned.declared.parts.get("catalogue")
    if not name or planned.base is not None or planned.declared.not_as_asked:
        return []
    return [f"'{name}' is made of the packages in smalt's catalogue; the service's image is not used"]


def _unused_base(planned: Plan) -> list[str]:
    """An image without packages is as good as none: said when the environment is built, not to each job."""
    image = str(planned.declared.parts.get("image") or "")
    if planned.base is not None or not is_services_base(image):
        return []
    return [f"image '{image}', the service's own base for conda files, is not used; it has no packages for Python"]


def _told(record: Record, log: Log) -> Record:
    count = len(record.packages)
    packages = f"{count} package{'' if count == 1 else 's'}"
    log(f"built in {record.seconds:.1f} s: {packages}, {record.size / 1e6:.0f} MB")
    return record


def _has_mlflow(record: Record) -> bool:
    return any(package.startswith(("mlflow==", "mlflow-skinny==")) for package in record.packages)


def _variables(venv: Path) -> dict[str, str]:
    variables = {**VARIABLES, "VIRTUAL_ENV": str(venv)}
    if os.path.isdir(venv / "conda-meta"):  # its programs, of which the job's own view has the Python ones
        variables["CONDA_PREFIX"] = str(venv)
        variables["PATH"] = f"{venv}/bin:{os.environ.get('PATH', '/usr/bin:/bin')}"
    for name, folder in (("JUPYTER_PATH", "share/jupyter"), ("JUPYTER_CONFIG_PATH", "etc/jupyter")):
        if os.path.isdir(venv / folder):
            variables[name] = str(venv / folder)
    return variables
