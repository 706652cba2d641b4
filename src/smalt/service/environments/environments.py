"""Makes environments real: each once per declared content, then reused; see docs/internals/environments.md."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from smalt.exceptions import Refused, SmaltError
from smalt.home import Home
from smalt.service.environments import curated, installer
from smalt.service.environments.asked import Minor
from smalt.service.environments.build import Build
from smalt.service.environments.declared import Declared, Locate, declare
from smalt.service.environments.failures import EnvironmentFailed
from smalt.service.environments.host import Host
from smalt.service.environments.installed import packages, realised_hash
from smalt.service.environments.overlay import Overlays, template_of
from smalt.service.environments.pythons import Interpreter, Pythons
from smalt.service.environments.realised import Realised
from smalt.service.environments.reasons import reason
from smalt.service.environments.store import Record, Store, size_of

Log = Callable[[str], None]


class Settings(Protocol):
    """What of the home's settings is read here."""

    fidelity: str
    host_python: str | None


class Built(NamedTuple):
    """An environment on disk, for `smalt prune`."""

    hash: str
    names: list[str]
    size: int
    last_used: float


@dataclass(frozen=True)
class Plan:
    """How a declared environment is made on this machine."""

    declared: Declared
    used: Minor
    exact: bool
    hash: str
    notes: list[str]

    @property
    def python(self) -> str:
        return f"{self.used[0]}.{self.used[1]}"


class Environments:
    """The environments of one home."""

    def __init__(
        self, home: Home, settings: Settings, *, pythons: Pythons | None = None, locate: Locate = lambda uri: None
    ) -> None:
        """`locate` tells where a build context's URI lies on this machine."""
        self._settings = settings
        self._catalogue = home.path("catalogue")
        self._pythons = pythons or Pythons()
        self._locate = locate
        self._store = Store(home.path("environments"))
        self._host = Host(home.path("environments", ".host"))
        self._declared: dict[str, Declared] = {}
        self._ready: dict[str, tuple[Record, Overlays]] = {}
        self._builds: dict[str, Build[Record]] = {}

    def cached(self, asset: Mapping[str, Any]) -> Realised | None:
        """The environment, where it is there already and may be used; quick enough for every job."""
        try:
            if asset.get("host"):
                return self._host.known(self._settings.host_python)
            plan = self._plan(asset)
        except SmaltError:
            return None
        return self._found(plan)

    async def realise(self, asset: Mapping[str, Any], log: Log) -> Realised:
        """The environment, built where it is not there yet; `log` gets the story of the build, line by line."""
        if asset.get("host"):
            return await asyncio.to_thread(self._host.realise, self._settings.host_python)
        plan = self._plan(asset)
        found = self._found(plan)
        if found is not None:
            return found
        build = self._builds.get(plan.hash)
        if build is None:
            build = self._builds[plan.hash] = Build(lambda say: self._build(plan, say))
            build.task.add_done_callback(lambda _: self._builds.pop(plan.hash, None))
        record = await build.follow(log)
        return self._realised(plan, record)

    def lookup_curated(self, name: str, version: str | None = None) -> dict[str, Any] | None:
        """The curated environment of that name, as `realise` takes it."""
        return curated.lookup_curated(name, version, self._catalogue)

    def list(self) -> list[Built]:
        """Everything that is built."""
        store = self._store
        return [
            Built(record.declared_hash, record.names, record.size, store.last_used(record.declared_hash))
            for record in store.records()
        ]

    async def remove(self, declared_hash: str) -> int:
        """Remove a built environment that no job uses; the bytes that it took."""
        async with self._store.locked(declared_hash, lambda: None):
            record = self._store.record(declared_hash)
            self._ready.pop(declared_hash, None)
            await asyncio.to_thread(self._store.discard, declared_hash)
        return record.size if record else 0

    def _plan(self, asset: Mapping[str, Any]) -> Plan:
        declared = self._declare(asset)
        available = self._pythons.minors()
        used = declared.python.nearest(available)
        exact = declared.python.allows(used)
        notes = _notes(declared, f"{used[0]}.{used[1]}", exact)
        if self._settings.fidelity == "strict":
            _refuse(declared, exact, available)
        return Plan(declared, used, exact, declared.hash(used), notes)

    def _declare(self, asset: Mapping[str, Any]) -> Declared:
        if asset.get("build") or asset.get("curated"):
            return declare(asset, self._catalogue, self._locate)  # what it means may change on disk
        key = json.dumps([asset.get("name"), asset.get("image"), asset.get("condaFile")])
        if key not in self._declared:
            if len(self._declared) > 500:
                self._declared.clear()
            self._declared[key] = declare(asset, self._catalogue, self._locate)
        return self._declared[key]

    def _found(self, plan: Plan) -> Realised | None:
        if plan.hash in self._ready and self._store.stands(plan.hash):
            return self._realised(plan, self._ready[plan.hash][0])
        record = self._store.record(plan.hash)
        return self._realised(plan, record) if record else None

    def _realised(self, plan: Plan, record: Record) -> Realised:
        self._store.touch(plan.hash)
        name = plan.declared.name
        if name and name not in record.names:
            self._store.rename(record, name)
        venv = self._store.path(plan.hash) / "venv"
        if plan.hash not in self._ready:
            self._ready[plan.hash] = (record, _overlays(record, venv))
        _, overlays = self._ready[plan.hash]
        return Realised(
            bin=venv / "bin",
            python=str(venv / "bin" / "python"),
            version=record.version,
            variables=_variables(venv),
            declared_hash=plan.hash,
            realised_hash=record.realised_hash,
            notes=plan.notes,
            overlays=overlays,
        )

    async def _build(self, plan: Plan, log: Log) -> Record:
        waiting = f"waiting for another process that builds environment {_called(plan)}"
        async with self._store.locked(plan.hash, lambda: log(waiting)):
            record = self._store.record(plan.hash)
            if record is not None:
                return record
            why = reason(plan.declared.name, plan.declared.parts, plan.python, self._store.records())
            log(f"building environment {_called(plan)} with Python {plan.python}: {why}")
            self._ready.pop(plan.hash, None)
            try:
                record = await self._make(plan, log)
            except EnvironmentFailed as error:
                raise EnvironmentFailed(_failure(plan, str(error))) from None
            except OSError as error:
                raise EnvironmentFailed(_failure(plan, error.strerror or str(error))) from None
            log(f"built in {record.seconds:.1f} s: {len(record.packages)} packages, {record.size / 1e6:.0f} MB")
            return record

    async def _make(self, plan: Plan, log: Log) -> Record:
        started = time.monotonic()
        building = self._store.begin(plan.hash)
        interpreter = await asyncio.to_thread(self._pythons.interpreter, plan.used)
        await installer.make(building / "venv", interpreter, plan.declared.requirements, plan.exact, log)
        return await asyncio.to_thread(self._finish, plan, building, interpreter, started)

    def _finish(self, plan: Plan, building: Path, interpreter: Interpreter, started: float) -> Record:
        installed = packages(building.glob("venv/lib/python*/site-packages"))
        record = Record(
            declared_hash=plan.hash,
            realised_hash=realised_hash(interpreter.version, installed),
            names=[plan.declared.name] if plan.declared.name else [],
            parts=plan.declared.parts,
            packages=installed,
            python=interpreter.executable,
            version=interpreter.version,
            built=time.time(),
            seconds=time.monotonic() - started,
            size=size_of(building),
        )
        self._store.publish(building, record)
        return record


