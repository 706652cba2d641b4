"""Programs of smalt's own that are too large to come with it: in environments of the home, built when first needed."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from smalt.machine.home import Home
from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.builders import virtual_environments
from smalt.service.environments.builders.build_processes import Log
from smalt.service.environments.builders.installed_packages import packages, realised_hash
from smalt.service.environments.builders.interpreters import Interpreter, Pythons
from smalt.service.environments.resolution.python_versions import AskedPython
from smalt.service.environments.store.environment_store import Record, Store, size_of
from smalt.service.environments.store.removal import sweep

Trial = Callable[[Path, Path], Awaitable[None]]
"""Start it once, given its Python and a folder, so that it is known to work; else EnvironmentFailed."""


class Tool:
    """`HOME/tools/<name>-<hash>/`, with a record of what was installed. Built once, whoever and however many ask."""

    def __init__(self, home: Home, title: str, requirements: str, pythons: str, trial: Trial) -> None:
        """`requirements` is the text of a requirements file, `pythons` those that it has wheels for."""
        self._store = Store(home.path("tools"))
        self._title = title
        self._pythons = AskedPython(pythons)
        self._trial = trial
        self.requirements = [line for line in requirements.splitlines() if line and not line.startswith("#")]
        self._name = f"{title.lower()}-{hashlib.sha256(requirements.encode()).hexdigest()[:16]}"

    @property
    def ready(self) -> bool:
        return self._store.record(self._name) is not None

    async def provided(self, log: Log) -> str:
        """The path of its Python, after building it where that is still to be done."""
        if not self.ready:
            await self._provide(log)
        self._store.touch(self._name)
        return str(_python(self._store.path(self._name)))

    async def _provide(self, log: Log) -> None:
        waiting = f"waiting for another process that installs {self._title}"
        async with self._store.locked(self._name, lambda: log(waiting)):
            if self.ready:
                return
            started = time.time()
            interpreter = await asyncio.to_thread(self._interpreter)
            log(f"installing {self._title} for Python {interpreter.version}, once for this home")
            building = self._store.begin(self._name)
            try:
                await virtual_environments.make(
                    building / "venv", interpreter, self.requirements, False, lambda line: None
                )
                await self._trial(_python(building), building)
                record = await asyncio.to_thread(self._record, building, interpreter, started)
                self._store.publish(building, record)
            finally:
                self._store.give_up(building)
            self._clear()
            log(f"installed in {record.seconds:.1f} s: {len(record.packages)} packages, {record.size / 1e6:.0f} MB")

    def _clear(self) -> None:
        """Remove that of an earlier smalt, and what was half removed."""
        sweep(self._store.folder)
        for record in self._store.records():
            if record.names == [self._title.lower()] and record.declared_hash != self._name:
                self._store.discard(record.declared_hash)

    def _record(self, building: Path, interpreter: Interpreter, started: float) -> Record:
        installed = packages(building.glob("venv/lib/python*/site-packages"))
        return Record(
            declared_hash=self._name,
            realised_hash=realised_hash(interpreter.version, installed),
            names=[self._title.lower()],
            parts={"requirements": self.requirements},
            packages=installed,
            python=interpreter.executable,
            version=interpreter.version,
            lib64=interpreter.lib64,
            built=started,
            seconds=time.time() - started,
            size=size_of(building),
        )

    def _interpreter(self) -> Interpreter:
        """Python as the server has it, where the requirements allow; it is sure to start."""
        pythons = Pythons()
        minors = [minor for minor in pythons.minors() if self._pythons.allows(minor)]
        own = sys.version_info[:2]
        if not minors:
            raise EnvironmentFailed(f"it needs a Python {self._pythons}, and there is none")
        return pythons.interpreter(own if own in minors else max(minors))


def _python(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"
