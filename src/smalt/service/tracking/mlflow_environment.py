"""The Python environment of MLflow's process: a virtual environment of the home, built when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from smalt.exceptions import SmaltError, Unavailable
from smalt.machine.home import Home
from smalt.service.environments.builders import server_tools
from smalt.service.environments.builders.tool_processes import check_start

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
                "index, or name a Python that has it with 'smalt config set mlflow-python /path/to/python3'"
            ) from None


async def _check_import(python: Path, folder: Path) -> None:
    """Load MLflow once, which proves that it works."""
    await check_start([str(python), "-I", str(CHILD)], folder)
