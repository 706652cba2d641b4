"""Checks that need scikit-learn: each file beside this one runs in the components' own environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.helpers import pytest_command
from tests.prebuilt import FOLDER

pytestmark = pytest.mark.integration
ROOT = FOLDER.parents[2]
WARNINGS = "error\nignore:.*Any type hint is inferred as AnyType:UserWarning"
"""MLflow warns of its own functions as soon as it is imported."""
FILES = sorted(Path(__file__).parent.glob("inside_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_checks_of_a_file_pass(file: Path, prebuilt_python: str, tmp_path: Path) -> None:
    command = [*pytest_command(tmp_path, prebuilt_python), "-x", "--noconftest", str(file)]
    command += ["-o", f"filterwarnings={WARNINGS}"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path)], env=variables, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
