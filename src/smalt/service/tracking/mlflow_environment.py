"""The Python environment of MLflow's process: a virtual environment of the home, built when it is first needed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from smalt.exceptions import SmaltError, Unavailable
from smalt.machine.home import Home
from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.builders import server_tools

CHILD = Path(__file__).with_name("child") / "__main__.py"
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")

Log = Callable[[str], None]


class MlflowEnvironment(server_tools.ServerTool):
    """The virtual environment with MLflow."""

    def __init__(self, home: Home) -> None:
        super().__init__(home, "MLflow", _REQUIREMENTS.read_text(), ">=3.10,<3.15", _check_import)
        self.version = next(line.partition("==")[2] for line in self.requirements if line.startswith("mlflow-skinny=="))
        """The MLflow that smalt is made for; another of the same minor version will do."""

    async def get_python(self, log: Log) -> str:
        """Return the path of its Python; build the environment first if it is missing."""
        try:
            return await self.ensure_built(log)
        except (SmaltError, OSError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            raise Unavailable(
                f"MLflow, which records what jobs log, could not be installed: {reason}; give access to a package "
                "index, or name a Python that has it with 'smalt config set mlflow-python=/path/to/python3'"
            ) from None


def build_variables(home: Path) -> dict[str, str]:
    """Return the environment variables of MLflow's process: no cloud credentials and no one's settings."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "HOME": str(home)}


async def _check_import(python: Path, folder: Path) -> None:
    """Load MLflow once, which proves that it works and compiles the few modules that it needs of many thousand."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        "-I",
        str(CHILD),
        env=build_variables(folder),
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
