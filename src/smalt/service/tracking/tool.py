"""The Python that MLflow runs in: of a virtual environment of the home's own, built when it is first needed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from smalt.exceptions import SmaltError, Unavailable
from smalt.home import Home
from smalt.service.environments import installer
from smalt.service.environments.asked import AskedPython
from smalt.service.environments.failures import EnvironmentFailed
from smalt.service.environments.installed import packages, realised_hash
from smalt.service.environments.pythons import Interpreter, Pythons
from smalt.service.environments.rubbish import sweep
from smalt.service.environments.store import Record, Store, size_of

CHILD = Path(__file__).with_name("child") / "__main__.py"
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_PYTHONS = AskedPython(">=3.10,<3.15")
"""Those that the requirements have wheels for."""

Log = Callable[[str], None]


class Tool:
    """`HOME/tools/mlflow-<hash>/`, with a record of what was installed. Built once, whoever and however many ask."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._store = Store(home.path("tools"))
        text = _REQUIREMENTS.read_text()
        self._requirements = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.version = next(
            line.partition("==")[2] for line in self._requirements if line.startswith("mlflow-skinny==")
        )
        """The MLflow that smalt is made for; another of the same minor version will do."""
        self._name = f"mlflow-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @property
    def ready(self) -> bool:
        return self._store.record(self._name) is not None

    async def python(self, log: Log) -> str:
        """The path of its Python, after building it where that is still to be done."""
        if not self.ready:
            try:
                await self._provide(log)
            except (SmaltError, OSError) as error:
                reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
                raise Unavailable(
                    f"MLflow, which records what jobs log, could not be installed: {reason}; give access to a package "
                    "index, or name a Python that has it with 'smalt config set mlflow-python=/path/to/python3'"
                ) from None
        self._store.touch(self._name)
        return str(self._python(self._store.path(self._name)))

    async def _provide(self, log: Log) -> None:
        async with self._store.locked(self._name, lambda: log("waiting for another process that installs MLflow")):
            if self.ready:
                return
            started = time.time()
            interpreter = await asyncio.to_thread(_interpreter)
            log(f"installing MLflow for Python {interpreter.version}, once for this home")
            building = self._store.begin(self._name)
            try:
                await installer.make(building / "venv", interpreter, self._requirements, False, lambda line: None)
                await _try_out(self._python(building), building)
                record = await asyncio.to_thread(self._record, building, interpreter, started)
                self._store.publish(building, record)
            finally:
                self._store.give_up(building)
            self._clear()
            log(f"installed in {record.seconds:.1f} s: {len(record.packages)} packages, {record.size / 1e6:.0f} MB")

    def _clear(self) -> None:
        """Remove the MLflow of an earlier smalt, and what was half removed."""
        sweep(self._store.folder)
        for record in self._store.records():
            if record.names == ["mlflow"] and record.declared_hash != self._name:
                self._store.discard(record.declared_hash)

    def _record(self, building: Path, interpreter: Interpreter, started: float) -> Record:
        installed = packages(building.glob("venv/lib/python*/site-packages"))
        return Record(
            declared_hash=self._name,
            realised_hash=realised_hash(interpreter.version, installed),
            names=["mlflow"],
            parts={"requirements": self._requirements},
            packages=installed,
            python=interpreter.executable,
            version=interpreter.version,
            lib64=interpreter.lib64,
            built=started,
            seconds=time.time() - started,
            size=size_of(building),
        )

    @staticmethod
    def _python(folder: Path) -> Path:
        return folder / "venv" / "bin" / "python"


def variables(home: Path) -> dict[str, str]:
    """What MLflow's process is given of the environment: no keys of any cloud, and no one's settings."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "HOME": str(home)}


def _interpreter() -> Interpreter:
    """Python as the server has it, where the requirements allow; it is sure to start."""
    pythons = Pythons()
    minors = [minor for minor in pythons.minors() if _PYTHONS.allows(minor)]
    own = sys.version_info[:2]
    if not minors:
        raise EnvironmentFailed("it needs a Python from 3.10 to 3.14, and there is none")
    return pythons.interpreter(own if own in minors else max(minors))


async def _try_out(python: Path, folder: Path) -> None:
    """Load it once: so it is known to work, and what it needs is compiled, of many thousand files the few."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        "-I",
        str(CHILD),
        env=variables(folder),
        cwd="/",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {process.returncode}"]
        raise EnvironmentFailed(f"it does not start ({last[0]})")