def _notes(declared: Declared, used: str, exact: bool) -> list[str]:
    """What is not as asked, a sentence each."""
    nearest = "" if exact else f", the nearest on this machine to {declared.python}"
    if declared.unused_image:
        clean = f"a clean virtual environment of Python {used}{nearest}"
        return [*declared.notes, f"{declared.unused_image} is not used; the job runs in {clean}"]
    if exact:
        return declared.notes
    return [
        *declared.notes,
        f"Python {declared.python} is not on this machine; the job runs with Python {used}{nearest}",
    ]


def _refuse(declared: Declared, exact: bool, available: list[Minor]) -> None:
    what = declared.not_as_asked or (declared.unused_image and f"{declared.unused_image} is not used by smalt")
    if what:
        raise Refused(
            f"{what}, and the setting fidelity is strict; give the environment a conda_file, or set fidelity=nearest"
        )
    if not exact:
        here = ", ".join(f"{major}.{minor}" for major, minor in available)
        raise Refused(
            f"Python {declared.python} is not on this machine (it has {here}) and the setting fidelity is strict; "
            "install that Python, or set fidelity=nearest"
        )


def _failure(plan: Plan, why: str) -> str:
    hint = "correct its packages"
    if not plan.exact:
        hint = f"install Python {plan.declared.python}, for which they may be pinned, or relax the pins"
    return f"environment {_called(plan)} could not be built with Python {plan.python}: {why}; {hint}"


def _called(plan: Plan) -> str:
    return f"'{plan.declared.name}'" if plan.declared.name else plan.hash[:12]


def _overlays(record: Record, venv: Path) -> Overlays:
    sees = [str(path) for path in venv.glob("lib/python*/site-packages")]
    return Overlays(template_of(record.python, record.version, venv / "bin", sees), venv.parent / "spare")


def _variables(venv: Path) -> dict[str, str]:
    variables = {"VIRTUAL_ENV": str(venv), "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for name, folder in (("JUPYTER_PATH", "share/jupyter"), ("JUPYTER_CONFIG_PATH", "etc/jupyter")):
        if os.path.isdir(venv / folder):
            variables[name] = str(venv / folder)
    return variables
