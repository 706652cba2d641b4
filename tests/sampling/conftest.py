"""The real processes of samplers that learn, in one home for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.sweeps.optuna_process import OptunaProcess


@pytest.fixture(scope="session")
def sampling_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose environments for sampling are built once, from the package index.

    SMALT_TEST_SAMPLING_HOME names one that is kept from session to session.
    """
    named = os.environ.get("SMALT_TEST_SAMPLING_HOME")
    return Path(named) if named else tmp_path_factory.mktemp("sampling")


@pytest.fixture
def optuna(sampling_home: Path) -> Iterator[OptunaProcess]:
    """The processes of that home; they start when they are asked, and end with the test."""
    process = OptunaProcess(Home(sampling_home))
    try:
        yield process
    finally:
        process.close()


@pytest.fixture(params=["bayesian", "cmaes", pytest.param("gp", marks=pytest.mark.integration)])
def algorithm(request: pytest.FixtureRequest, optuna: OptunaProcess) -> str:
    """An algorithm whose process can be started; its tests are skipped where there is no package index."""
    ensure_there(optuna, request.param)
    return str(request.param)


def ensure_there(optuna: OptunaProcess, algorithm: str) -> None:
    try:
        optuna.ask(algorithm, {"study": "none", "parameters": [], "goal": "minimize", "since": -1})
    except Unavailable as error:
        if os.environ.get("CI") or "could not be installed" not in str(error):
            raise
        pytest.skip(str(error))
