"""The official azure-ai-ml package drives a server, unmodified: each function of `programs/` is one test."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from tests.official.conftest import NEWEST, PROGRAMS, Outcomes, installed


def _functions(program: str) -> list[str]:
    tree = ast.parse((PROGRAMS / f"{program}.py").read_text())
    return [one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("it_")]


PROGRAM_NAMES = (
    "commands",
    "pipelines",
    "assets",
    "described",
    "schedules",
    "kinds",
    "storage",
    "cloud",
    "control_flow",
    "sweeps",
    "parallel_jobs",
    "batch_endpoints",
)
CASES = [(program, name) for program in PROGRAM_NAMES for name in _functions(program)]
IDS = [f"{program}-{name}" for program, name in CASES]
Run = Callable[[str, str], Outcomes]


@pytest.mark.parametrize(("program", "name"), CASES, ids=IDS)
def test_the_official_client(outcomes: Run, official: str, program: str, name: str) -> None:
    """The function says which behaviour; its own traceback is the failure."""
    _check(outcomes(official, program), name)


@pytest.mark.integration
@pytest.mark.parametrize("version", ["1.27.1", "1.20.0"])
@pytest.mark.parametrize(("program", "name"), CASES, ids=IDS)
def test_older_official_clients(outcomes: Run, version: str, program: str, name: str) -> None:
    """The same with others of the twenties."""
    _check(outcomes(installed(version), program), name)


@pytest.mark.integration
@pytest.mark.parametrize("name", _functions("automl_jobs"))
def test_automl_by_the_official_client(outcomes: Run, name: str) -> None:
    """Beside MLflow, as in the notebooks; the home installs FLAML for it."""
    _check(outcomes(installed(NEWEST, "mlflow-skinny<3"), "automl_jobs"), name)


@pytest.mark.integration
@pytest.mark.parametrize("name", _functions("spark_jobs"))
def test_spark_by_the_official_client(outcomes: Run, name: str) -> None:
    """The home installs PySpark and Java for it."""
    _check(outcomes(installed(NEWEST), "spark_jobs"), name)


@pytest.mark.integration
@pytest.mark.parametrize("name", _functions("data_transfers"))
def test_data_transfers_by_the_official_client(outcomes: Run, official: str, name: str) -> None:
    """The home installs SQLAlchemy for it."""
    _check(outcomes(official, "data_transfers"), name)


@pytest.mark.integration
@pytest.mark.parametrize("name", _functions("online_endpoints"))
def test_online_endpoints_by_the_official_client(outcomes: Run, official: str, name: str) -> None:
    """The home installs Azure's inference server for it."""
    _check(outcomes(official, "online_endpoints"), name)


def _check(found: Outcomes, name: str) -> None:
    assert name in found.failures, f"the program ended before {name}: {found.said}"
    assert found.failures[name] is None, found.failures[name]
