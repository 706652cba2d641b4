"""Checks that need FLAML and scikit-learn: each file beside this one runs in the program's own environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.helpers import pytest_command

pytestmark = pytest.mark.integration
FILES = sorted(Path(__file__).parent.glob("inside_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_checks_of_a_file_pass(file: Path, automl_python: str, shipped: Path, tmp_path: Path) -> None:
    command = [*pytest_command(tmp_path, automl_python), "-x", "--noconftest", str(file)]
    variables = {**os.environ, "PYTHONPATH": str(shipped), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path)], env=variables, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
