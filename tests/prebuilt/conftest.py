"""An environment with scikit-learn and MLflow, built once per machine."""

from __future__ import annotations

import os

import pytest

from tests.prebuilt import FOLDER
from tests.program_environments import build_python


@pytest.fixture(scope="session")
def prebuilt_python() -> str:
    """The Python of the components' requirements; SMALT_TEST_PREBUILT_PYTHON names another."""
    return os.environ.get("SMALT_TEST_PREBUILT_PYTHON") or build_python("prebuilt", FOLDER / "requirements.txt")
