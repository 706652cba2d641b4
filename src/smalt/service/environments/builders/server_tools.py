"""Tools of the server that are too large to be its dependencies: in environments of the home, built when first
needed.
"""

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
from smalt.service.environments.builders.installed_packages import list_packages, make_realised_hash
from smalt.service.environments.builders.interpreters import Interpreter, Interpreters
from smalt.service.environments.resolution.python_versions import PythonConstraint
from smalt.service.environments.store.environment_store import EnvironmentRecord, EnvironmentStore, get_size
from smalt.service.environments.store.removal import resume_removals

Trial = Callable[[Path, Path], Awaitable[None]]
"""A check that starts the tool once, given its Python and a folder; EnvironmentFailed if it does not start."""


class ServerTool:
    """A tool in `HOME/tools/<name>-<hash>/`, with a record of what was installed. It is built once for all callers."""

    def __init__(
        self, home: Home, title: str, requirements: str, pythons: str, trial: Trial, *, with_dependencies: bool = True
    ) -> None:
        """Take the text of a requirements file, and in `pythons` the versions that it has wheels for. Without
        dependencies, what the requirements need in turn is only installed if it is among them.
        """
        self._store = EnvironmentStore(home.path("tools"))
        self._title = title
        self._pythons = PythonConstraint(pythons)
        self._trial = trial
        self._with_dependencies = with_dependencies
        self.requirements = [line for line in requirements.splitlines() if line and not line.startswith("#")]
        self._name = f"{title.lower()}-{hashlib.sha256(requirements.encode()).hexdigest()[:16]}"

    @property
    def is_ready(self) -> bool:
        return self._store.read_record(self._name) is not None

    async def ensure_built(self, log: Log) -> str:
        """Return the path of its Python, after building it if that is still to be done."""
        if not self.is_ready:
            await self._build(log)
        self._store.mark_used(self._name)
        return str(_get_python(self._store.get_path(self._name)))

    async def _build(self, log: Log) -> None:
        waiting = f"waiting for another process that installs {self._title}"
        async with self._store.hold_lock(self._name, lambda: log(waiting)):
            if self.is_ready:
                return
            started = time.time()
            interpreter = await asyncio.to_thread(self._choose_interpreter)
            log(f"installing {self._title} for Python {interpreter.version}, once for this home")
            building = self._store.begin(self._name)
            try:
                await virtual_environments.build_environment(
                    building / "venv",
                    interpreter,
                    self.requirements,
                    False,
                    lambda line: None,
                    with_dependencies=self._with_dependencies,
                    shares_cache=True,
                )
                await self._trial(_get_python(building), building)
                record = await asyncio.to_thread(self._make_record, building, interpreter, started)
                self._store.publish(building, record)
            finally:
                self._store.give_up(building)
            self._remove_old()
            log(f"installed in {record.seconds:.1f} s: {len(record.packages)} packages, {record.size / 1e6:.0f} MB")

    def _remove_old(self) -> None:
        """Remove the tool of an earlier smalt, and what was half removed."""
        resume_removals(self._store.folder)
        for record in self._store.list_records():
            if record.names == [self._title.lower()] and record.declared_hash != self._name:
                self._store.remove(record.declared_hash)

    def _make_record(self, building: Path, interpreter: Interpreter, started: float) -> EnvironmentRecord:
        installed = list_packages(building.glob("venv/lib/python*/site-packages"))
        return EnvironmentRecord(
            declared_hash=self._name,
            realised_hash=make_realised_hash(interpreter.version, installed),
            names=[self._title.lower()],
            parts={"requirements": self.requirements},
            packages=installed,
            python=interpreter.executable,
            version=interpreter.version,
            lib64=interpreter.lib64,
            built=started,
            seconds=time.time() - started,
            size=get_size(building),
        )

    def _choose_interpreter(self) -> Interpreter:
        """Return the server's own Python if the requirements allow it; it is sure to start."""
        pythons = Interpreters()
        minors = [minor for minor in pythons.list_versions() if self._pythons.allows(minor)]
        own = sys.version_info[:2]
        if not minors:
            raise EnvironmentFailed(f"it needs a Python {self._pythons}, and there is none")
        return pythons.get_interpreter(own if own in minors else max(minors))


def _get_python(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"
