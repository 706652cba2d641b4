"""An environment with what the AutoML program needs, built once per machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.program_environments import build_python

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src/smalt/automl_program"


@pytest.fixture(scope="session")
def automl_python() -> str:
    """The Python of an environment made of the program's requirements; SMALT_TEST_AUTOML_PYTHON names another."""
    if given := os.environ.get("SMALT_TEST_AUTOML_PYTHON"):
        return given
    return build_python("automl", PACKAGE / "requirements.txt")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program as a job has it: `smalt_automl` and `mltable`, and no smalt."""
    folder = tmp_path_factory.mktemp("shipped")
    (folder / "smalt_automl").symlink_to(PACKAGE)
    (folder / "mltable").symlink_to(ROOT / "src/smalt/mltable")
    return folder
