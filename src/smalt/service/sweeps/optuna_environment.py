"""The Python environments of samplers that learn: virtual environments of the home, built when first needed."""

from __future__ import annotations

from pathlib import Path

from smalt.exceptions import SmaltError, Unavailable
from smalt.machine.home import Home
from smalt.service.environments.builders.build_processes import Log
from smalt.service.environments.builders.server_tools import ServerTool
from smalt.service.environments.builders.tool_processes import check_start

PROGRAM = Path(__file__).with_name("program") / "__main__.py"
_REQUIREMENTS = Path(__file__).with_name("requirements")
_TITLES = {"bayesian": "Optuna", "cmaes": "CMA-ES", "gp": "Optuna-GP"}
ALGORITHMS = frozenset(_TITLES)
"""The sampling algorithms that have an environment."""


class OptunaEnvironment(ServerTool):
    """The virtual environment with the packages of a sampling algorithm, and nothing that it does not import."""

    def __init__(self, home: Home, algorithm: str) -> None:
        self._algorithm = algorithm
        requirements = (_REQUIREMENTS / f"{algorithm}.txt").read_text()
        super().__init__(
            home, _TITLES[algorithm], requirements, ">=3.10,<3.15", self._check_import, with_dependencies=False
        )

    async def get_python(self, log: Log) -> str:
        """Return the path of its Python; build the environment first if it is missing."""
        try:
            return await self.ensure_built(log)
        except (SmaltError, OSError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            raise Unavailable(
                f"{_TITLES[self._algorithm]}, which proposes the points of {self._algorithm} sampling, could not be "
                f"installed: {reason}; give access to a package index, or use the sampling algorithm 'random'"
            ) from None

    async def _check_import(self, python: Path, folder: Path) -> None:
        await check_start([str(python), "-I", str(PROGRAM), self._algorithm], folder)
